"""Trains the pocket model on synthetic worlds, or on a log's people who are never evaluated."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.population.population import SHIPPED
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance
from experiments.reporting.report import write_json
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world
from training.base.log_worlds import LogWorlds
from training.base.pocket_model import PocketConfig
from training.base.pocket_training import PocketTrainer, WorldSource


class Base(NamedTuple):
    """A base model and how it came about."""

    model: str  # folder
    training: dict[str, Any]


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Train into ``output_dir/pocket``; a stopped run goes on where it was.

    Returns:
        What ``results.json`` holds: how the base was trained.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    worlds: WorldSource = drawn_world
    if settings.worlds == "log":
        worlds = worlds_of(instantiate(cfg.data), settings.users_per_world)
    pocket = pocket_config(cfg)
    base = train_base(pocket, output_dir / "pocket", worlds, initial_model(settings.initial))
    results = {
        "experiment": settings.name,
        "worlds": settings.worlds,
        "training": base.training,
        "provenance": provenance(config, started),
    }
    write_json(output_dir / "results.json", results)
    return results


def pocket_config(cfg: DictConfig) -> PocketConfig:
    """The shape and training that the config asks for; ``debug=tiny`` makes both tiny."""
    if cfg.get("debug") == "tiny":
        return PocketConfig.tiny()
    chosen: Any = OmegaConf.to_container(cfg.experiment.pocket, resolve=True)
    return PocketConfig(**chosen)


def initial_model(name: str | None) -> str | None:
    """The model to start from: a folder, ``shipped``, or nothing."""
    return str(SHIPPED / "model") if name == "shipped" else name


def worlds_of(dataset: Dataset, users_per_world: int) -> LogWorlds:
    """Worlds of the people in ``dataset.background``, whom nobody evaluates.

    Raises:
        ValueError: the data set has no background.
    """
    if dataset.background is None:
        raise ValueError(
            f"experiment.worlds=log wanted people outside the evaluated draw, {dataset.name!r} has"
            " none; set data.min_ratings, data.max_ratings or data.num_users, and"
            " data.regime=population"
        )
    return LogWorlds(dataset.catalog, dataset.background, users_per_world)


def train_base(
    config: PocketConfig, folder: Path, worlds: WorldSource, initial: str | None = None
) -> Base:
    """Train the pocket model, or finish a training that was stopped."""
    trainer = PocketTrainer(config, folder, worlds, initial=initial)
    with progress_bar("pocket", total=config.num_steps) as tick:
        tick("training", advance=trainer.step)
        trainer.train(lambda step, loss: tick(f"loss {loss:.3f}", advance=1))
    return Base(
        str(folder / "model"),
        {
            "steps": trainer.step,
            "ratings": trainer.step * config.users_per_step * config.turns_per_user,
            "parameters": sum(p.numel() for p in trainer.model.parameters()),
            "seed": config.seed,
            "last_loss": float(np.mean(trainer.losses[-100:])),
            "training_seconds": round(trainer.seconds),
        },
    )
