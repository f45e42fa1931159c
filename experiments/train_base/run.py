"""Trains the pocket model on synthetic worlds, or on a log's people who are never evaluated.

Files: ``pocket/`` (checkpoint and ``model/``), ``results.json`` and ``config.yaml``.
"""

from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.inference.local.loading import load_model
from agents.population.population import POCKET, Population
from experiments.people.base_models import pocket_config, train_pocket
from experiments.reporting.result import Result
from experiments.reporting.terminal import text_table
from simenv.data.worlds.reading_world import reading_world
from training.base.unseen_losses import unseen_losses

_HEADS = ["world", "asked about", "predictor", "log loss", "RMSE"]


def run(cfg: DictConfig) -> Result:
    """Train into ``output_dir/pocket``; a stopped run goes on where it was."""
    settings = cfg.experiment
    base = train_pocket(cfg, instantiate(cfg.data) if settings.worlds == "log" else None)
    values = {"experiment": settings.name, "worlds": settings.worlds, "training": base.training}
    unseen = _unseen(cfg, base.model)
    if not unseen:
        return Result(values)
    rows = [
        [world, asked, name, f"{found['log_loss']:.3f}", f"{found['rmse']:.3f}"]
        for world, parts in unseen.items()
        for asked, predictors in parts.items()
        for name, found in predictors.items()
    ]
    return Result({**values, "unseen": unseen}, lines=[text_table(_HEADS, rows, "Unseen worlds")])


def _unseen(cfg: DictConfig, model: str) -> dict[str, Any]:
    """Losses of this base and of the shipped one in every unseen world."""
    worlds = cfg.experiment.unseen_reading_worlds
    if not worlds:
        return {}
    cpu = torch.device("cpu")
    bases = {
        "this base": (*load_model(model, cpu, "float32"), pocket_config(cfg).style),
        "shipped base": (
            *load_model(str(POCKET / "model"), cpu, "float32"),
            Population.load(POCKET).style,
        ),
    }
    return {str(seed): unseen_losses(bases, reading_world(seed)) for seed in worlds}
