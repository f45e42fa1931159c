"""Tries every setting of a grid; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.md`` and ``config.yaml`` (resolved).
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from experiments.reporting.formatting import rounded_ends
from experiments.reporting.progress import progress_bar
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Result
from experiments.tournament.policies import fitted, make_policy
from recommenders.base import Recommender
from recommenders.evaluation.ranking_metrics import user_metrics
from recommenders.evaluation.statistics import paired_contrast
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.events import FloatArray

Settings = dict[str, Any]
Grid = dict[str, list[Any]]


def run(cfg: DictConfig) -> Result:
    """Tune the policies of ``cfg.experiment.grids`` on the training rows of ``cfg.data``.

    Raises:
        ValueError: a grid names a policy or an argument that is not configured.
    """
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    grids, nodes = config["experiment"]["grids"], config["recommender"]
    _check_grids(grids, nodes)
    data = training_part(instantiate(cfg.data), cfg.experiment.fraction)
    values = {
        "experiment": cfg.experiment.name,
        "dataset": data.name,
        "rows": {"learnt_from": len(data.train), "validation": len(data.test)},
        "policies": _tuned(grids, nodes, data, cfg.experiment),
    }
    pages = {"report.md": lambda record: f"{markdown(values)}\n{record.command}"}
    return Result(values, pages=pages, lines=[markdown(values)])


def _check_grids(grids: Mapping[str, Grid], nodes: Mapping[str, Settings]) -> None:
    for name, grid in grids.items():
        if name not in nodes:
            raise ValueError(
                f"experiment.grids tunes {name}, which is none of recommender=[{','.join(nodes)}];"
                " add it there, or give grids of these alone: 'experiment.grids={NAME: {ARGUMENT:"
                " [VALUE, …]}}'"
            )
        if unknown := sorted(set(grid) - set(nodes.get(name, {}))):
            raise ValueError(
                f"experiment.grids names {name}.{unknown[0]}, which is not configured; add"
                f" recommender=[{name}] or correct the argument"
            )


def _tuned(
    grids: Mapping[str, Grid], nodes: Mapping[str, Settings], data: Dataset, experiment: Any
) -> dict[str, Any]:
    """Policy → its best settings, after every setting of its grid was tried."""
    total = sum(len(list(_settings(nodes[name], grid))) for name, grid in grids.items())
    found = {}
    with progress_bar("settings", total=total) as tick:
        for name, grid in grids.items():
            tried: list[tuple[Settings, FloatArray]] = []
            for settings in _settings(nodes[name], grid):
                tick(f"{name} {_in_words(settings)}")
                policy = make_policy(name, nodes[name] | settings)
                tried.append((settings, validate(policy, data, experiment)))
                tick(f"{name} {_in_words(settings)}", advance=1)
            found[name] = _summarise(tried)
    return found


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
    fitted(policy, data.catalog, data.train)
    return user_metrics(policy, data, experiment.top, experiment.min_rating).ndcg


def _settings(node: Settings, grid: Grid) -> Iterator[Settings]:
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
    return {
        "best": best[0],
        "configured": configured[0],
        "difference": round(contrast.mean, 5),
        "ci95": rounded_ends(contrast.low, contrast.high, 5),
        "tried": [{"settings": s, "ndcg": round(float(v.mean()), 5)} for s, v in tried],
    }


def markdown(results: Mapping[str, Any]) -> str:
    """One table: best and configured settings of every policy with their NDCG."""
    rows = []
    for name, found in results["policies"].items():
        ndcg = {_in_words(t["settings"]): f"{t['ndcg']:.4f}" for t in found["tried"]}
        low, high = (f"{v:+.4f}" if v is not None else "-" for v in found["ci95"])
        rows.append(
            [
                name, _in_words(found["best"]), ndcg[_in_words(found["best"])],
                _in_words(found["configured"]), ndcg[_in_words(found["configured"])],
                f"{found['difference']:+.4f} ({low} to {high})", str(len(found["tried"])),
            ]
        )  # fmt: skip
    heads = ["policy", "best", "NDCG", "configured", "NDCG", "difference, 95 % CI", "tried"]
    return (
        f"# Best settings on the {markdown_text(results['dataset'])}\n\n"
        f"{results['rows']['learnt_from']:,} rows learnt from, {results['rows']['validation']:,}"
        f" later ones to validate.\n\n{markdown_table(heads, rows)}"
    )


def _in_words(settings: Settings) -> str:
    return ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
                     for key, value in settings.items())  # fmt: skip
