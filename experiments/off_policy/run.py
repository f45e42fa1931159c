"""Runs the check and writes its files; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.md`` and ``config.yaml`` (resolved).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.off_policy import coverage_table as page
from experiments.off_policy.coverage import estimate_many, summarise
from experiments.off_policy.world import World, true_value
from experiments.people.people import true_users
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance
from experiments.reporting.report import write_json
from recommenders.base import Recommender


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Check the estimators with ``cfg.experiment.loggers`` and ``targets`` on ``cfg.data``.

    Returns:
        What ``results.json`` holds.

    Raises:
        ValueError: the data have no known truth, or too few users.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    world = _world(cfg)
    people = np.unique(world.dataset.train.users)
    if len(people) < 2 * settings.num_users:
        raise ValueError(
            f"off_policy wanted at least {2 * settings.num_users} people to draw"
            f" {settings.num_users} from in every repetition, got {len(people)}; raise"
            " data.num_users or lower experiment.num_users"
        )
    loggers, targets = (
        {str(name): _fitted(node, world) for name, node in group.items()}
        for group in (settings.loggers, settings.targets)
    )
    with progress_bar("truth", total=len(targets)) as tick:
        truth = {}
        for name, policy in targets.items():
            tick(f"{name} plays")
            truth[name] = true_value(policy, world, people, settings.truth_plays)
            tick(f"{name} plays", advance=1)
    with progress_bar("logs", total=settings.repetitions) as tick:
        found = estimate_many(
            loggers, targets, world, people, settings.num_users, settings.repetitions, tick
        )
    results = {
        "experiment": settings.name,
        "setting": {
            "dataset": world.dataset.name,
            "people": len(people),
            "num_items": world.dataset.num_items,
            "num_users": settings.num_users,
            "slate_size": world.slate_size,
            "repetitions": settings.repetitions,
            "reward": "stars given, 0 if not taken",
        },
        "truth": {
            name: {
                "value": round(float(plays.mean()), 5),
                "standard_error": round(float(plays.std(ddof=1) / np.sqrt(len(plays))), 5),
            }
            for name, plays in truth.items()
        },
        "cells": [
            {"logged_by": logger, "target": target, "estimator": estimator}
            | summarise(estimates, float(truth[target].mean()))
            for (logger, target, estimator), estimates in found.items()
        ],
        "provenance": provenance(config, started),
    }
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    (output_dir / "report.md").write_text(page.markdown(results), encoding="utf-8")
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(results["provenance"]["config"]))
    (output_dir / "config.yaml").write_text(config_yaml, encoding="utf-8")
    page.tell(results, Console())
    return results


def _world(cfg: DictConfig) -> World:
    dataset = instantiate(cfg.data)
    if dataset.truth is None:
        raise ValueError(
            f"off_policy wanted data whose users' true taste is known, got {dataset.name!r};"
            " use data=synthetic"
        )
    return World(dataset, true_users(dataset), instantiate(cfg.env), cfg.env.slate_size, cfg.seed)


def _fitted(node: Any, world: World) -> Recommender:
    policy: Recommender = instantiate(node)
    return policy.meet_catalog(world.dataset.catalog).fit(world.dataset.train)
