"""Runs the stage; the question and the score stand in the package docstring.

Files: ``clusters.json`` (the centroids), ``results.json``, ``report.html`` and ``config.yaml``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.persona import Persona
from experiments.cluster.elbow_figure import elbow_svg
from experiments.reporting.report import filled, markup
from experiments.reporting.result import Record, Result
from experiments.reporting.terminal import text_table
from simenv.data.dataset import Dataset
from simenv.events import FloatArray
from training.distillation.offline import OfflineDistiller
from training.groups.clusters import Clusters, explained_share, find_clusters, random_clusters
from training.groups.ms_vectors import ms_vectors

_DRAWS = 20  # of random groups
HEADS = ["group", "likes most", "likes least", "people", "level ★"]


def run(cfg: DictConfig) -> Result:
    """Distil the people of ``cfg.data`` and group them."""
    settings = cfg.experiment
    dataset: Dataset = instantiate(cfg.data)
    personas = OfflineDistiller(dataset.catalog, dataset.averages).distil(dataset.train).personas
    genres = dataset.catalog.genre_names
    vectors = ms_vectors(settings.ms, genres, instantiate(cfg.embedder))
    tried = range(1, settings.most + 1)
    clusters = find_clusters(personas, vectors, k=settings.k, tried=tried, seed=cfg.seed)
    clusters.save(Path(cfg.output_dir) / "clusters.json")
    numbers = np.array([[p.level, *(p.tastes.get(g, 0.0) for g in genres)] for p in personas])
    values = {
        "experiment": settings.name,
        "dataset": dataset.name,
        "num_users": len(personas),
        "ms": settings.ms,
        "k": len(clusters.centroids),
        "k_from": "the elbow" if settings.k is None else "the setting",
        "inertias": {str(k): value for k, value in clusters.inertias.items()},
        "explained": _explained(numbers, clusters, cfg.seed),
        "groups": _groups(personas, numbers, genres, clusters),
    }
    title = f"{values['k']} groups of {values['num_users']} people"
    table = text_table(HEADS, rows(values["groups"]), title, num_texts=3)
    return Result(values, pages={"report.html": html}, lines=[table])


def _explained(numbers: FloatArray, clusters: Clusters, seed: int) -> dict[str, float]:
    """Share of the variance of levels and tastes that lies between groups, and random ones."""
    rng = np.random.default_rng(seed)
    drawn = [random_clusters(clusters.labels, rng) for _ in range(_DRAWS)]
    return {
        "groups": explained_share(numbers, clusters.labels),
        "random_groups": float(np.mean([explained_share(numbers, labels) for labels in drawn])),
    }


def _groups(
    personas: list[Persona], numbers: FloatArray, genres: tuple[str, ...], clusters: Clusters
) -> list[dict[str, Any]]:
    found = []
    for group, exemplar in enumerate(clusters.exemplars):
        mean = numbers[clusters.labels == group].mean(axis=0)
        order = np.argsort(mean[1:])
        found.append(
            {
                "group": group,
                "people": int(clusters.sizes[group]),
                "level": float(mean[0]),
                "likes": {genres[g]: float(mean[1 + g]) for g in order[::-1][:3]},
                "dislikes": {genres[g]: float(mean[1 + g]) for g in order[:3]},
                "exemplar": exemplar.profile,
            }
        )
    return found


def rows(groups: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A row a group, for terminal and page."""
    return [
        [
            str(group["group"]),
            *(
                ", ".join(f"{genre} {value:+.2f}" for genre, value in group[side].items())
                for side in ("likes", "dislikes")
            ),
            str(group["people"]),
            f"{group['level']:+.2f}",
        ]
        for group in groups
    ]


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    inertias = {int(k): value for k, value in results["inertias"].items()}
    values = {
        **{key: results[key] for key in ("dataset", "num_users", "ms", "k", "k_from")},
        "debug": results["provenance"]["config"].get("debug"),
        "explained": results["explained"],
        "exemplars": [(group["group"], group["exemplar"]) for group in results["groups"]],
        "heads": HEADS,
        "rows": rows(results["groups"]),
        "elbow_svg": markup(elbow_svg(inertias, results["k"])),
    }
    return filled("cluster/report.html", record, values)
