"""What a session was worth, on roll-outs one can hold in the head."""

from dataclasses import replace
from math import erf, log, log2, sqrt

import numpy as np
import pytest

from recommenders.evaluation.session_measures import (
    ItemFacts,
    coverage,
    exposure_gini,
    return_chance,
    score_sessions,
)
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.env.rollout import Rollout
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from simenv.users.behaviour import Behaviour, behaviour_of
from simenv.users.lives import Life
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

NAN = np.nan
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")  # nothing is divided by nothing


def played(expected, alive, ratings=None, items=None):
    """A roll-out (n, T, k); what was rated was taken."""
    expected = np.asarray(expected, dtype=float)
    ratings = np.zeros_like(expected) if ratings is None else np.asarray(ratings, dtype=float)
    alive = np.asarray(alive, dtype=bool)
    return Rollout(
        users=np.arange(len(expected)),
        items=np.zeros(expected.shape, dtype=int) if items is None else np.asarray(items),
        scores=np.zeros(expected.shape),
        propensities=None,
        expected=expected,
        ratings=ratings,
        taken=ratings > 0,
        rewards=np.zeros(alive.shape),
        alive=alive,
        quits=np.zeros(len(expected), dtype=bool),
    )


def facts(num_users=2):
    """Items 0 to 4 are of one genre, 5 to 9 of another; item i has i training rows and i bits."""
    rows = np.arange(10.0)
    return ItemFacts(np.repeat(np.eye(2), 5, axis=0), rows, rows, np.full(num_users, 2.0))


def test_facts_of_items_are_read_from_training_rows_alone():
    catalog = Catalog(tuple("abcd"), np.zeros(4, int), (("X",), ("X", "Y"), ("Y",), ()))
    train = InteractionLog.from_columns(
        [0, 0, 1], [0, 1, 0], [5.0, 1.0, 3.0], num_users=3, num_items=4
    )
    others = InteractionLog.from_columns([0, 1], [0, 2], [4.0, 4.0], num_users=4, num_items=4)
    late = InteractionLog.from_columns([2], [3], [4.0], num_users=3, num_items=4)
    averages = ItemAverages.of(train, catalog)
    data = Dataset("d", catalog, averages, train, late, ("0", "1", "2"), background=others)
    found = ItemFacts.of(data)
    root = sqrt(1 / 2)
    assert found.genres.tolist() == [[1, 0], pytest.approx([root, root]), [0, 1], [0, 0]]
    assert found.popularity.tolist() == [3, 1, 1, 0]
    # Three users and four others, and one imagined who rated everything.
    bits = [-log2(4 / 8), -log2(2 / 8), -log2(2 / 8), -log2(1 / 8)]
    assert found.surprise.tolist() == pytest.approx(bits)
    np.testing.assert_array_equal(found.own_popularity, [(3 + 1) / 2, 3, NAN])


def test_every_measure_is_its_arithmetic():
    """User 0 sees three slates; user 1 leaves after the first, so what follows is padding."""
    tape = played(
        expected=[[[2, 4], [1, 3], [5, 3]], [[4, 1], [5, 5], [5, 5]]],
        alive=[[True, True, True], [True, False, False]],
        ratings=[[[0, 5], [0, 0], [4, 2]], [[0, 0], [3, 3], [0, 3]]],
        items=[[[1, 2], [0, 9], [5, 3]], [[8, 9], [-1, -1], [-1, -1]]],
    )
    found = score_sessions(tape, facts())
    assert found.mean_rating.tolist() == [(2 + 4 + 1 + 3 + 5 + 3) / 6, (4 + 1) / 2]
    np.testing.assert_array_equal(found.mean_taken_rating, [(5 + 4 + 2) / 3, NAN])
    assert found.clicks.tolist() == [3, 0]
    assert found.clicks.dtype == np.float64
    assert found.session_length.tolist() == [3, 1]
    assert found.session_length.dtype == np.float64
    # It starts at 3.6 and moves by 0.3 of the way to the mean of every slate.
    mood = 0.7 * (0.7 * (0.7 * 3.6 + 0.3 * 3) + 0.3 * 2) + 0.3 * 4
    assert found.satisfaction.tolist() == pytest.approx([mood, 0.7 * 3.6 + 0.3 * 2.5])
    assert found.return_chance.tolist() == return_chance(found.mean_rating, Life()).tolist()
    assert found.diversity.tolist() == pytest.approx([(0 + 1 + 1) / 3, 0])
    assert found.novelty.tolist() == [(1 + 2 + 0 + 9 + 5 + 3) / 6, (8 + 9) / 2]
    assert found.popularity_lift.tolist() == pytest.approx([20 / 6 / 2 - 1, 17 / 2 / 2 - 1])
    # One slate has no drift.
    np.testing.assert_allclose(found.drift, [1 - 0, NAN])


