"""Runs the races; the question and the score stand in the package docstring."""

import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf

from agents.inference.engine import Request
from agents.persona_users import PersonaUsers
from agents.population import Population
from experiments.progress import Tick, progress_bar
from experiments.provenance import provenance
from experiments.report import write_json
from experiments.throughput.baseline import compare, ratios, regressions
from experiments.throughput.crowds import crowd
from experiments.throughput.memories import MemorySizes, race_memories
from experiments.throughput.tables import tell
from experiments.throughput.timing import peak_flops, peak_memory, race, step_rate
from experiments.throughput.ways import random_adapters, ways
from experiments.throughput.workloads import WORKLOADS, requests


class Cell(NamedTuple):
    """One setting of the race."""

    adapters: int
    users: int
    slate: int
    workload: str


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Race the ways of asking; returns what ``results.json`` holds."""
    started = datetime.now(UTC)
    settings: dict[str, Any] = OmegaConf.to_container(cfg.experiment, resolve=True)  # type: ignore[assignment]
    place = settings["population"]
    population = Population.load(place) if place else Population.shipped()
    cells = _cells(settings, len(population.personas))
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar("throughput", len(cells) + 2) as tick,
    ):
        results = {
            "experiment": settings["name"],
            "model": Path(population.model).name,
            "threads": torch.get_num_threads(),
            "peak_flops": peak_flops(),
            "cells": _race_all(population, cells, settings, Path(folder), tick),
            "env": _steps(population, settings, tick),
            "memory": _memories(settings, tick),
            "peak_memory_bytes": peak_memory(),
        }
    results["floor"] = _floor(results)
    results["provenance"] = provenance(OmegaConf.to_container(cfg, resolve=True), started)  # type: ignore[arg-type]
    changes = compare(ratios(results), settings["baseline"]) if settings["baseline"] else []
    results["changes"] = [{**c._asdict(), "relative": c.relative} for c in changes]
    worse = regressions(changes, settings["tolerance"])
    results["regressions"] = [change.what for change in worse]
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    write_json(output_dir / "baseline.json", {"ratios": ratios(results)})
    tell(results, worse, output_dir)
    return results


def _cells(settings: dict[str, Any], num_users: int) -> list[Cell]:
    """The whole matrix, or its cross through the middle: one axis at a time."""
    users = sorted({min(u, num_users) for u in settings["users"]})
    adapters, slates = settings["adapters"], settings["slates"]
    if settings["full"]:
        grid = [Cell(a, u, s, "uniform") for a in adapters for u in users for s in slates]
        return grid + [Cell(adapters[1], users[0], 5, w) for w in WORKLOADS if w != "uniform"]
    middle = Cell(adapters[1], users[0], 5, "uniform")
    cross = [middle._replace(adapters=a) for a in adapters]
    cross += [middle._replace(slate=s) for s in slates]
    cross += [middle._replace(workload=w) for w in WORKLOADS]
    return list(dict.fromkeys(cross))


def _race_all(
    population: Population, cells: list[Cell], settings: dict[str, Any], folder: Path, tick: Tick
) -> list[dict[str, Any]]:
    made = random_adapters(population.model, max(c.adapters for c in cells), 8, folder)
    found = []
    for count in sorted({cell.adapters for cell in cells}):
        held = dict(list(made.items())[:count])
        ours, contestants = ways(population.model, held, settings["cache_bytes"])
        people = PersonaUsers(population, ours)
        for cell in (c for c in cells if c.adapters == count):
            tick(f"{cell.workload}, {cell.users} users x {cell.slate}, {count} adapters")

            draw = partial(_draw, people, cell, list(held))
            figures = race(contestants, draw, settings["rounds"], settings["most"])
            found.append({**cell._asdict(), **figures})
            tick("done", advance=1)
    return found


def _draw(people: PersonaUsers, cell: Cell, adapters: list[str], number: int) -> list[Request]:
    return requests(people, cell.workload, cell.users, cell.slate, adapters, number)


def _steps(population: Population, settings: dict[str, Any], tick: Tick) -> list[dict[str, Any]]:
    """Exposures per second through ``env.step`` for batches of several sizes."""
    from agents.assembly import make_engine

    sizes = sorted(settings["env_users_full" if settings["full"] else "env_users"])
    engine = make_engine(population)
    rates = []
    for n in sizes:
        tick(f"env.step, {n} users")
        people = PersonaUsers(crowd(population, n), engine)
        rates.append(step_rate(people, n, 5, settings["env_steps"], seed=0))
    engine.close()
    tick("done", advance=1)
    return rates


def _memories(settings: dict[str, Any], tick: Tick) -> dict[str, Any]:
    """Long-term memories side by side; fewer users unless the run is a full one."""
    tick("memories")
    sizes = MemorySizes(**settings["memory"])
    if not settings["full"]:
        sizes = sizes._replace(users=min(sizes.users, 1000))
    found = race_memories(sizes, settings["rounds"])
    tick("done", advance=1)
    return found


def _floor(results: dict[str, Any]) -> dict[str, float]:
    peak, reached = results["peak_flops"], results["env"][-1]["flops_per_second"]
    return {"peak_gflops": peak / 1e9, "model_gflops": reached / 1e9, "utilisation": reached / peak}
