"""Runs the stage; the question and the score stand in the package docstring.

Files: ``clusters.json`` (the centroids), ``results.json``, ``report.html``, ``report.md`` and
``config.yaml``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.embedding import Vectors
from agents.persona import Persona
from experiments.cluster.elbow_figure import elbow_svg
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record, Result
from experiments.reporting.terminal import text_table
from simenv.data.dataset import Dataset
from simenv.events import FloatArray
from training.collaborative import space_of
from training.distillation.offline import OfflineDistiller
from training.groups.clusters import Clusters, explained_share, find_clusters, random_clusters
from training.groups.ms_vectors import ms_vectors
from training.groups.quality import Quality, cluster_quality

_DRAWS = 20  # of random groups
QUALITY = ["groups of", "silhouette", "same with another seed", "as known"]
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
        "quality": _quality(dataset, vectors(personas), len(clusters.centroids)),
        "groups": _groups(personas, numbers, genres, clusters),
    }
    title = f"{values['k']} groups of {values['num_users']} people"
    table = text_table(HEADS, rows(values["groups"]), title, num_texts=3)
    told = text_table(QUALITY, quality_rows(values["quality"]), "how good such groups are")
    lines = [table, told] if values["quality"] else [table]  # one group is as good as none
    return Result(values, pages={"report.html": html, "report.md": markdown}, lines=lines)


def _quality(dataset: Dataset, ms: Vectors, k: int) -> dict[str, dict[str, float | None]]:
    """Quality of so many groups of Ms, and of who agrees with whom; None where it is not known.

    Where people are too much alike for so many groups, the name says so and nothing is known.
    """
    if k < 2:
        return {}
    known = getattr(dataset.truth, "groups", None)  # of worlds in which people form some
    ratings = space_of(dataset).place(dataset.train).vectors
    found: dict[str, dict[str, float | None]] = {}
    for name, points in (("Ms", np.asarray(ms, dtype=np.float64)), ("ratings", ratings)):
        distinct = len(np.unique(points, axis=0))
        if distinct < k:
            found[f"{name} ({distinct} differ)"] = dict.fromkeys(Quality._fields)
            continue
        figures = cluster_quality(points, k, known=known)._asdict()
        found[name] = {n: None if np.isnan(x) else x for n, x in figures.items()}
    return found


def quality_rows(quality: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    """A row for what groups are made of, for terminal and page."""
    return [
        [name, *("" if value is None else f"{value:.3f}" for value in figures.values())]
        for name, figures in quality.items()
    ]


def _quality_told(quality: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    if not quality:
        return []
    return ["## How good such groups are\n", markdown_table(QUALITY, quality_rows(quality))]


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
        "quality_heads": QUALITY,
        "quality_rows": quality_rows(results["quality"]),
        "elbow_svg": markup(elbow_svg(inertias, results["k"], results["num_users"])),
    }
    return filled("cluster/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown, without the picture."""
    results = record.results
    share = 100 * results["explained"]["groups"]
    title = f"{results['k']} groups, by {results['k_from']}; they explain {share:.0f} %"
    exemplars = [[str(group["group"]), group["exemplar"]] for group in results["groups"]]
    return "\n".join(
        [
            f"# {markdown_text(f'{title} of the variance of levels and tastes')}\n",
            "## The groups\n",
            markdown_table(HEADS, rows(results["groups"])),
            *_quality_told(results["quality"]),
            "## The person nearest to each centre\n",
            markdown_table(["group", "profile"], exemplars),
            record.command,
        ]
    )
