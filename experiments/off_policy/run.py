"""Runs the check; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.md`` and ``config.yaml`` (resolved).
"""

from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from experiments.off_policy import coverage_table as page
from experiments.off_policy.coverage import CoverageKey, estimate_many, summarise, worth
from experiments.off_policy.logged_world import LoggedWorld, true_value
from experiments.people.people import true_users
from experiments.reporting.progress import progress_bar
from experiments.reporting.result import Result
from experiments.tournament.policies import fitted, make_policy
from recommenders.base import Recommender
from recommenders.off_policy.intervals import Estimate
from simenv.events import FloatArray, IntArray


def run(cfg: DictConfig) -> Result:
    """Check the estimators with ``cfg.experiment.loggers`` and ``targets`` on ``cfg.data``.

    Raises:
        ValueError: the data have no known truth, or too few users.
    """
    world = _world(cfg)
    people = _people(world, cfg.experiment.num_users)
    truth, found = _estimated(cfg.experiment, world, people)
    values = {
        "experiment": cfg.experiment.name,
        "setting": _described(cfg.experiment, world, people),
        "truth": {name: worth(plays) for name, plays in truth.items()},
        "cells": [
            {**key._asdict(), **summarise(estimates, float(truth[key.target].mean()))}
            for key, estimates in found.items()
        ],
    }
    return Result(values, pages={"report.md": page.markdown}, lines=page.lines(values))


def _people(world: LoggedWorld, num_users: int) -> IntArray:
    """Everybody with training rows; half of them at most are drawn for a log."""
    people = np.unique(world.dataset.train.users)
    if len(people) < 2 * num_users:
        raise ValueError(
            f"off_policy wanted at least {2 * num_users} people to draw {num_users} from in every"
            f" repetition, got {len(people)}; raise data.num_users or lower experiment.num_users"
        )
    return people


def _estimated(
    settings: DictConfig, world: LoggedWorld, people: IntArray
) -> tuple[dict[str, FloatArray], dict[CoverageKey, list[Estimate]]]:
    """What every target is worth (num_plays,), and all estimates of it."""
    loggers, targets = (
        {str(name): _fitted(str(name), node, world) for name, node in group.items()}
        for group in (settings.loggers, settings.targets)
    )
    truth = {}
    with progress_bar("truth", total=len(targets)) as tick:
        for name, policy in targets.items():
            tick(f"{name} plays")
            truth[name] = true_value(policy, world, people, settings.truth_plays)
            tick(f"{name} plays", advance=1)
    with progress_bar("logs", total=settings.repetitions) as tick:
        found = estimate_many(
            loggers, targets, world, people, settings.num_users, settings.repetitions, tick
        )
    return truth, found


def _described(settings: DictConfig, world: LoggedWorld, people: IntArray) -> dict[str, Any]:
    return {
        "dataset": world.dataset.name,
        "people": len(people),
        "num_items": world.dataset.num_items,
        "num_users": settings.num_users,
        "slate_size": world.slate_size,
        "repetitions": settings.repetitions,
        "reward": "stars given, 0 if not taken",
    }


def _world(cfg: DictConfig) -> LoggedWorld:
    dataset = instantiate(cfg.data)
    return LoggedWorld(
        dataset, true_users(dataset), instantiate(cfg.env), cfg.env.slate_size, cfg.seed
    )


def _fitted(name: str, node: Any, world: LoggedWorld) -> Recommender:
    return fitted(make_policy(name, node), world.dataset.catalog, world.dataset.train)
