"""How many come and how soon, against the formula of return times; draw by draw stands beside."""

import numpy as np
import pytest
from scipy.stats import norm

from simenv.abm.activation import ReturnTimes, SteadyShare
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.users.lives import Life

NUM = 4000
USERS = np.arange(NUM)
SEEDS = row_seeds(5, USERS, np.full(NUM, 10))
ALL = np.ones(NUM, dtype=bool)


def activation(level=2, **life):
    returns = ReturnTimes(Life(**life), ticks_per_day=4)
    returns.start(0, np.full(NUM, level))
    return returns


def next_ticks(level, stars, **life):
    """When users of an activity come next after a visit of one slate, left in tick 10."""
    returns = activation(level, **life)
    returns.take_in(10, USERS, np.full(NUM, stars), ALL, SEEDS)
    return returns.arrays()["next"]


@pytest.mark.parametrize(("level", "factor"), [(1, 2.0), (2, 1.0), (3, 0.5)])
@pytest.mark.parametrize("stars", [2.6, 3.6, 4.6])
def test_people_come_back_at_the_rate_the_formula_says(level, factor, stars):
    draws = uniforms(SEEDS, Channel.RETURN, 1)[:, 0]
    days = 2.0 * 2 ** (1.5 * (3.6 - stars)) * np.exp(1.2 * norm.ppf(draws)) * factor
    wanted = 10 + 1 + np.ceil(4 * days)
    np.testing.assert_array_equal(next_ticks(level, stars, gone_after=1e9), wanted)


def test_the_more_active_come_back_sooner_and_half_within_their_median():
    waits = {level: next_ticks(level, 3.6, gone_after=1e9) - 11 for level in (1, 2, 3)}
    assert (waits[1] >= waits[2]).all()
    assert (waits[2] >= waits[3]).all()
    for level, median in ((1, 16), (2, 8), (3, 4)):  # 2 days of 4 ticks, times 2, 1 and 1/2
        assert (waits[level] <= median).mean() == pytest.approx(0.5, abs=0.03)


def test_the_more_active_come_first_sooner():
    for level, factor in ((1, 2.0), (2, 1.0), (3, 0.5)):
        first = activation(level).arrays()["next"]
        assert first.min() == 1
        # exponential with a mean of 2 days of 4 ticks; floor takes half a tick off
        assert first.mean() == pytest.approx(1 + 8 * factor - 0.5, rel=0.05)


def test_who_would_stay_away_too_long_is_gone_for_good():
    nexts = next_ticks(2, 2.6, gone_after=10.0)
    median = 2.0 * 2**1.5
    share = 1 - norm.cdf(np.log(10.0 / median) / 1.2)
    assert np.isinf(nexts).mean() == pytest.approx(share, abs=0.03)
    returns = activation()
    returns.take_in(10, USERS, np.full(NUM, 1.0), ALL, SEEDS)
    gone = np.flatnonzero(np.isinf(returns.arrays()["next"]))
    assert len(gone) > 100
    assert not np.isin(gone, returns.awake(10**6, 50.0)).any()


def test_a_boost_multiplies_arrivals_and_brings_people_early():
    calm, busy = activation().awake(3, 1.0), activation().awake(3, 2.5)
    assert len(calm) > 800
    assert np.isin(calm, busy).all()
    assert len(busy) == pytest.approx(2.5 * len(calm), rel=0.08)


def test_a_steady_share_is_drawn_anew_every_tick():
    steady = SteadyShare(0.2)
    steady.start(0, np.full(NUM, 2))
    one, two = steady.awake(1, 1.0), steady.awake(2, 1.0)
    assert len(one) / NUM == pytest.approx(0.2, abs=0.02)
    assert len(np.intersect1d(one, two)) / NUM == pytest.approx(0.04, abs=0.012)
    assert len(steady.awake(1, 2.0)) / NUM == pytest.approx(0.4, abs=0.03)
    assert np.isin(one, steady.awake(1, 2.0)).all()
    steady.postpone(one, np.full(len(one), 5))
    assert len(np.intersect1d(one, steady.awake(4, 5.0))) == 0
    assert np.isin(one, steady.awake(5, 5.0)).all()
