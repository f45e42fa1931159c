"""What may be shown, and when the recommender learns anew."""

import numpy as np
import pytest

from recommenders.policies.heuristics import Popularity, Random
from simenv.abm.activation import SteadyShare
from simenv.abm.model import SocietySettings
from simenv.abm.recommender_side import ItemSets, Platform
from simenv.catalog import Catalog
from simenv.events import InteractionLog


def test_item_sets_hold_what_was_put_in():
    sets = ItemSets(3, 20)
    sets.add(np.array([0, 0, 2, 0]), np.array([0, 19, 8, 19]))
    found = sets.of(np.array([2, 0, 1]))
    assert found.shape == (3, 20)
    assert [np.flatnonzero(row).tolist() for row in found] == [[8], [0, 19], []]


@pytest.mark.parametrize(("every", "wanted"), [(0, [0]), (1, [0, 1, 2, 3, 4]), (3, [0, 3])])
def test_the_recommender_is_fitted_at_the_start_and_on_schedule(make_society, play, every, wanted):
    society = play(make_society(settings=SocietySettings(refit_every=every)), 4)
    assert [refit.tick for refit in society.platform.refits] == wanted


def test_the_schedule_holds_in_ticks_in_which_nobody_is_awake(make_society, play, dataset):
    society = make_society(settings=SocietySettings(refit_every=2), activation=SteadyShare(1e-9))
    play(society, 4)
    assert society.datacollector.model_vars["active"] == [0.0] * 4
    assert [refit.tick for refit in society.platform.refits] == [0, 2, 4]
    assert {refit.rows for refit in society.platform.refits} == {len(dataset.train)}


def test_between_two_fits_the_recommender_shows_what_it_knew(make_society, play):
    """Popularity ranks by its log alone, so its order moves with a fit and not before."""

    def scores(refit_every):
        society = make_society(
            policy=Popularity, shocks=(), activation=SteadyShare(1.0),
            settings=SocietySettings(refit_every=refit_every),
        )  # fmt: skip
        found = []
        for _ in range(4):
            play(society, 1)
            rows = society.last.slates
            found.append(dict(zip(rows.items.ravel(), rows.scores.ravel(), strict=True)))
        return found

    def moved(one, other):
        return any(one[item] != other[item] for item in one.keys() & other.keys())

    never, at_two = scores(0), scores(2)
    assert not any(moved(never[0], later) for later in never[1:])
    assert not moved(at_two[0], at_two[1])  # the fit comes at the end of tick 2
    assert moved(at_two[1], at_two[2])


def test_a_history_holds_the_latest_slates_with_their_stars(make_society, play):
    society = make_society(
        policy=Random, activation=SteadyShare(1.0), shocks=(),
        settings=SocietySettings(slate_size=3, history_length=4),
    )  # fmt: skip
    shown = []
    for _ in range(2):
        play(society, 1)
        shown.append(society.last)
    user = int(np.intersect1d(shown[0].users, shown[1].users)[0])
    rows = [int(np.flatnonzero(tick.users == user)[0]) for tick in shown]
    items = np.concatenate([t.slates.items[r] for t, r in zip(shown, rows, strict=True)])[-4:]
    stars = np.concatenate([t.feedback.ratings[r] for t, r in zip(shown, rows, strict=True)])[-4:]
    arrays = society.platform.arrays()
    assert arrays["history_items"][user].tolist() == items.tolist()
    assert arrays["history_ratings"][user].tolist() == stars.tolist()


def test_a_tick_is_a_quarter_of_a_day_on_the_logs_clock(make_society, play):
    """It was a second, so that ``recent_days=1`` kept weeks of the society."""
    society = play(make_society(activation=SteadyShare(1.0)), 8)
    known, before = society.platform.known_log(), society.platform.log.timestamps.max()
    later = known.timestamps[known.timestamps > before]
    assert sorted({*(later - before)}) == [tick * 86_400 / 4 for tick in range(1, 9)]


def test_a_window_of_days_holds_the_ticks_of_these_days():
    day = 86_400.0
    log = InteractionLog.from_columns(
        [0, 1], [0, 1], [3.0, 3.0], [0.0, day], num_users=2, num_items=3
    )
    catalog = Catalog(("a", "b", "c"), np.zeros(3, dtype=np.int64), (("x",),) * 3)
    platform = Platform(
        Popularity(recent_days=2), catalog, log, slate_size=1, history_length=1, refit_every=0,
        log_budget=9, seconds_per_tick=day / 2,
    )  # fmt: skip
    ones = np.ones(2, dtype=np.int64)
    platform.add_rows(np.array([0, 1]), np.array([2, 2]), 4.0 * ones, np.array([1, 6]))
    platform.fit(6)
    counts = platform.policy._counts  # row of day 0, of day 1, of days 1.5 and 4
    assert counts.tolist() == [0.0, 0.0, 1.0]
