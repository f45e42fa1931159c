"""Who is awake, by the arithmetic of hashed draws and return times."""

import numpy as np
import pytest

from simenv.abm.activation import ReturnTimes, SteadyShare, weekly_rhythm
from simenv.events import InteractionLog
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.users.lives import Life

ROOT, INF = 5, np.inf
SEEDS = row_seeds(1, np.arange(6), np.zeros(6, dtype=np.int64))
EVERYBODY = np.arange(6)


def draws(tick, channel):
    """One draw for each of six users."""
    return uniforms(row_seeds(ROOT, EVERYBODY, np.full(6, tick)), channel, 1)[:, 0]


def log_of(timestamps):
    n = len(timestamps)
    return InteractionLog.from_columns(
        np.zeros(n, int), np.zeros(n, int), np.ones(n), timestamps, num_users=1, num_items=1
    )


def test_the_rhythm_is_each_days_share_of_the_busiest():
    first = 7 * 1653 * 86_400  # a day whose number is a multiple of 7, in 2001
    hours = [0, 40_000, 86_399]
    days = [0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6]
    stamps = [first + day * 86_400 + hours[i % 3] for i, day in enumerate(days)]
    assert weekly_rhythm(log_of(stamps)).tolist() == [1, 1 / 2, *[1 / 4] * 5]
    assert weekly_rhythm(log_of([*stamps, stamps[0] + 7 * 86_400]))[0] == 1.0


def test_a_clock_that_is_no_unix_time_has_no_rhythm():
    assert weekly_rhythm(log_of([])).tolist() == [1.0] * 7
    assert weekly_rhythm(log_of([10**8 - 1, 10**9, 10**9])).tolist() == [1.0] * 7
    assert sorted(weekly_rhythm(log_of([10**8, 10**8]))) == [0.0] * 6 + [1.0]


def started(activity=(1, 2, 3, 1, 2, 3), **settings):
    returns = ReturnTimes(**settings)
    returns.start(ROOT, np.array(activity))
    return returns


def test_first_visits_come_after_exponential_times_longer_for_the_less_active():
    returns = started(life=Life(median_days=3.0), ticks_per_day=5)
    days = -np.log(1 - draws(0, Channel.FIRST_VISIT)) * 3.0 * np.array([2, 1, 0.5] * 2)
    assert returns.arrays()["next"].tolist() == (1 + np.floor(days * 5)).tolist()
    assert returns.arrays()["stars"].tolist() == returns.arrays()["steps"].tolist() == [0] * 6


def test_whoever_leaves_is_away_by_life_and_half_as_long_the_more_active():
    life = Life(gone_after=1e9)
    returns = started((1, 2, 3, 3, 2, 1), life=life, ticks_per_day=3)
    stars, quits = np.array([4.0, 3.0, 2.0, 5.0]), np.array([True, True, True, False])
    returns.take_in(7, np.array([0, 1, 2, 3]), stars, quits, SEEDS[:4])
    days = life.days_away(stars[:3], SEEDS[:3]) * [2, 1, 0.5]
    expected = [*(8 + np.ceil(days * 3)), 8]
    assert returns.arrays()["next"][:4].tolist() == expected
    assert returns.arrays()["stars"][:4].tolist() == [0, 0, 0, 5]
    assert returns.arrays()["steps"][:4].tolist() == [0, 0, 0, 1]


def test_a_visit_is_worth_the_mean_of_its_slates():
    life = Life(gone_after=1e9)
    returns = started((2,), life=life)
    user, stay, leave = np.array([0]), np.array([False]), np.array([True])
    for tick, (stars, quits) in enumerate([(5.0, stay), (2.0, stay), (2.0, leave)], start=1):
        returns.take_in(tick, user, np.array([stars]), quits, SEEDS[:1])
    days = life.days_away(np.array([(5 + 2 + 2) / 3]), SEEDS[:1])
    assert returns.arrays()["next"][0] == 3 + 1 + np.ceil(days[0] * 4)


def test_whoever_stays_away_too_long_is_gone():
    returns = started((2,), life=Life(gone_after=1e-9))
    returns.take_in(1, np.array([0]), np.ones(1), np.array([True]), SEEDS[:1])
    assert returns.arrays()["next"].tolist() == [INF]
    assert returns.awake(10**6, 5.0).tolist() == []


def at(next_visit, steps, **settings):
    """People whose next visit is known; those with steps are in one."""
    returns = started(**settings)
    steps = np.array(steps, dtype=float)
    returns.load({"next": np.array(next_visit, dtype=float), "stars": 3 * steps, "steps": steps})
    return returns


def test_those_in_a_visit_and_those_due_are_awake():
    returns = at([3, 4, 2, INF, 3, 9], [0, 0, 1, 0, 2, 0])
    assert returns.awake(3, 1.0).tolist() == [0, 2, 4]
    assert returns.awake(4, 1.0).tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize(("tick", "chance"), [(4, 0.3), (5, 0.3), (6, 0.9), (9, 0.3)])
