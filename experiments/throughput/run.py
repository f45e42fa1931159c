"""Runs the races; the question and the score stand in the package docstring.

Files: ``results.json``, ``baseline.json`` (the ratios alone) and ``config.yaml``.
"""

import itertools
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.inference.metering.machine import peak_flops, peak_memory
from agents.persona_users import PersonaUsers
from agents.population.population import POCKET, Population
from experiments.people.sized_populations import crowd
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.report import json_text
from experiments.reporting.result import Result
from experiments.throughput import llama_cpp
from experiments.throughput.baseline import compare, ratios, regressions, store
from experiments.throughput.crowds import CrowdSizes, race_crowd
from experiments.throughput.memories import MemorySizes, race_memories
from experiments.throughput.random_models import random_adapters
from experiments.throughput.sharded import ShardSizes, race_workers
from experiments.throughput.soak import TENTHS, SoakSizes, soak
from experiments.throughput.throughput_tables import lines
from experiments.throughput.timing import StepClock, cost_ratio, race
from experiments.throughput.ways import ways
from experiments.throughput.workloads import requests

PARTS = ("race", "env", "memory")
# not of ``all``: Ray must be there, a crowd is built on disk, and a soak takes half an hour
APART = ("ray", "crowd", "soak")


class WorkloadCell(NamedTuple):
    """One setting of the race."""

    adapters: int
    users: int
    slate: int
    workload: str


def run(cfg: DictConfig) -> Result:
    """Race the ways of asking.

    Raises:
        ValueError: there is no such part.
    """
    settings: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    if settings["part"] not in (*PARTS, *APART, "all"):
        named = ", ".join((*PARTS, *APART))
        raise ValueError(f"experiment.part wanted one of {named} or all, got {settings['part']!r}")
    measured = _measured(settings)
    found = ratios(measured)
    changes = compare(found, settings["baseline"])
    worse = regressions(changes, settings["tolerance"])
    if settings["store"]:
        store(found)
    values = {
        **measured,
        "changes": [{**c._asdict(), "relative": c.relative} for c in changes],
        "regressions": [change.what for change in worse],
    }
    return Result(
        values,
        pages={"baseline.json": json_text({"ratios": found})},
        lines=lines(values, worse),
    )


def _measured(settings: dict[str, Any]) -> dict[str, Any]:
    """The figures of every part that is asked for."""
    # The stored baseline is pocket's: the other ways of asking are raced on whole prompts.
    population = Population.load(settings["population"] or POCKET)
    found: dict[str, Any] = {
        "experiment": settings["name"],
        "model": Path(population.model).name,
        "threads": torch.get_num_threads(),
        "peak_flops": peak_flops(),
        "not_raced": {} if llama_cpp.installed() else {"llama_cpp": llama_cpp.NOT_INSTALLED},
    }
    for part in (*PARTS, *APART):
        if settings["part"] == part or (settings["part"] == "all" and part in PARTS):
            found |= _PARTS[part](population, settings, found["peak_flops"])
    return {**found, "peak_memory_bytes": peak_memory()}


def _race_part(population: Population, settings: dict[str, Any], _: float) -> dict[str, Any]:
    cells = cells_of(settings, len(population.personas))
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar("race", len(cells)) as tick,
    ):
        return {"cells": _race_all(population, cells, settings, Path(folder), tick)}


def cells_of(settings: dict[str, Any], num_users: int) -> list[WorkloadCell]:
    """The whole matrix, or its cross through the middle: one axis at a time.

    Args:
        settings: lists ``adapters``, ``users``, ``slates``, ``workloads``; ``middle``, a value of
            each (a list without it stands for itself by its first); ``full``.
        num_users: of the population; larger numbers of users become this.
    """
    users = sorted({min(u, num_users) for u in settings["users"]})
    axes = (settings["adapters"], users, settings["slates"], settings["workloads"])
    middle = WorkloadCell(
        *(
            wanted if wanted in axis else axis[0]
            for wanted, axis in zip(settings["middle"], axes, strict=True)
        )
    )
    if settings["full"]:
        grid = itertools.product(*axes[:3], [middle.workload])
        found = [WorkloadCell(*values) for values in grid]
    else:
        fields = zip(WorkloadCell._fields[:3], axes[:3], strict=True)
        found = [middle._replace(**{name: v}) for name, axis in fields for v in axis]
    found += [middle._replace(workload=w) for w in settings["workloads"]]
    return list(dict.fromkeys(found))


