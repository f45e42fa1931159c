"""Asks every cell of the table in every draw and regime; question and score: package docstring.

Files: ``adapters/``, ``answers/``, a picture a regime (``REGIME.png``), ``table.md``,
``results.json`` and ``config.yaml``.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.fidelity.error_measures import (
    UserSums,
    calibration_error,
    mae,
    rmse,
    user_auc,
    user_sums,
)
from agents.prompt_style import PromptStyle
from experiments.people.base_models import model_named
from experiments.predictors.plain_predictors import plain_answers
from experiments.rating_fidelity.fidelity_figures import write_figures
from experiments.rating_fidelity.forecast import forecast
from experiments.rating_fidelity.table import Regime, lines, markdown, summarise
from experiments.rating_fidelity.table_cells import MEMORIES, CellSettings, Draw, ask_all
from experiments.reporting.parts import Parts, failed_parts
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.report import markdown_text
from experiments.reporting.result import Result
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, InteractionLog, expected_stars
from simenv.ranges import check_number, check_seed
from simenv.seeding import Stream, generator
from training.adapters.lora_presets import LoraPreset
from training.examples.raft import raft_settings


class Answers(NamedTuple):
    """One draw in one regime: who said what about the same rows."""

    draw: Draw
    dataset: Dataset
    plain: dict[str, FloatArray]  # predictor → (r,) stars


def run(cfg: DictConfig) -> Result:
    """Fill the table: every cell and every plain predictor, per regime.

    Raises:
        TypeError: a setting that is a number is none.
        ValueError: a setting is out of its range, or names a memory or regime that is not there.
    """
    settings, regimes, parts = cfg.experiment, dict[str, Any](), Parts()
    _check(settings)
    if settings.dry_run:
        return _dry_run(cfg)
    with progress_bar("rating fidelity", _num_cells(settings)) as tick:
        expected = _forecast(cfg, tick)
        for regime in settings.regimes:
            found = parts.get(regime, partial(_regime, cfg, regime, tick), None)
            if found is not None:
                regimes[regime] = found
    failed = failed_parts(parts.failures)
    return Result(
        {"experiment": settings.name, "regimes": regimes, "failures": parts.failures, **expected},
        pages={"table.md": markdown(regimes) + (f"**{markdown_text(failed)}**\n" * bool(failed))},
        lines=[*lines(regimes), *([failed] if failed else [])],
        error=parts.error,
    )


def _dry_run(cfg: DictConfig) -> Result:
    """How long the table would take, by a few steps and questions; nothing is kept."""
    settings = cfg.experiment
    if not _num_cells(settings):
        return Result({"experiment": settings.name}, lines=["There is no cell: only predictors."])
    regime = settings.regimes[0]
    of_cells = cell_settings(settings, regime, instantiate(cfg.training))
    expected = forecast(_dataset(cfg, regime, settings.draws[0]), of_cells, settings.draws[0])
    expected = expected.times(len(settings.regimes) * len(settings.draws))
    values = {"experiment": settings.name, "forecast": expected._asdict()}
    return Result(values, lines=[f"It takes {expected}."])


def _forecast(cfg: DictConfig, tick: Tick) -> dict[str, int]:
    """Say how long all will take on a base that is named; the one in the package takes no time."""
    settings, count = cfg.experiment, _num_cells(cfg.experiment)
    named = [r for r in settings.regimes if settings.base[r] not in (None, "shipped")]
    if not named or not count:
        tick(f"{count} cells; how long they take is said after the first")
        return {}
    dataset = _dataset(cfg, named[0], settings.draws[0])
    of_cells = cell_settings(settings, named[0], instantiate(cfg.training))
    expected = forecast(dataset, of_cells, settings.draws[0])
    expected = expected.times(len(named) * len(settings.draws))
    tick(f"{count} cells, {expected}")
    return {"expected_seconds": round(expected.seconds)}


def _check(settings: DictConfig) -> None:
    """Refuse what would fail after hours, before anything is trained or asked."""
    for name in ("num_clusters", "num_facets", "num_resamples"):
        check_number("experiment", name, settings[name], "whole [1, inf)")
    check_number("experiment", "said_rows", settings.said_rows, "whole [0, inf)")
    for seed in settings.draws:
        check_seed("experiment", "draws", seed)
    wanted = {"draws": settings.draws, "regimes": settings.regimes, "cells": settings.cells}
    for name, chosen in wanted.items():
        if not chosen and name != "cells":  # without cells, plain predictors alone
            raise ValueError(f"experiment wanted at least one of {name}, got none; name some")
    known: dict[str, Collection[str]] = {"cells": MEMORIES, "regimes": settings.base}
    for name, names in known.items():
        if unknown := sorted(set(wanted[name]) - set(names)):
            raise ValueError(
                f"experiment wanted {name} among {', '.join(names)}, got {unknown[0]!r}; choose"
                " some of them"
            )


def _regime(cfg: DictConfig, regime: str, tick: Tick) -> dict[str, Any]:
    """All draws of a regime: its rows and contrasts; its picture is written."""
    answers = [_answers(cfg, regime, seed, tick) for seed in cfg.experiment.draws]
    found = summarise(Regime(regime, *_said(answers), cfg.experiment.num_resamples))
    if answers[0].draw.cells:
        write_figures(Path(cfg.output_dir), regime, answers[0].draw, answers[0].dataset)
    return found


def _answers(cfg: DictConfig, regime: str, seed: int, tick: Tick) -> Answers:
    """Train and ask every cell for one draw of users, and fit the plain predictors."""
    dataset = _dataset(cfg, regime, seed)
    of_cells = cell_settings(cfg.experiment, regime, instantiate(cfg.training))
    where = f"{regime} {seed}"

    def announce(text: str, advance: int = 0) -> None:
        tick(f"{where}: {text}", advance=advance)

    plain = plain_answers(dataset, cfg.experiment.baselines)
    if not of_cells.cells:
        return Answers(Draw([], np.zeros(dataset.num_users, dtype=np.int64), {}), dataset, plain)
    return Answers(ask_all(dataset, of_cells, seed, Path(cfg.output_dir), announce), dataset, plain)


def _num_cells(settings: DictConfig) -> int:
    """Cells that are asked in all draws and regimes."""
    one = sum(len(names) for names in settings.cells.values())
    return one * len(settings.draws) * len(settings.regimes)


def cell_settings(settings: DictConfig, regime: str, preset: LoraPreset) -> CellSettings:
    """What the cells of a regime are made with."""
    raft: Any = OmegaConf.to_container(settings.raft, resolve=True)
    return CellSettings(
        base=model_named(settings.base[regime]),
        cells={str(memory): tuple(names) for memory, names in settings.cells.items()},
        preset=preset,
        raft=raft_settings(**raft),
        num_clusters=settings.num_clusters,
        said_rows=settings.said_rows,
        num_facets=settings.num_facets,
        style=PromptStyle(peers=settings.peers, together=settings.together),
    )


def _dataset(cfg: DictConfig, regime: str, seed: int) -> Dataset:
    """The draw; only a log with a protocol has draws and regimes, a synthetic world has seeds."""
    chosen: dict[str, Any] = {"seed": seed}
    if "regime" in cfg.data:
        chosen["regime"] = regime
    dataset: Dataset = instantiate(cfg.data, **chosen)
    most = cfg.experiment.asked_rows
    return dataset if most is None else replace(dataset, test=some_rows(dataset.test, most, seed))


def some_rows(log: InteractionLog, most: int, seed: int) -> InteractionLog:
    """At most so many rows of each user, drawn; in the log's order."""
    order = generator(seed, Stream.ASKED_TEST_ROWS).permutation(len(log))
    users = log.users[order]
    first = np.argsort(users, kind="stable")  # each user's rows, in the order drawn
    starts = np.searchsorted(users[first], users[first])
    return log.take(np.sort(order[first[np.arange(len(log)) - starts < most]]))