def test_of_those_due_as_many_come_as_the_day_brings_and_visits_go_on(tick, chance):
    """Two ticks a day and three days: the rhythm of tick 4 is that of day 2, of 6 that of day 0."""
    returns = at([1] * 6, [0, 0, 0, 0, 1, 0], ticks_per_day=2, rhythm=np.array([0.9, 0.3, 0.3]))
    comes = draws(tick, Channel.ARRIVAL) < chance
    comes[4] = True
    assert returns.awake(tick, 1.0).tolist() == np.flatnonzero(comes).tolist()


def test_fewer_come_with_a_boost_below_1():
    returns = at([1] * 6, [0] * 6)
    comes = draws(3, Channel.ARRIVAL) < 0.4
    assert returns.awake(3, 0.4).tolist() == np.flatnonzero(comes).tolist()


@pytest.mark.parametrize("num_due", [0, 1, 2, 4])
def test_a_boost_above_1_brings_people_before_they_are_due(num_due):
    """Of those less due who may come, each with chance (boost - 1) · due / away."""
    next_visit = np.array([3.0] * num_due + [9.0] * (5 - num_due) + [INF])
    returns = at(next_visit, [0] * 6)
    for boost in np.linspace(1.05, 7, 40):
        chance = (boost - 1) * max(num_due, 1) / (5 - num_due)
        expected = (next_visit <= 3) | ((draws(3, Channel.ARRIVAL) < chance) & (next_visit == 9))
        assert returns.awake(3, boost).tolist() == np.flatnonzero(expected).tolist()
    assert returns.awake(3, 1e9).tolist() == [0, 1, 2, 3, 4], "all but whoever is gone"


def test_where_everybody_is_due_a_boost_brings_them_once():
    assert at([1] * 6, [0] * 6).awake(3, 2.0).tolist() == EVERYBODY.tolist()


def test_whoever_is_put_off_does_not_come_before():
    returns = at([1] * 6, [0] * 6)
    returns.postpone(np.array([0, 3]), np.array([5, 6]))
    assert returns.awake(4, 1.0).tolist() == [1, 2, 4, 5]
    assert returns.awake(5, 1.0).tolist() == [0, 1, 2, 4, 5]


def test_state_comes_back_whatever_happened_in_between():
    returns = started()
    kept = {name: values.copy() for name, values in returns.arrays().items()}
    returns.take_in(1, EVERYBODY, np.ones(6), np.arange(6) % 2 == 0, SEEDS)
    returns.load(kept)
    for name, values in returns.arrays().items():
        np.testing.assert_array_equal(values, kept[name], err_msg=name)


def test_the_same_share_comes_in_every_tick():
    steady = SteadyShare(0.4)
    steady.start(ROOT, np.ones(6, dtype=np.int64))
    for tick, boost in ((1, 1.0), (2, 1.0), (2, 2.0)):
        comes = draws(tick, Channel.ARRIVAL) < 0.4 * boost
        assert steady.awake(tick, boost).tolist() == np.flatnonzero(comes).tolist()
    steady.take_in(2, EVERYBODY, np.ones(6), np.ones(6, dtype=bool), SEEDS)
    assert steady.awake(2, 9.0).tolist() == EVERYBODY.tolist(), "nobody's past matters"


def test_whoever_is_put_off_is_no_part_of_the_share_until_then():
    steady = SteadyShare(1.0)
    steady.start(ROOT, np.ones(6, dtype=np.int64))
    steady.postpone(np.array([1]), np.array([3]))
    assert steady.awake(2, 1.0).tolist() == [0, 2, 3, 4, 5]
    assert steady.awake(3, 1.0).tolist() == EVERYBODY.tolist()
    other = SteadyShare(1.0)
    other.start(ROOT, np.ones(6, dtype=np.int64))
    other.load(steady.arrays())
    assert other.awake(2, 1.0).tolist() == [0, 2, 3, 4, 5]


def test_a_week_has_four_turns_a_day_of_equal_days_unless_said_otherwise():
    assert ReturnTimes().ticks_per_day == 4
    assert ReturnTimes().rhythm.tolist() == [1.0] * 7
    assert ReturnTimes().life == Life()
    assert SteadyShare().share == 0.1
    assert ReturnTimes(rhythm=(1.0, 0.5), ticks_per_day=1).rhythm.dtype == np.float64


@pytest.mark.parametrize("rhythm", [[], [0.0, 1.0], [0.5, 1.1], [-0.1]])
def test_a_rhythm_is_of_chances(rhythm):
    with pytest.raises(ValueError, match="wanted a rhythm of chances"):
        ReturnTimes(rhythm=np.array(rhythm))


@pytest.mark.parametrize("share", [-0.1, 0.0, 1.1])
def test_a_share_is_one(share):
    with pytest.raises(ValueError, match=r"wanted a share in \(0, 1\]"):
        SteadyShare(share)