def _race_all(
    population: Population,
    cells: list[WorkloadCell],
    settings: dict[str, Any],
    folder: Path,
    tick: Tick,
) -> list[dict[str, Any]]:
    made = random_adapters(population.model, max(c.adapters for c in cells), 8, folder)
    found = []
    for count in sorted({cell.adapters for cell in cells}):
        held = dict(list(made.items())[:count])
        with ways(population.model, held, settings["cache_bytes"], folder) as (ours, contestants):
            people = PersonaUsers(population, ours)
            for cell in (c for c in cells if c.adapters == count):
                tick(f"{cell.workload}, {cell.users} users x {cell.slate}, {count} adapters")
                draw = partial(_draw, people, cell, list(held))
                figures = race(
                    contestants, draw, settings["rounds"], settings["most"], settings["warm"]
                )
                found.append({**cell._asdict(), **figures})
                tick("done", advance=1)
    return found


def _draw(
    people: PersonaUsers, cell: WorkloadCell, adapters: list[str], number: int
) -> list[Request]:
    return requests(people, cell.workload, cell.users, cell.slate, adapters, number)


def _env_part(population: Population, settings: dict[str, Any], peak: float) -> dict[str, Any]:
    """Exposures per second through ``env.step`` for batches of several sizes, turn by turn."""
    sizes = sorted(settings["env_users_full" if settings["full"] else "env_users"])
    engine = LocalEngine(population.model, population.adapters, cache_bytes=settings["cache_bytes"])
    with progress_bar("env.step", settings["env_steps"] + 1) as tick:
        tick("people")
        clocks = [_clock(population, engine, n, crews=min(8, sizes[-1] // n)) for n in sizes]
        for turn in range(settings["env_steps"] + 1):  # the first warms up
            for clock in clocks:
                tick(f"{clock.num_users} users", advance=clock is clocks[-1])
                clock.step(timed=turn > 0)
        rows = [clock.figures(peak) for clock in clocks]
    engine.close()
    found: dict[str, Any] = {"env": rows}
    if len(rows) > 1:
        found["cost_ratio"] = cost_ratio(clocks[-1], clocks[0])
    return found


def _clock(population: Population, engine: LocalEngine, num_users: int, crews: int) -> StepClock:
    """Environments of so many users: small ones several, as a single step of theirs is short.

    No two hold the same people, so that users of all sizes have met as many slates.
    """
    parts = [crowd(population, num_users, first=num_users * number) for number in range(crews)]
    return StepClock([PersonaUsers(part, engine) for part in parts], slate=5)


def _memory_part(population: Population, settings: dict[str, Any], _: float) -> dict[str, Any]:
    """Long-term memories side by side."""
    sizes = MemorySizes(**settings["memory"])
    with progress_bar("memory", 1) as tick:
        tick(f"{sizes.users} users x {sizes.kept} decisions")
        found = race_memories(sizes, settings["rounds"])
        tick("done", advance=1)
    return {"memory": found}


def _ray_part(population: Population, settings: dict[str, Any], _: float) -> dict[str, Any]:
    """The engine here, on one worker and on several."""
    sizes = ShardSizes(**settings["ray"])
    with progress_bar("ray", 1) as tick:
        tick("starting workers")
        found = race_workers(population, sizes, tick)
        tick("done", advance=1)
    return {"ray": found}


def _crowd_part(population: Population, settings: dict[str, Any], _: float) -> dict[str, Any]:
    """People on disk, some of them awake."""
    sizes = CrowdSizes(**settings["crowd"])
    engine = None
    if settings["crowd_model"]:
        adapters, held = population.adapters, settings["cache_bytes"]
        engine = LocalEngine(population.model, adapters, cache_bytes=held)
    with progress_bar("crowd", 1) as tick:
        found = race_crowd(population, sizes, tick, engine)
        tick("done", advance=1)
    return {"crowd": found}


def _soak_part(population: Population, settings: dict[str, Any], _: float) -> dict[str, Any]:
    """One process asked for long."""
    sizes = SoakSizes(**settings["soak"])
    with progress_bar("soak", TENTHS) as tick:
        return {"soak": soak(population, sizes, settings["cache_bytes"], tick)}


_PARTS = {
    "race": _race_part,
    "env": _env_part,
    "memory": _memory_part,
    "ray": _ray_part,
    "crowd": _crowd_part,
    "soak": _soak_part,
}
