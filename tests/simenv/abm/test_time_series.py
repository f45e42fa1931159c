"""Every figure of a tick by its arithmetic, on a society of four people and four items."""

import numpy as np
import pytest

from simenv.abm import concentration as measures
from simenv.abm.keeping.journal import TickRecord, no_tick
from simenv.abm.social import FRIEND, RECOMMENDED, TREND
from simenv.abm.time_series import Curves
from simenv.catalog import Catalog
from simenv.events import Feedback, InteractionLog, Slates

GROUPS = np.array([0, 0, 1, 1])
FRIENDS = np.array([[0, 1], [2, 3]])


def catalog():
    return Catalog(
        titles=("a", "b", "ab", "b2"), years=np.full(4, 2000),
        genres=(("A",), ("B",), ("A", "B"), ("B",)),
    )  # fmt: skip


def log_of(rows):
    users, items = np.array(rows, dtype=int).reshape(-1, 2).T
    return InteractionLog.from_columns(
        users, items, np.full(len(users), 3.0), num_users=4, num_items=4
    )


def curves(rows=()):
    return Curves(catalog(), log_of(list(rows)), GROUPS, FRIENDS, seed=0)


def record(users, items, ratings, stars, sources=None, failed=()):
    """A tick in which the expected stars (n, k) were certain."""
    items, ratings, stars = np.array(items), np.array(ratings, dtype=float), np.array(stars)
    feedback = Feedback(ratings, np.eye(5)[stars - 1], ratings > 0, np.zeros(len(users), bool))
    own = np.zeros(items.shape, dtype=int) if sources is None else np.array(sources)
    slates = Slates(items, np.zeros(items.shape))
    return TickRecord(1, np.array(users), slates, own, feedback, np.array(failed, dtype=int))


def played(curves, tick, num_returns=0, num_saturated=0):
    curves.take_in(tick.users, tick.slates.items, tick.feedback, num_returns)
    curves.measure(tick, num_saturated)
    return curves.latest


def test_every_figure_of_a_tick():
    tick = record(
        users=[0, 2, 3], failed=[1],
        items=[[0, 1], [1, 3], [1, 0]],
        ratings=[[5, 0], [4, 2], [0, 0]],
        stars=[[5, 4], [3, 3], [1, 2]],
        sources=[[RECOMMENDED, FRIEND], [RECOMMENDED, FRIEND], [RECOMMENDED, TREND]],
    )  # fmt: skip
    latest = played(curves(), tick, num_returns=2, num_saturated=7)
    assert latest["active"] == 3
    assert latest["returns"] == 2
    assert latest["failed"] == 1
    assert latest["unanswered"] == 1  # a slate
    assert latest["saturated"] == 7
    assert latest["ratings"] == 3
    assert latest["mean_rating"] == pytest.approx((5 + 4 + 2) / 3)
    assert latest["satisfaction"] == pytest.approx((4.5 + 3.0 + 1.5) / 3)
    assert latest["from_friends"] == pytest.approx(2 / 6)
    assert (latest["active_0"], latest["active_1"]) == (1, 2)
    assert latest["satisfaction_0"] == pytest.approx(4.5)
    assert latest["satisfaction_1"] == pytest.approx((3.0 + 1.5) / 2)
    # shown 2, 3, 0 and 1 times; in ascending order 0, 1, 2, 3
    assert latest["gini"] == pytest.approx((-3 * 0 - 1 * 1 + 1 * 2 + 3 * 3) / (4 * 6))
    assert latest["coverage"] == 3 / 4
    # 0 watched A alone, 2 watched B twice, 3 nothing: the two who watched are all that is narrow
    assert latest["filter_bubble"] == pytest.approx(1.0)
    assert latest["polarisation"] == pytest.approx(1.0)
    assert set(curves().names()) == set(latest)


