"""Runs the interviews; the question and the score stand in the package.

Files: ``report.html``, ``table.md``, ``people.csv`` (where populations are asked), ``results.json``
and ``config.yaml``; in a population's own folder ``traits.json``, for the page of a society.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.inference.engine import Engine
from agents.interviews.awareness import awareness
from agents.interviews.conditioning import type_names
from agents.interviews.frames import PLAIN, frame_of
from agents.interviews.instruments import FACTORS
from agents.population.population import Population
from experiments.interviews.dry_run import planned, with_time
from experiments.interviews.interview_page import html, markdown
from experiments.interviews.interview_tables import lines, plan_lines
from experiments.interviews.population_people import (
    COLUMNS,
    interview_people,
    stored,
    summed_up,
)
from experiments.interviews.race import race
from experiments.interviews.settings import Settings
from experiments.interviews.study import study
from experiments.reporting.formatting import rounded
from experiments.reporting.progress import progress_bar
from experiments.reporting.result import Result

_Make = Callable[..., Engine]


def run(cfg: DictConfig) -> Result:
    """Interview every model and the people of every population."""
    settings = Settings.of(cfg)
    if cfg.experiment.dry_run:
        plans = planned(settings, cfg.experiment.tokens_per_second)
        plan = {name: with_time(one) for name, one in plans.items()}
        return Result({"experiment": cfg.experiment.name, "plan": plan}, lines=plan_lines(plan))
    make: _Make = instantiate(cfg.engine)
    models: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    places: dict[str, str] = {}  # of what was measured of a population
    with progress_bar("interviews", len(settings.models) + len(settings.populations)) as tick:
        for name, place in settings.models.items():
            tick(name)
            models[name] = _interview(make, _found(cfg, place), cfg, settings)
            tick(f"{name} done", advance=1)
        for name, folder in settings.populations.items():
            tick(f"people of {name}")
            people = interview_people(make, name, Population.load(folder), settings)
            rows += people.rows
            if cfg.experiment.store:
                places[name] = stored(folder, people)
            tick(f"people of {name} done", advance=1)
    values = {
        "experiment": cfg.experiment.name,
        "models": models,
        "people": summed_up(rows),
        "stored": places,
    }
    frames = {"people.csv": pd.DataFrame(rows, columns=list(COLUMNS))} if rows else {}
    pages = {"report.html": html, "table.md": markdown}
    return Result(values, pages=pages, frames=frames, lines=lines(values))


def _found(cfg: DictConfig, place: str) -> str:
    """The model's folder; a server has its own models."""
    if str(cfg.engine.get("_target_")).endswith("ServerEngine"):
        return place
    from experiments.people.base_models import model_named  # heavy: a language model

    return model_named(place)


def _interview(make: _Make, model: str, cfg: DictConfig, settings: Settings) -> dict[str, Any]:
    engine = make(model)
    try:
        found: dict[str, Any] = {"engine": engine.description, "scripted": _is_scripted(engine)}
        for instrument in settings.instruments:
            found[instrument.scoring] = study(engine, instrument, settings)
        if cfg.experiment.awareness:
            found["awareness"] = _aware(engine, cfg, settings)
    finally:
        engine.close()
    return {**found, "race": race(make, model, settings)}


def _is_scripted(engine: Engine) -> bool:
    return engine.description.startswith("scripted")


def _aware(engine: Engine, cfg: DictConfig, settings: Settings) -> dict[str, Any]:
    """RQ0 for the kinds of test that are asked."""
    found = {}
    frame = frame_of(engine) if settings.chat else PLAIN
    for kind, names in (("types", type_names()), ("factors", tuple(FACTORS))):
        if getattr(settings, kind) is None:
            continue
        embedder = instantiate(cfg.embedder)
        told = awareness(engine, names, embedder, frame, seed=settings.seed)
        found[kind] = {
            "top1": rounded(told.top1),
            "chance": rounded(1 / len(names)),
            "margin": rounded(told.margin),
            "ranks": dict(zip(names, map(int, told.ranks), strict=True)),
            "texts": dict(zip(names, told.texts, strict=True)),
        }
    return found
