"""One process asked for hours: whether it takes more memory or more time at the end than before."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from agents.inference.local.local_engine import LocalEngine
from agents.memory.base import TableMemory
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from experiments.reporting.progress import Tick
from experiments.throughput.crowds import resident_memory
from simenv.env.vector_env import RecVectorEnv
from simenv.events import FloatArray

TENTHS = 10


class SoakSizes(NamedTuple):
    """How many are asked how often."""

    exposures: int
    users: int  # in the batch; sessions go round among all people
    slate: int
    kept: int  # decisions that a person keeps at most: without it memories grow by design


class _Look(NamedTuple):
    """What was so after a step."""

    exposures: int  # so far
    resident: int  # bytes
    cached: int  # bytes of kept keys and values
    decisions: int  # of everybody
    seconds: float  # of the step, on the wall
    processor: float  # seconds of the step, of this process


@dataclass
class _Soak:
    """An environment on one engine, and what was seen of it."""

    people: PersonaUsers
    engine: LocalEngine
    sizes: SoakSizes
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    looks: list[_Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        catalog, sizes = self.people.population.catalog, self.sizes
        self.num_items = len(catalog)
        self.env = RecVectorEnv(self.people, catalog, num_envs=sizes.users, slate_size=sizes.slate)
        self.env.reset(seed=0)

    def step(self) -> int:
        """One slate each, chosen at random; returns the exposures so far."""
        shape = self.sizes.users, self.num_items
        slates = self.rng.random(shape).argpartition(self.sizes.slate, axis=1)
        before, started, busy = self._asked, time.perf_counter(), time.process_time()
        self.env.step(slates[:, : self.sizes.slate])
        seconds, processor = time.perf_counter() - started, time.process_time() - busy
        done = self.looks[-1].exposures if self.looks else 0
        done += self._asked - before
        held = resident_memory(), self.engine.cache_stats.num_bytes, len(self.people.memory)
        self.looks.append(_Look(done, *held, seconds, processor))
        return done

    @property
    def _asked(self) -> int:
        return self.engine.stats.requests


def soak(population: Population, sizes: SoakSizes, cache_bytes: int, tick: Tick) -> dict[str, Any]:
    """Show random slates until so many items have been answered, on one engine.

    Returns:
        ``tenths``, of the run in the order of time: resident memory at the end, bytes of kept
        states, decisions kept, and seconds an exposure on the wall and of the processor. ``drift``
        is how far resident memory strays from its mean after the first tenth, as a share of it;
        ``slowing`` the last tenth's cost over the first's and over the second's, which begins
        warm.
    """
    engine = LocalEngine(population.model, population.adapters, cache_bytes=cache_bytes)
    people = PersonaUsers(population, engine, partial(TableMemory, budget=sizes.kept))
    run, opened = _Soak(people, engine, sizes), resident_memory()
    done = shown = 0
    while done < sizes.exposures:
        done = run.step()
        if (tenth := min(TENTHS, TENTHS * done // sizes.exposures)) > shown:
            tick(_said(done, figures(run.looks, sizes.exposures)), advance=tenth - shown)
            shown = tenth
    engine.close()
    found = {"sizes": sizes._asdict(), "cache_bytes": cache_bytes, "resident_opened": opened}
    return {**found, **figures(run.looks, sizes.exposures)}


def _said(done: int, found: dict[str, Any]) -> str:
    last = found["tenths"][-1]
    held = f"{last['resident'] / 2**30:.3f} GiB resident, {last['cached'] / 2**30:.3f} kept states"
    return f"{done:,} exposures, {held}, {1000 * last['processor']:.3f} ms of the processor each"


def figures(looks: list[_Look], exposures: int) -> dict[str, Any]:
    """What ``soak`` returns of looks (s,) in the order of time."""
    table = np.array(looks, dtype=np.float64)
    asked = np.diff(table[:, 0], prepend=0)
    of = np.minimum(TENTHS * (table[:, 0] - asked) // exposures, TENTHS - 1).astype(np.int64)
    tenths = [_tenth(table[of == tenth], asked[of == tenth]) for tenth in np.unique(of)]
    warm = table[of > 0, 1] if (of > 0).any() else table[:, 1]
    return {
        "tenths": tenths,
        "drift": float(np.abs(warm / warm.mean() - 1).max()),
        "slowing": {
            what: {
                "of the first": tenths[-1][what] / tenths[0][what],
                "of the second": tenths[-1][what] / tenths[min(1, len(tenths) - 1)][what],
            }
            for what in ("seconds", "processor")
        },
    }


def _tenth(table: FloatArray, asked: FloatArray) -> dict[str, Any]:
    return {
        "resident": int(table[-1, 1]),
        "cached": int(table[-1, 2]),
        "decisions": int(table[-1, 3]),
        "seconds": float(table[:, 4].sum() / asked.sum()),
        "processor": float(table[:, 5].sum() / asked.sum()),
    }
