"""Runs the stage; the question and the score stand in the package docstring.

Files: ``people.jsonl`` (one person a line; not in a dry run), ``results.json`` and ``config.yaml``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import RenderableType
from rich.text import Text

from experiments.people.distilled import Distiller, distil, made_distiller
from experiments.people.workers import workers_of
from experiments.reporting.provenance import public_text
from experiments.reporting.result import Result
from experiments.reporting.terminal import text_table
from simenv.data.dataset import Dataset
from training.distillation.in_words.words_distiller import WordsDistiller
from training.distillation.tellers import Teller
from training.distillation.with_model import DistillationReport

_SHOWN_FAILURES = 5


def run(cfg: DictConfig) -> Result:
    """Distil the training rows of ``cfg.data``, or say what that would cost."""
    dataset: Dataset = instantiate(cfg.data)
    distiller = made_distiller(cfg, dataset)
    values = {
        "experiment": cfg.experiment.name,
        "dataset": dataset.name,
        "distiller": _name(distiller),
        "dry_run": cfg.experiment.dry_run,
        "num_users": dataset.num_users,
        "num_ratings": len(dataset.train),
    }
    if cfg.experiment.dry_run:
        values["estimate"] = _estimate(distiller, dataset)
        return Result(values, lines=_lines(values))
    report = distil(distiller, dataset, workers_of(cfg))
    values |= _counts(report)
    sections = dict(report.sections)
    if isinstance(distiller, WordsDistiller):
        sections = {u: ms._asdict() for u, ms in enumerate(distiller.sections(dataset.train))}
    people = "".join(f"{line}\n" for line in _people(dataset, report, sections))
    return Result(values, pages={"people.jsonl": people}, lines=_lines(values))


def _name(distiller: Distiller) -> str:
    return public_text(distiller.name)


def _estimate(distiller: Distiller, dataset: Dataset) -> dict[str, Any]:
    if isinstance(distiller, Teller):
        return {"requests": 0, "cost": 0.0}
    return distiller.estimate(dataset.train)._asdict()


def _counts(report: DistillationReport) -> dict[str, Any]:
    return {
        "told_by_model": len(report.sections),
        "failures": {str(user): public_text(why) for user, why in report.failures.items()},
        "spending": report.spending._asdict(),
    }


def _people(
    dataset: Dataset, report: DistillationReport, sections: Mapping[int, Mapping[str, str]]
) -> Iterator[str]:
    """One JSON object a user; ``sections`` of Ms where there are any."""
    offsets = dataset.train.offsets()
    for user, persona in enumerate(report.distilled.personas):
        line = {
            "user": dataset.user_ids[user],
            "told_by": "model" if user in report.sections else "offline",
            **asdict(persona),
            "sections": sections.get(user),
            "failure": public_text(report.failures[user]) if user in report.failures else None,
            "reasons": report.distilled.reasons[offsets[user] : offsets[user + 1]],
        }
        yield json.dumps(line, ensure_ascii=False, allow_nan=False)


def _lines(values: dict[str, Any]) -> list[RenderableType]:
    failures = values.get("failures", {})
    nested = ("estimate", "spending", "failures")
    shown = {key: value for key, value in values.items() if key not in nested}
    shown |= values.get("estimate", {}) | values.get("spending", {})
    if "failures" in values:
        shown["failures"] = len(failures)
    rows = [(key.replace("_", " "), _text(value)) for key, value in shown.items()]
    title = f"Distilling {values['num_users']} people of {values['dataset']}"
    table = text_table(["what", "value"], rows, title)
    return [
        table,
        *(
            Text(f"user {user} keeps the offline profile: {why}", style="yellow")
            for user, why in list(failures.items())[:_SHOWN_FAILURES]
        ),
    ]


def _text(value: Any) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else str(value)