def _said(answers: list[Answers]) -> tuple[list[str], list[UserSums], list[dict[str, Any]]]:
    """Names of all predictors, their errors per draw, and what else each said per draw."""
    first = answers[0]
    names = [*first.plain, *(f"{c.adapter} | {c.memory}" for c in first.draw.cells)]
    errors, more = [], []
    for draw, dataset, plain in answers:
        ratings, users = dataset.test.ratings, dataset.test.users
        stars = [*plain.values(), *(expected_stars(c.chances) for c in draw.cells)]
        errors.append(user_sums(np.stack(stars), ratings, users))
        more.append({n: _figures(p, dataset.test) for n, p in plain.items()})
        for name, cell in zip(names[len(plain) :], draw.cells, strict=True):
            more[-1][name] = {
                **_figures(expected_stars(cell.chances), dataset.test),
                **_rounded(cell.chances.argmax(axis=1) + 1.0, ratings),
                "ece": calibration_error(cell.chances, ratings),
                **{f"said_{k}": v for k, v in cell.said._asdict().items()},
            }
    return names, errors, more


def _figures(stars: FloatArray, asked: InteractionLog) -> dict[str, float]:
    """What is told of any predictor beside RMSE and MAE of its stars (r,)."""
    auc = user_auc(stars, asked.ratings, asked.users)
    return {**_rounded(stars, asked.ratings), "uauc": auc}


def _rounded(stars: FloatArray, ratings: FloatArray) -> dict[str, float]:
    """Errors of whole stars: the mode of a distribution, the rounded number of a predictor."""
    error = stars.round() - ratings
    return {"mode_rmse": rmse(error), "mode_mae": mae(error)}
