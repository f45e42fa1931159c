"""Makes the index; the question and the files stand in the package docstring."""

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from omegaconf import DictConfig
from rich.text import Text

from experiments.command_line.experiments_said import experiments
from experiments.index.finished_runs import RESULTS, runs_below
from experiments.reporting.formatting import number
from experiments.reporting.markdown import markdown_table, markdown_text
from experiments.reporting.report import filled
from experiments.reporting.result import Record, Result
from experiments.reporting.terminal import text_table

HEADS = ["run", "what it says first", "command", "started", "took, s", "commit",
         "before you believe it"]  # fmt: skip


def run(cfg: DictConfig) -> Result:
    """List the runs below ``cfg.experiment.folder``.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there is no run in it.
    """
    folder, own = Path(cfg.experiment.folder), Path(cfg.output_dir)
    runs, refused = runs_below(folder, own)
    values = {"experiment": cfg.experiment.name, "runs": runs, "no_runs": refused}
    up = os.path.relpath(folder.resolve(), own.resolve())

    def html(record: Record) -> str:
        return _html(record, Path(up).as_posix())

    rows = [[one["folder"], one["experiment"], one["started"][:16]] for one in runs]
    table = text_table(["run", "experiment", "started"], rows, num_texts=3)
    pages = {"index.html": html, "index.md": _markdown}
    return Result(values, pages=pages, lines=[table, Text(_said(values), style="bold")])


def _said(results: Mapping[str, Any]) -> str:
    """How many runs there are, and how many files are none."""
    runs, none = len(results["runs"]), len(results["no_runs"])
    kinds = len({one["experiment"] for one in results["runs"]})
    found = f"{runs} run{'s' * (runs != 1)} of {kinds} experiment{'s' * (kinds != 1)}"
    return f"{found}; {none} {RESULTS} could not be read" if none else found


def _by_experiment(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Experiment → its runs; experiments by their newest run."""
    names = list(dict.fromkeys(one["experiment"] for one in runs))
    order = sorted(runs, key=lambda one: names.index(one["experiment"]))
    return {name: list(own) for name, own in groupby(order, lambda one: one["experiment"])}


def _cells(one: Mapping[str, Any]) -> list[str]:
    return [
        one["folder"],
        one["says"],
        one["command"],
        one["started"][:16].replace("T", " "),
        number(one["seconds"], 0),
        one["commit"],
        "; ".join(one["notes"]),
    ]


def _html(record: Record, up: str) -> str:
    """The page; links lead from where it lies to the reports.

    Args:
        record: of this run.
        up: from the page's folder to that of the runs.
    """
    results, questions = record.results, experiments()
    sections = [
        {
            "name": name,
            "question": questions[name].question if name in questions else "",
            "rows": [(quote(f"{up}/{o['folder']}/{o['report']}"), _cells(o)) for o in runs],
        }
        for name, runs in _by_experiment(results["runs"]).items()
    ]
    values = {
        "said": _said(results),
        "heads": HEADS,
        "sections": sections,
        "no_runs": [[one["file"], one["message"]] for one in results["no_runs"]],
    }
    return filled("index/index.html", record, values)


def _markdown(record: Record) -> str:
    """The same as Markdown."""
    results = record.results
    parts = [f"# {markdown_text(_said(results))}\n"]
    for name, runs in _by_experiment(results["runs"]).items():
        parts += [f"## {markdown_text(name)}\n", markdown_table(HEADS, [_cells(o) for o in runs])]
    if results["no_runs"]:
        rows = [[one["file"], one["message"]] for one in results["no_runs"]]
        parts += ["## Could not be read\n", markdown_table(["file", "what is wrong"], rows)]
    return "\n".join([*parts, record.command])
