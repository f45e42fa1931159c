"""Tries every setting of a grid; the question and the score stand in the package docstring.

Files: ``results.json`` and ``report.md``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance
from experiments.reporting.report import markdown_table, write_json
from recommenders.base import Recommender
from recommenders.evaluation.ranking_metrics import user_metrics
from recommenders.evaluation.statistics import paired_contrast
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.events import FloatArray

Settings = dict[str, Any]


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Tune the policies of ``cfg.experiment.grids`` on the training rows of ``cfg.data``.

    Returns:
        What ``results.json`` holds.

    Raises:
        ValueError: a grid names a policy or an argument that is not configured.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    grids: dict[str, dict[str, list[Any]]] = config["experiment"]["grids"]
    nodes: dict[str, Settings] = config["recommender"]
    for name, grid in grids.items():
        if unknown := sorted(set(grid) - set(nodes.get(name, {}))):
            raise ValueError(
                f"experiment.grids names {name}.{unknown[0]}, which is not configured; add"
                f" recommender=[{name}] or correct the argument"
            )
    data = training_part(instantiate(cfg.data), cfg.experiment.fraction)
    total = sum(len(list(_settings(nodes[name], grid))) for name, grid in grids.items())
    tuned = {}
    with progress_bar("settings", total=total) as tick:
        for name, grid in grids.items():
            tried: list[tuple[Settings, FloatArray]] = []
            for settings in _settings(nodes[name], grid):
                tick(f"{name} {_told(settings)}")
                policy = instantiate(nodes[name] | settings)
                tried.append((settings, validate(policy, data, cfg.experiment)))
                tick(f"{name} {_told(settings)}", advance=1)
            tuned[name] = _summarise(tried)
    results = {
        "experiment": cfg.experiment.name,
        "dataset": data.name,
        "rows": {"learnt_from": len(data.train), "validation": len(data.test)},
        "policies": tuned,
        "provenance": provenance(config, started),
    }
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    text = markdown(results)
    (output_dir / "report.md").write_text(text, encoding="utf-8")
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
    return results


def training_part(dataset: Dataset, fraction: float) -> Dataset:
    """The training rows as a data set of their own; no held-out row is in it.

    Args:
        dataset: not changed.
        fraction: of each user's training rows that are learnt from.
    """
    return split_dataset(
        f"training rows of {dataset.name}",
        dataset.catalog,
        dataset.train,
        dataset.user_ids,
        fraction,
    )


def validate(policy: Recommender, data: Dataset, experiment: Any) -> FloatArray:
    """NDCG of every user with something to find, after a fit on ``data.train``."""
    policy.meet_catalog(data.catalog).fit(data.train)
    return user_metrics(policy, data, experiment.top, experiment.min_rating).ndcg


def _settings(node: Settings, grid: dict[str, list[Any]]) -> Iterator[Settings]:
    """The settings as configured, then the rest of the grid."""
    configured = {key: node[key] for key in grid}
    yield configured
    for values in product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        if settings != configured:
            yield settings


def _summarise(tried: list[tuple[Settings, FloatArray]]) -> dict[str, Any]:
    best = max(tried, key=lambda pair: float(pair[1].mean()))
    configured = tried[0]
    contrast = paired_contrast(best[1], configured[1])
    bounds = [round(v, 5) if np.isfinite(v) else None for v in (contrast.low, contrast.high)]
    return {
        "best": best[0],
        "configured": configured[0],
        "difference": round(contrast.mean, 5),
        "ci95": bounds,
        "tried": [{"settings": s, "ndcg": round(float(v.mean()), 5)} for s, v in tried],
    }


def markdown(results: dict[str, Any]) -> str:
    """One table: best and configured settings of every policy with their NDCG."""
    rows = []
    for name, found in results["policies"].items():
        ndcg = {_told(t["settings"]): f"{t['ndcg']:.4f}" for t in found["tried"]}
        low, high = (f"{v:+.4f}" if v is not None else "-" for v in found["ci95"])
        rows.append(
            [
                name, _told(found["best"]), ndcg[_told(found["best"])],
                _told(found["configured"]), ndcg[_told(found["configured"])],
                f"{found['difference']:+.4f} ({low} to {high})", str(len(found["tried"])),
            ]
        )  # fmt: skip
    heads = ["policy", "best", "NDCG", "configured", "NDCG", "difference, 95 % CI", "tried"]
    return (
        f"# Best settings on the {results['dataset']}\n\n"
        f"{results['rows']['learnt_from']:,} rows learnt from, {results['rows']['validation']:,}"
        f" later ones to validate.\n\n{markdown_table(heads, rows)}\n"
        f"`{results['provenance']['command']}`\n"
    )


def _told(settings: Settings) -> str:
    return ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
                     for key, value in settings.items())  # fmt: skip
