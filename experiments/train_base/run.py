"""Trains the pocket model on synthetic worlds, or on a log's people who are never evaluated.

Files: ``pocket/`` (checkpoint and ``model/``), ``results.json`` and ``config.yaml``.
"""

from hydra.utils import instantiate
from omegaconf import DictConfig

from experiments.people.base_models import train_pocket
from experiments.reporting.result import Result


def run(cfg: DictConfig) -> Result:
    """Train into ``output_dir/pocket``; a stopped run goes on where it was."""
    settings = cfg.experiment
    base = train_pocket(cfg, instantiate(cfg.data) if settings.worlds == "log" else None)
    return Result(
        {"experiment": settings.name, "worlds": settings.worlds, "training": base.training}
    )
