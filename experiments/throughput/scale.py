"""What many users a day cost, planned from measured figures and checked by simulated queues.

Run::

    python -m experiments.throughput.scale

A *tick* asks everybody who is awake. One process, the driver, recalls, writes the prompts and moves
the world on; then the workers answer, each its own people's questions; the tick ends with the
slowest. So the driver's time adds to the workers' and no number of workers takes it away. Users who
come as they like meet a queue before each server instead.
"""

from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray


class Measured(NamedTuple):
    """Figures of one exposure, where each comes from: docs/explanation/scale.md."""

    worker_rate: float  # exposures a second of one worker
    driver_seconds: float  # of the driver's core, an exposure
    question_bytes: int  # from driver to worker, an exposure
    user_bytes: int  # on disk: profile and 20 decisions
    decision_bytes: int  # that an exposure adds to the log
    start_seconds: float  # until a worker that died has its model again


POCKET = Measured(1238.0, 0.064 / 1238, 391, 1150, 60, 10.0)
H100 = POCKET._replace(worker_rate=1000.0, question_bytes=1500, start_seconds=60.0)


class Plan(NamedTuple):
    """What a day of simulated users takes."""

    exposures: float
    worker_hours: float
    driver_hours: float
    drivers: int  # each with its own people; all end within ``USED`` of a day
    workers: int  # of all drivers, at most ``TOGETHER`` each
    network_bytes: float
    stored_bytes: float  # people
    logged_bytes: float  # a day


TOGETHER = 4  # workers of a driver, who would be idle too long among more
USED = 0.8  # of a day; the rest is for the slowest worker, restarts and starts
DAY = 86_400.0


def plan(users: float, per_user: float, figures: Measured) -> Plan:
    """A day of ``users`` who are each asked about ``per_user`` items.

    Args:
        users: a day, > 0.
        per_user: exposures of each, > 0.
        figures: of one exposure.
    """
    exposures = users * per_user
    work, drive = exposures / figures.worker_rate, exposures * figures.driver_seconds
    enough = [g for g in range(1, TOGETHER + 1) if drive + work / g <= USED * DAY]
    each = enough[0] if enough else TOGETHER
    drivers = int(np.ceil((drive + work / each) / (USED * DAY)))
    return Plan(
        exposures,
        work / 3600,
        drive / 3600,
        drivers,
        drivers * each,
        exposures * figures.question_bytes,
        users * figures.user_bytes,
        exposures * figures.decision_bytes,
    )


def most_useful_workers(figures: Measured) -> float:
    """How many workers one driver keeps busy half of the time: from here on it is the driver's."""
    return 1 / (figures.driver_seconds * figures.worker_rate)


def simulate_ticks(
    awake: int,
    per_user: int,
    workers: int,
    figures: Measured,
    ticks: int,
    death_chance: float = 0.0,
    seed: int = 0,
) -> FloatArray:
    """Seconds (ticks,) of ticks in which ``awake`` people are asked by one driver.

    People are at workers by lot, as a hash puts them; a worker's part takes its questions' time,
    give or take a tenth; who dies, with ``death_chance`` a tick, starts anew and asks its part
    again from the start.
    """
    rng = np.random.default_rng(seed)
    drive = awake * per_user * figures.driver_seconds
    people = rng.multinomial(awake, np.full(workers, 1 / workers), size=ticks)
    parts = people * per_user / figures.worker_rate
    parts = parts * np.clip(rng.normal(1.0, 0.1, parts.shape), 0.7, 1.5)
    died = rng.random(parts.shape) < death_chance
    lost = died * (rng.random(parts.shape) * parts + figures.start_seconds)
    return np.asarray(drive + (parts + lost).max(axis=1))


def simulate_queue(load: float, seconds: float, arrivals: int, seed: int = 0) -> FloatArray:
    """Waiting times (arrivals,) before one server that takes ``seconds`` for every question.

    Questions come at random moments and use the share ``load`` of the server's time.
    """
    rng = np.random.default_rng(seed)
    steps = seconds - rng.exponential(seconds / load, arrivals - 1)
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(walk - np.minimum.accumulate(walk))


def lines() -> list[str]:
    """The tables of docs/explanation/scale.md, as Markdown."""
    kinds = {"pocket, a core": POCKET, "0.6 B, an H100": H100}
    found = [
        "| users a day | model, a worker | exposures | worker hours | workers | driver hours |"
        " drivers | sent | people on disk | log a day |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for users in (10**6, 10**8):
        for name, figures in kinds.items():
            p = plan(users, 50, figures)
            found.append(
                f"| {users:,} | {name} | {p.exposures:.0e} | {p.worker_hours:,.0f} | {p.workers} |"
                f" {p.driver_hours:,.1f} | {p.drivers} | {p.network_bytes / 1e9:,.0f} GB |"
                f" {p.stored_bytes / 1e9:,.1f} GB | {p.logged_bytes / 1e9:,.1f} GB |"
            )
    found += [
        "",
        "| workers of one driver | times one worker | of the workers' time used | with a death in"
        " 100 ticks of each |",
        "| --- | --- | --- | --- |",
    ]
    alone = simulate_ticks(10_000, 5, 1, POCKET, 200).mean()
    for workers in (1, 2, 4, 8, 16, 32, 64):
        calm = simulate_ticks(10_000, 5, workers, POCKET, 200).mean()
        deaths = simulate_ticks(10_000, 5, workers, POCKET, 200, death_chance=0.01).mean()
        found.append(
            f"| {workers} | {alone / calm:.1f} | {alone / calm / workers:.0%} |"
            f" {alone / deaths:.1f} |"
        )
    found += ["", "| load of a server | mean wait | wait of one in 100 |", "| --- | --- | --- |"]
    for load in (0.5, 0.8, 0.9, 0.95):
        waits = simulate_queue(load, 1.0, 400_000)
        found.append(f"| {load:.0%} | {waits.mean():.1f} | {np.quantile(waits, 0.99):.0f} |")
    return found


if __name__ == "__main__":
    print("\n".join(lines()))