def test_drift_compares_the_later_half_with_the_earlier():
    alike, apart, half = [0, 1, 2], [0, 5, 6], [0, 1, 5]
    slates = [
        [alike, half, apart, half],
        [apart, alike, alike, apart],
        [alike, apart, alike, apart],
    ]
    alive = np.arange(4) < np.array([[4], [2], [3]])
    tape = played(np.ones((3, 4, 3)), alive, items=slates)
    # Of the three pairs of ``half`` and of ``apart`` two are of different genres.
    first = (2 / 3 + 2 / 3) / 2 - (0 + 2 / 3) / 2
    found = score_sessions(tape, facts(3)).drift
    # Of three slates the middle one is neither earlier nor later.
    assert found.tolist() == pytest.approx([first, 0 - 2 / 3, 0 - 0])


def test_partly_alike_items_count_by_their_likeness():
    """Lengths are 1: the cosine of (0.6, 0.8) and (1, 0) is 0.6, and no genre is like nothing."""
    genres = np.array([[1, 0], [0.6, 0.8], [0, 0]])
    known = ItemFacts(genres, np.zeros(3), np.ones(3), np.ones(1))
    for items, diversity in (([0, 1], 1 - 0.6), ([0, 2], 1)):
        tape = played(np.ones((1, 1, 2)), [[True]], items=[[items]])
        assert score_sessions(tape, known).diversity.tolist() == pytest.approx([diversity])


def test_a_slate_of_one_item_has_no_diversity():
    tape = played(np.ones((2, 2, 1)), [[True, True], [True, True]])
    found = score_sessions(tape, facts())
    assert found.diversity.tolist() == found.drift.tolist() == [0, 0]


def test_who_has_no_past_has_no_lift():
    known = facts(1)
    known.own_popularity[0] = NAN
    tape = played(np.ones((1, 1, 1)), [[True]])
    assert np.isnan(score_sessions(tape, known).popularity_lift).all()


def test_exposure_is_counted_over_what_was_seen():
    tape = played(
        np.ones((2, 2, 2)), [[True, False], [True, True]],
        items=[[[3, 4], [7, 8]], [[3, 4], [3, 0]]],
    )  # fmt: skip
    assert coverage(tape, num_items=10) == 3 / 10
    # Items 0, 3 and 4 are shown 1, 3 and 2 times, seven others never.
    assert exposure_gini(tape, num_items=10) == pytest.approx((5 * 1 + 7 * 2 + 9 * 3) / (10 * 6))


def normal_share_below(x):
    return (1 + erf(x / sqrt(2))) / 2


def test_the_chance_of_a_return_within_a_week_is_the_log_normals():
    """Medians of 2 days at 3.6 stars, half as many doublings as 1.5 per star away from it."""
    medians = [2 * 2 ** (1.5 * (3.6 - 2.0)), 2.0, 2 * 2 ** (1.5 * (3.6 - 5.0))]
    expected = [normal_share_below(log(7 / median) / 1.2) for median in medians]
    assert return_chance(np.array([2.0, 3.6, 5.0]), Life()).tolist() == pytest.approx(expected)
    life = Life(median_days=7.0, spread=2.0, doublings_per_star=1.0, content_level=3.0)
    expected = [normal_share_below(log(7 / days) / 2.0) for days in (14, 7, 3.5)]
    assert return_chance(np.array([2.0, 3.0, 4.0]), life).tolist() == pytest.approx(expected)


def test_nobody_comes_back_after_the_day_on_which_people_are_gone():
    life = Life(median_days=2.0, spread=1.0, gone_after=2.0)
    assert return_chance(np.array([3.6]), life).tolist() == [0.5]


def test_measures_go_by_the_behaviour_and_the_life_that_were_played():
    tape = played(np.full((1, 2, 3), 5.0), [[True, True]])
    moody = Behaviour(content_level=3.0, satisfaction_memory=0.5)
    shy = Life(median_days=28.0, spread=2.0)
    found = score_sessions(tape, replace(facts(), behaviour=moody, life=shy))
    assert found.satisfaction.tolist() == [0.5 * (0.5 * 3 + 0.5 * 5) + 0.5 * 5]
    median = 28 * 2 ** (1.5 * (3.6 - 5.0))
    assert found.return_chance.tolist() == pytest.approx([normal_share_below(log(7 / median) / 2)])
    usual = score_sessions(tape, facts())
    assert usual.satisfaction != found.satisfaction
    assert usual.return_chance != found.return_chance


def test_facts_hold_the_users_own_behaviour():
    truth = LatentTruth.draw(3, 4)
    moody = Behaviour(satisfaction_memory=0.1)
    assert behaviour_of(ScriptedUsers(truth, 3, 4, behaviour=moody)) is moody
    catalog = Catalog(tuple("abcd"), np.zeros(4, int), ((),) * 4)
    log = InteractionLog.from_columns([0], [0], [5.0], num_users=3, num_items=4)
    data = Dataset("d", catalog, ItemAverages.of(log, catalog), log, log, ("0", "1", "2"))
    kept = ItemFacts.of(data, moody, Life(days=9))
    assert (kept.behaviour, kept.life) == (moody, Life(days=9))
    assert (ItemFacts.of(data).behaviour, ItemFacts.of(data).life) == (Behaviour(), Life())
