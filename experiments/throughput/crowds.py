"""More people than memory holds: built on disk, opened, and some of them asked a tick."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.crowd.crowd_users import CrowdUsers, write_crowd
from agents.inference.engine import Engine
from agents.inference.scripted import ScriptedEngine
from agents.memory.search import rank_within
from agents.population.population import Population
from experiments.people.sized_populations import crowd
from experiments.reporting.progress import Tick
from experiments.throughput.timing import spread
from simenv.events import Slates
from simenv.seeding import row_seeds

_PART = 10_000  # people that are made at a time


class CrowdSizes(NamedTuple):
    """How many people, and how many are awake at once."""

    users: int
    kept: int  # decisions each, as many as the people they are made of have
    awake: int  # a tick
    slate: int
    ticks: int


def race_crowd(
    population: Population, sizes: CrowdSizes, tick: Tick, engine: Engine | None = None
) -> dict[str, Any]:
    """Build, open and live some ticks, with answers of an engine; None = scripted ones.

    Returns:
        Seconds, bytes on disk, and resident memory of this process (with all its libraries) when
        the crowd is open and at most at the end of a tick.
    """
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder:
        tick(f"building {sizes.users:,} people")
        started = time.perf_counter()
        write_crowd(Path(folder) / "people", _parts(population, sizes))
        built = time.perf_counter() - started
        started = time.perf_counter()
        users = CrowdUsers(population, Path(folder) / "people", engine or ScriptedEngine())
        opened, resident = time.perf_counter() - started, resident_memory()
        tick("ticks")
        lived = _lived(users, sizes)
        return {
            "sizes": sizes._asdict(),
            "answers": users.engine.description,
            "build_seconds": built,
            "open_seconds": opened,
            "bytes_on_disk": users.num_bytes,
            "resident_opened": resident,
            **lived,
        }


def _lived(users: CrowdUsers, sizes: CrowdSizes) -> dict[str, Any]:
    rng, num_items = np.random.default_rng(0), len(users.frame.catalog)
    seconds, resident = [], [resident_memory()]
    for number in range(sizes.ticks):
        awake = rng.choice(users.num_users, sizes.awake, replace=False)
        start = rng.integers(0, num_items, (sizes.awake, 1))
        items = (start + np.arange(sizes.slate)) % num_items
        slates = Slates(items, np.zeros(items.shape))
        started = time.perf_counter()
        feedback = users.respond(awake, slates, row_seeds(0, awake, np.full(len(awake), number)))
        users.remember(awake, slates, feedback)
        seconds.append(time.perf_counter() - started)
        resident.append(resident_memory())
    return {
        "tick_seconds": spread(seconds),
        "exposures": sizes.ticks * sizes.awake * sizes.slate,
        "resident_most": max(resident),
    }


def _parts(population: Population, sizes: CrowdSizes) -> Iterator[Population]:
    """The people, some thousands at a time, with the first decisions of each."""
    for first in range(0, sizes.users, _PART):
        part = crowd(population, min(_PART, sizes.users - first), first)
        own = rank_within(part.history.users) < sizes.kept
        reasons = [r for r, kept in zip(part.reasons, own.tolist(), strict=True) if kept]
        yield replace(part, history=part.history.take(own), reasons=reasons)


def resident_memory() -> int:
    """Bytes of this process in main memory now; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else 0
