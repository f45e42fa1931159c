"""Runs the stage; the question and the score stand in the package docstring.

Files: ``adapters/`` (a folder an adapter), ``results.json`` and ``config.yaml``.
"""

from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.prompt_style import PromptStyle
from experiments.people.base_models import model_named
from experiments.people.distilled import made_distiller
from experiments.people.persona_adapters import persona_settings, train_personas
from experiments.people.workers import workers_of
from experiments.reporting.result import Result
from experiments.reporting.terminal import TextTable, text_table
from simenv.data.dataset import Dataset
from training.adapters.variants import Variant


def run(cfg: DictConfig) -> Result:
    """Train the variants of ``cfg.experiment.variants`` into ``output_dir/adapters``."""
    workers = workers_of(cfg)
    dataset: Dataset = instantiate(cfg.data)
    trained = train_personas(
        dataset,
        made_distiller(cfg, dataset),
        model_named(cfg.experiment.slm),
        persona_settings(
            cfg, tuple(cfg.experiment.variants), PromptStyle(together=cfg.experiment.together)
        ),
        Path(cfg.output_dir) / "adapters",
        workers,
    )
    adapters = _adapters(trained.variants)
    values = {
        "experiment": cfg.experiment.name,
        "dataset": dataset.name,
        "people": trained.clusters.sizes.tolist(),
        "adapters": adapters,
    }
    return Result(values, lines=[_table(adapters)])


def _adapters(variants: dict[str, Variant]) -> dict[str, dict[str, Any]]:
    """Adapter → its folder below ``output_dir`` and what its card says of the training."""
    kept = ("rows", "first_loss", "last_loss", "seconds")
    return {
        name: {
            "folder": f"adapters/{Path(variant.adapters[name]).name}",
            **{key: card[key] for key in kept},
        }
        for variant in variants.values()
        for name, card in variant.cards.items()
    }


def _table(adapters: dict[str, dict[str, Any]]) -> TextTable:
    heads = ["adapter", "folder", "rows", "first loss", "last loss", "seconds"]
    rows = []
    for name, card in adapters.items():
        losses = f"{card['first_loss']:.3f}", f"{card['last_loss']:.3f}"
        rows.append([name, card["folder"], str(card["rows"]), *losses, f"{card['seconds']:.0f}"])
    return text_table(heads, rows, num_texts=2)
