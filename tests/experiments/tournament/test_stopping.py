"""When a run stops, on arithmetic one can do in the head."""

import math

import pytest

from experiments.tournament.stopping import Meter, Stopping


def test_without_limits_everybody_is_asked_at_once():
    meter = Meter(Stopping(), 100, 50)
    assert meter.next_wave() == 100
    meter.count(100, 5000, 1.0, 0, math.nan)
    assert meter.next_wave() == 0
    assert meter.reason == "every user was asked"


def test_precision_stops_when_the_widest_difference_is_known():
    meter = Meter(Stopping(precision=0.05, wave=20), 100, 50)
    meter.count(meter.next_wave(), 900, 1.0, 0, 0.08)
    assert meter.next_wave() == 20
    meter.count(20, 900, 1.0, 0, 0.05)
    assert meter.next_wave() == 0
    assert meter.reason == "every difference is known to ± 0.05 stars"


def test_exposures_are_planned_by_what_a_user_may_cost_at_most():
    meter = Meter(Stopping(exposures=1000, wave=25), 100, 100)
    assert meter.next_wave() == 10
    meter.count(10, 850, 1.0, 0, 1.0)
    assert meter.next_wave() == 1
    meter.count(1, 60, 1.0, 0, 1.0)
    assert meter.next_wave() == 0
    assert meter.reason == "the budget of 1000 exposures is spent"


def test_seconds_are_planned_by_what_users_took_so_far():
    meter = Meter(Stopping(seconds=10.0, wave=4), 100, 50)
    meter.count(meter.next_wave(), 200, 6.0, 0, 1.0)
    assert meter.next_wave() == 2  # 1.5 s each
    meter.count(2, 100, 4.5, 0, 1.0)
    assert meter.next_wave() == 0


def test_cost_counts_hours_and_tokens():
    prices = Stopping(cost=1.0, price_per_hour=36.0, price_per_million_tokens=0.5, wave=10)
    meter = Meter(prices, 100, 50)
    meter.count(10, 500, 20.0, 400_000, 1.0)
    assert meter.cost == pytest.approx(36 * 20 / 3600 + 0.5 * 0.4)
    assert meter.next_wave() == 10
    meter.count(10, 500, 50.0, 400_000, 1.0)
    assert meter.next_wave() == 0
    assert meter.reason == "the budget of 1 cost is spent"


def test_a_limit_must_be_positive():
    with pytest.raises(ValueError, match="wanted precision above 0, got -1; null sets no limit"):
        Stopping(precision=-1)


def test_a_budget_of_cost_wants_a_price():
    with pytest.raises(ValueError, match=r"wanted a price for a budget of cost.*price_per_hour"):
        Stopping(cost=1.0)
