"""The plan of docs/explanation/scale.md: against simulated queues, and those against formulas."""

from pathlib import Path

import numpy as np
import pytest

from experiments.throughput.scale import (
    DAY,
    H100,
    POCKET,
    TOGETHER,
    lines,
    most_useful_workers,
    plan,
    simulate_queue,
    simulate_ticks,
)

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
EVEN = POCKET._replace(driver_seconds=0.0, start_seconds=10.0)


def test_the_page_shows_what_the_command_prints():
    text = PAGE.read_text(encoding="utf-8")
    assert [line for line in lines() if line not in text] == []


def test_a_queue_waits_as_pollaczek_and_khinchine_say():
    for load in (0.3, 0.5, 0.8):
        waits = simulate_queue(load, seconds=2.0, arrivals=400_000)
        assert waits.mean() == pytest.approx(2.0 * load / (2 * (1 - load)), rel=0.05)
        assert (waits >= 0).all()
    assert (simulate_queue(0.5, 1.0, 400_000) == 0).mean() == pytest.approx(0.5, abs=0.02)


def test_one_worker_takes_its_time_and_the_drivers():
    seconds = simulate_ticks(10_000, 5, 1, POCKET, 400).mean()
    work = 50_000 / POCKET.worker_rate + 50_000 * POCKET.driver_seconds
    assert seconds == pytest.approx(work, rel=0.02)


def test_no_number_of_workers_takes_the_drivers_time_away():
    least = 50_000 * POCKET.driver_seconds
    seconds = simulate_ticks(10_000, 5, 256, POCKET, 50)
    assert (seconds > least).all()
    assert seconds.mean() < 1.5 * least


def test_a_tick_waits_for_the_fullest_worker():
    calm = simulate_ticks(256, 5, 2, EVEN, 4000).mean()
    even = 256 * 5 / 2 / EVEN.worker_rate
    # Of two binomial halves the larger has sqrt(n / 2 pi) people more; work varies by a tenth.
    spread = np.sqrt((np.sqrt(256) / 2 / 128) ** 2 + 0.1**2 / 2)
    assert calm / even == pytest.approx(1 + spread * np.sqrt(2 / np.pi), abs=0.01)


def test_a_death_costs_a_start_and_the_lost_part():
    calm = simulate_ticks(5_000, 5, 4, EVEN, 2000).mean()
    deaths = simulate_ticks(5_000, 5, 4, EVEN, 2000, death_chance=1.0).mean()
    assert calm + 10 < deaths < 2 * calm + 10


@pytest.mark.parametrize("users", [10**6, 10**7, 10**8])
@pytest.mark.parametrize("figures", [POCKET, H100])
def test_a_fleet_of_the_planned_size_ends_the_day_in_a_day_and_a_smaller_one_does_not(
    users, figures
):
    found = plan(users, 50, figures)
    assert found.exposures == 50 * users
    each = found.workers // found.drivers
    assert each <= TOGETHER

    def day(drivers):
        tick = simulate_ticks(10_000, 5, each, figures, 200, death_chance=0.001).mean()
        return found.exposures / drivers / 50_000 * tick

    assert day(found.drivers) < DAY
    if found.drivers > 5:
        assert day(found.drivers * 0.7) > DAY


def test_a_driver_keeps_so_many_workers_busy_half_of_the_time():
    workers = most_useful_workers(POCKET)
    assert workers == pytest.approx(15.6, abs=0.1)
    even = 50_000 / POCKET.worker_rate / workers
    assert even == pytest.approx(50_000 * POCKET.driver_seconds)
