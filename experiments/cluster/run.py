"""Runs the stage; the question and the score stand in the package docstring."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from agents.persona import Persona
from experiments.cluster.elbow_figure import elbow_svg
from experiments.reporting.provenance import provenance
from experiments.reporting.report import markup, write_json, write_report
from simenv.data.dataset import Dataset
from simenv.events import FloatArray
from training.distillation.offline import OfflineDistiller
from training.groups.clusters import Clusters, explained_share, find_clusters, random_clusters
from training.groups.ms_vectors import ms_vectors

_DRAWS = 20  # of random groups


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Distil the people of ``cfg.data`` and group them.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    dataset: Dataset = instantiate(cfg.data)
    personas = OfflineDistiller(dataset.catalog, dataset.averages).distil(dataset.train).personas
    genres = dataset.catalog.genre_names
    vectors = ms_vectors(settings.ms, genres, instantiate(cfg.embedder))
    tried = range(1, settings.most + 1)
    clusters = find_clusters(personas, vectors, k=settings.k, tried=tried, seed=cfg.seed)
    clusters.save(output_dir / "clusters.json")
    numbers = np.array([[p.level, *(p.tastes.get(g, 0.0) for g in genres)] for p in personas])
    results = {
        "experiment": settings.name,
        "dataset": dataset.name,
        "num_users": len(personas),
        "ms": settings.ms,
        "k": len(clusters.centroids),
        "k_from": "the elbow" if settings.k is None else "the setting",
        "inertias": {str(k): value for k, value in clusters.inertias.items()},
        "explained": _explained(numbers, clusters, cfg.seed),
        "groups": _groups(personas, numbers, genres, clusters),
        "provenance": provenance(config, started),
    }
    write_json(output_dir / "results.json", results)
    values = {
        **results,
        "debug": cfg.get("debug"),
        "elbow_svg": markup(elbow_svg(clusters.inertias, results["k"])),
        "config_yaml": OmegaConf.to_yaml(OmegaConf.create(results["provenance"]["config"])),
    }
    write_report(output_dir / "report.html", "cluster/report.html", values)
    _tell(results)
    return results


def _explained(numbers: FloatArray, clusters: Clusters, seed: int) -> dict[str, float]:
    """Share of the variance of levels and tastes told by the groups, and by random ones."""
    rng = np.random.default_rng(seed)
    drawn = [random_clusters(clusters.labels, rng) for _ in range(_DRAWS)]
    return {
        "groups": explained_share(numbers, clusters.labels),
        "random_groups": float(np.mean([explained_share(numbers, labels) for labels in drawn])),
    }


def _groups(
    personas: list[Persona], numbers: FloatArray, genres: tuple[str, ...], clusters: Clusters
) -> list[dict[str, Any]]:
    rows = []
    for group, exemplar in enumerate(clusters.exemplars):
        mean = numbers[clusters.labels == group].mean(axis=0)
        order = np.argsort(mean[1:])
        rows.append(
            {
                "group": group,
                "people": int(clusters.sizes[group]),
                "level": float(mean[0]),
                "likes": {genres[g]: float(mean[1 + g]) for g in order[::-1][:3]},
                "dislikes": {genres[g]: float(mean[1 + g]) for g in order[:3]},
                "exemplar": exemplar.profile,
            }
        )
    return rows


def _tell(results: dict[str, Any]) -> None:
    table = Table(title=f"{results['k']} groups of {results['num_users']} people")
    for name in ("group", "people", "level", "likes", "dislikes"):
        table.add_column(name, justify="right" if name in ("people", "level") else "left")
    for row in results["groups"]:
        told = [
            ", ".join(f"{g} {v:+.2f}" for g, v in row[x].items()) for x in ("likes", "dislikes")
        ]
        table.add_row(str(row["group"]), str(row["people"]), f"{row['level']:+.2f}", *told)
    Console().print(table)
