"""Runs the stage; the question and the score stand in the package docstring."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance, public_text
from experiments.reporting.report import write_json
from simenv.data.dataset import Dataset
from training.distillation.chains import batches_of
from training.distillation.ledger import Spending
from training.distillation.offline import OfflineDistiller
from training.distillation.with_model import DistillationReport, OpenAIDistiller

Distiller = OfflineDistiller | OpenAIDistiller


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Distil the training rows of ``cfg.data``, or say what that would cost.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    dataset: Dataset = instantiate(cfg.data)
    distiller: Distiller = instantiate(cfg.distiller)(dataset.catalog, dataset.averages)
    head = {
        "experiment": cfg.experiment.name,
        "dataset": dataset.name,
        "distiller": _name(distiller),
        "dry_run": cfg.experiment.dry_run,
        "num_users": dataset.num_users,
        "num_ratings": len(dataset.train),
    }
    if cfg.experiment.dry_run:
        found = _estimate(distiller, dataset)
    else:
        report = distil_with_progress(distiller, dataset)
        _write_people(output_dir / "people.jsonl", dataset, report)
        found = _counts(report)
    results = {**head, **found, "provenance": provenance(config, started)}
    write_json(output_dir / "results.json", results)
    _show({**head, **found})
    return results


def distil_with_progress(distiller: Distiller, dataset: Dataset) -> DistillationReport:
    """Distil the training rows with either distiller, showing progress and cost."""
    if isinstance(distiller, OfflineDistiller):
        free = Spending(0, 0, 0, 0, 0.0, 0.0, 0, None)
        return DistillationReport(distiller.distil(dataset.train), {}, {}, free)
    with progress_bar("distil", total=_num_batches(dataset)) as tick:
        return distiller.distil_with_report(dataset.train, tick)


def _num_batches(dataset: Dataset) -> int:
    return sum(len(batches) for batches in batches_of(dataset.train).values())


def _name(distiller: Distiller) -> str:
    return "offline" if isinstance(distiller, OfflineDistiller) else distiller.settings.model


def _estimate(distiller: Distiller, dataset: Dataset) -> dict[str, Any]:
    if isinstance(distiller, OfflineDistiller):
        return {"estimate": {"requests": 0, "cost": 0.0}}
    return {"estimate": distiller.estimate(dataset.train)._asdict()}


def _counts(report: DistillationReport) -> dict[str, Any]:
    return {
        "told_by_model": len(report.sections),
        "failures": {str(user): public_text(why) for user, why in report.failures.items()},
        "spending": report.spending._asdict(),
    }


def _write_people(path: Path, dataset: Dataset, report: DistillationReport) -> None:
    offsets = dataset.train.offsets()
    with path.open("w", encoding="utf-8") as file:
        for user, persona in enumerate(report.distilled.personas):
            line = {
                "user": dataset.user_ids[user],
                "told_by": "model" if user in report.sections else "offline",
                **asdict(persona),
                "sections": report.sections.get(user),
                "failure": public_text(report.failures[user]) if user in report.failures else None,
                "reasons": report.distilled.reasons[offsets[user] : offsets[user + 1]],
            }
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def _show(results: dict[str, Any]) -> None:
    table = Table(title=f"Distilling {results['num_users']} people of {results['dataset']}")
    table.add_column("what")
    table.add_column("value", justify="right")
    told = {k: v for k, v in results.items() if k not in ("estimate", "spending", "failures")}
    told |= results.get("estimate", {}) | results.get("spending", {})
    if "failures" in results:
        told["failures"] = len(results["failures"])
    for name, value in told.items():
        text = f"{value:,.4f}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), text)
    console = Console()
    console.print(table)
    for user, why in list(results.get("failures", {}).items())[:5]:
        console.print(f"user {user} keeps the offline profile: {why}", style="yellow", markup=False)
