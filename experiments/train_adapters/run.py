"""Runs the stage; the question and the score stand in the package docstring."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from agents.prompts import PromptStyle
from experiments.build_population.stages import raft_of
from experiments.distil.run import distil_with_progress
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance
from experiments.reporting.report import write_json
from experiments.train_base.run import initial_model
from simenv.data.dataset import Dataset
from training.adapters.variants import Variant, train_variants
from training.examples.raft import raft_settings
from training.groups.clusters import find_clusters
from training.groups.ms_vectors import ms_vectors


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Train the variants of ``cfg.experiment.variants`` into ``output_dir/adapters``.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    dataset: Dataset = instantiate(cfg.data)
    report = distil_with_progress(
        instantiate(cfg.distiller)(dataset.catalog, dataset.averages), dataset
    )
    vectors = ms_vectors(settings.ms, dataset.catalog.genre_names)
    people = report.distilled.personas
    clusters = find_clusters(people, vectors, k=settings.num_clusters, seed=cfg.seed)
    model = initial_model(settings.slm) or "shipped"
    chosen = raft_settings(**config["experiment"]["raft"])
    raft, _ = raft_of(dataset, model, PromptStyle(), chosen, report)
    with progress_bar("adapters", total=1) as tick:
        variants = train_variants(
            model,
            raft.examples,
            raft.users,
            clusters.labels,
            instantiate(cfg.training),
            output_dir / "adapters",
            seed=cfg.seed,
            names=list(settings.variants),
            on_step=lambda name, step, loss: tick(f"training {name}") if step == 1 else None,
        )
    results = {
        "experiment": settings.name,
        "dataset": dataset.name,
        "people": clusters.sizes.tolist(),
        "adapters": _adapters(variants),
        "provenance": provenance(config, started),
    }
    write_json(output_dir / "results.json", results)
    _show(results["adapters"])
    return results


def _adapters(variants: dict[str, Variant]) -> dict[str, dict[str, Any]]:
    """Adapter → its folder below ``output_dir`` and what its card says of the training."""
    told = ("rows", "first_loss", "last_loss", "seconds")
    return {
        name: {
            "folder": f"adapters/{Path(variant.adapters[name]).name}",
            **{key: card[key] for key in told},
        }
        for variant in variants.values()
        for name, card in variant.cards.items()
    }


def _show(adapters: dict[str, dict[str, Any]]) -> None:
    table = Table("adapter", "folder", "rows", "first loss", "last loss", "seconds")
    for name, card in adapters.items():
        losses = f"{card['first_loss']:.3f}", f"{card['last_loss']:.3f}"
        table.add_row(name, card["folder"], str(card["rows"]), *losses, f"{card['seconds']:.0f}")
    Console().print(table)