def test_a_tick_in_which_nobody_is_awake_has_figures_too():
    some = curves()
    first = dict(played(some, record([0], [[0, 1]], [[5, 0]], [[5, 4]]), num_returns=1))
    some.measure(no_tick(2, 2), 0)
    assert first["returns"] == 1
    assert some.latest["active"] == some.latest["returns"] == some.latest["ratings"] == 0
    assert some.latest["satisfaction"] == some.latest["mean_rating"] == 0
    assert some.latest["gini"] == first["gini"]
    assert some.latest["coverage"] == first["coverage"]


def test_exposure_fades_and_coverage_does_not():
    some = curves()
    played(some, record([0], [[0]], [[5]], [[5]]))
    played(some, record([0], [[1]], [[5]], [[5]]))
    np.testing.assert_allclose(some.arrays()["exposure"], [0.9, 1.0, 0.0, 0.0])
    assert some.latest["gini"] == pytest.approx((1 * 0.9 + 3 * 1.0) / (4 * 1.9))
    assert some.latest["coverage"] == 2 / 4


def test_what_people_watch_fades_by_a_tenth_a_slate_and_an_item_of_two_genres_counts_half_each():
    some = curves()
    played(some, record([1], [[0]], [[5]], [[5]]))
    played(some, record([1], [[2]], [[5]], [[5]]))
    played(some, record([1], [[1]], [[0]], [[5]]))  # shown, not taken
    np.testing.assert_allclose(some.arrays()["consumption"][1], [(1 * 0.9 + 0.5) * 0.9, 0.5 * 0.9])
    assert not some.arrays()["consumption"][[0, 2, 3]].any()


def test_the_past_before_the_first_tick_is_worth_at_most_twenty_items():
    some = curves([(0, 0)] * 30 + [(0, 1)] * 10 + [(1, 0)])
    np.testing.assert_allclose(some.arrays()["consumption"][:2], [[15.0, 5.0], [1.0, 0.0]])


def test_friends_who_watch_alike_make_an_echo_chamber():
    alike = curves([(0, 0), (1, 0), (2, 1), (3, 1)])
    alike.measure(no_tick(1, 2), 0)
    some = alike.arrays()["consumption"]
    strangers = np.array([[0, 2], [1, 3]])
    assert measures.echo_chamber(some, FRIENDS, strangers) == pytest.approx(1.0)
    assert 0 <= alike.latest["echo_chamber"] <= 1


def test_measures_of_bubbles_and_camps():
    one_genre, all_genres = np.array([[4.0, 0.0]]), np.array([[2.0, 2.0]])
    assert measures.bubble(one_genre) == pytest.approx(1.0)
    assert measures.bubble(all_genres) == pytest.approx(0.0)
    assert measures.bubble(np.concatenate([one_genre, all_genres])) == pytest.approx(1 / 2)
    mostly = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    assert measures.bubble(np.array([[3.0, 1.0]])) == pytest.approx(1 - mostly)
    assert measures.bubble(np.zeros((2, 2))) == 0.0
    camps = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert measures.polarisation(camps, np.array([0, 0, 1, 1])) == pytest.approx(1.0)
    assert measures.polarisation(camps, np.array([0, 1, 0, 1])) == pytest.approx(0.0)
    # a camp of three and one of one: means 2/3 and 0 around 1/2, total variance 4 · 1/4
    between = (3 * (2 / 3 - 1 / 2) ** 2 + 1 * (0 - 1 / 2) ** 2) / (4 * 1 / 4)
    assert measures.polarisation(camps, np.array([5, 5, 5, 9])) == pytest.approx(between)


def test_likeness_is_a_mean_cosine_of_those_who_watched_anything():
    watched = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 3.0], [0.0, 0.0]])
    friends, strangers = np.array([[0, 1], [0, 3]]), np.array([[0, 2], [1, 2]])
    wanted = np.sqrt(1 / 2) - (0 + np.sqrt(1 / 2)) / 2
    assert measures.echo_chamber(watched, friends, strangers) == pytest.approx(wanted)
    assert measures.echo_chamber(watched, friends[:0], strangers) == 0.0
