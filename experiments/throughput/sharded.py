"""One engine in this process, on one Ray worker and on several, by turns; and workers killed."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from agents.inference.engine import Engine, Request
from agents.inference.local.local_engine import LocalEngine
from agents.inference.ray.cluster import WorkerSettings
from agents.inference.ray.ray_engine import RayEngine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from agents.prompts import RATING_CHOICES
from experiments.people.sized_populations import crowd
from experiments.reporting.progress import Tick
from experiments.throughput.timing import spread, timed_rates
from experiments.throughput.workloads import requests
from simenv.events import FloatArray

SAME = 1e-5  # nats that another batch may move a log-probability
Draw = Callable[[int], list[Request]]


class ShardSizes(NamedTuple):
    """What is asked, and of how many."""

    users: int
    slate: int
    workers: int
    kills: int  # workers killed at random moments, one a call
    rounds: int


def race_workers(population: Population, sizes: ShardSizes, tick: Tick) -> dict[str, Any]:
    """Rates of ``bare``, ``one`` and ``several``, and what kills did to the answers.

    Returns:
        ``sizes``; ``rates`` in exposures a second; ``ratios``: ``one / bare`` (what Ray costs) and
        ``several / one`` (what more workers give); ``sender_share``, this process's own processor
        time for a call to one worker over that of the bare engine, which other jobs do not move;
        ``largest_difference`` from the bare engine in nats; ``kills``.
    """
    people = crowd(population, sizes.users)
    with _engines(people, sizes) as (bare, one, several):
        asked = PersonaUsers(people, bare)
        draw = partial(requests, asked, "uniform", sizes.users, sizes.slate, [])
        ways = {"bare": bare, "one": one, "several": several}
        tick("warming up")
        found = {name: engine.score(draw(0), RATING_CHOICES) for name, engine in ways.items()}
        tick("by turns")
        asks = {n: partial(_ask, engine) for n, engine in ways.items()}
        rates = timed_rates(asks, draw, sizes.rounds + 1, {}, 1)
        met = [draw(sizes.rounds + 1 + number) for number in range(2)]
        share = [_seconds(one, own) / _seconds(bare, own) for own in met]
        return {
            "sizes": sizes._asdict(),
            "rates": {name: spread(own) for name, own in rates.items()},
            "ratios": {
                "one / bare": _ratio(rates["one"], rates["bare"]),
                "several / one": _ratio(rates["several"], rates["one"]),
            },
            "sender_share": spread(share),
            "largest_difference": {
                name: _apart(own, found["bare"]) for name, own in found.items() if name != "bare"
            },
            "kills": _killed(bare, several, draw, sizes.kills, tick),
        }


@contextmanager
def _engines(
    people: Population, sizes: ShardSizes
) -> Iterator[tuple[LocalEngine, RayEngine, RayEngine]]:
    make = partial(LocalEngine, people.model, people.adapters)
    together = 1 + sizes.workers
    several = RayEngine(make, WorkerSettings(workers=sizes.workers, cpus_per_worker=1 / together))
    one = RayEngine(make, WorkerSettings(workers=1, cpus_per_worker=1 / together))
    bare = make()
    try:
        yield bare, one, several
    finally:
        for engine in (bare, one, several):
            engine.close()


def _killed(
    bare: LocalEngine, several: RayEngine, draw: Draw, kills: int, tick: Tick
) -> dict[str, Any]:
    """Kill a worker at a random moment of each of ``kills`` calls, and compare the answers."""
    rng, apart = np.random.default_rng(0), []
    started = time.perf_counter()
    several.score(draw(10**6), RATING_CHOICES)
    seconds = time.perf_counter() - started
    before = several.num_deaths
    for number in range(kills):
        tick(f"kill {number + 1} of {kills}")
        asked = draw(10**6 + 1 + number)
        victim = several.pids[rng.integers(len(several.pids))]
        killer = threading.Timer(rng.uniform(0, seconds), os.kill, (victim, signal.SIGKILL))
        killer.start()
        found = several.score(asked, RATING_CHOICES)
        killer.join()
        several.score(asked, RATING_CHOICES)  # meets one that died after its part
        apart.append(_apart(found, bare.score(asked, RATING_CHOICES)))
    return {
        "calls": kills,
        "same": int(sum(nats <= SAME for nats in apart)),
        "deaths": several.num_deaths - before,
        "largest_difference": max(apart, default=0.0),
    }


def _ask(engine: Engine, asked: list[Request]) -> FloatArray:
    return engine.score(asked, RATING_CHOICES)


def _seconds(engine: Engine, asked: list[Request]) -> float:
    """This process's processor time of a call."""
    started = time.process_time()
    engine.score(asked, RATING_CHOICES)
    return time.process_time() - started


def _ratio(own: list[float], other: list[float]) -> dict[str, float]:
    return spread(a / b for a, b in zip(own, other, strict=True))


def _apart(own: FloatArray, other: FloatArray) -> float:
    return float(np.abs(own - other).max())
