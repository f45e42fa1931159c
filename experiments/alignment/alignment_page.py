"""The card as a page: the word first, what it stands on, then three headings of tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from experiments.alignment.alignment_figures import calibration_svg, stars_svg
from experiments.alignment.alignment_figures import curve as curve
from experiments.alignment.alignment_tables import (
    Table,
    counterfactual,
    gate_table,
    human,
    predictor_rows,
    statistical,
)
from experiments.alignment.asked import BIAS
from experiments.reporting.claims import compare_all
from experiments.reporting.formatting import listed
from experiments.reporting.parts import failed_parts
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table

_MEANS = {
    "pass": "every measure passes",
    "warn": "gym.make warns whoever uses them",
    "fail": "gym.make refuses them unless allow_low_fidelity=True",
    "unknown": "too few ratings were asked about to judge them",
}
_UNKNOWN_TRUTH = (
    "Nobody knows what these people think of items that they never met; only a world whose truth is"
    " known can say it. Errors on rare items, above, come nearest."
)


def answer(results: Mapping[str, Any]) -> str:
    """The word, and how the people stand to the predictors."""
    word = results["gate"]["word"]
    table = results["statistical_alignment"]["predictors"]
    others = {n: own["difference_ci95"] for n, own in table.items() if "difference_ci95" in own}
    stand = compare_all(others, more="worse than", less="better than")
    return (
        f'The gate says "{word}": {_MEANS[word]}. By RMSE these people are {listed(stand)}.'
        if word != "unknown"
        else f"These people are not judged: {_MEANS[word]}."
    )


def headings(results: Mapping[str, Any]) -> list[tuple[str, str, list[Table]]]:
    """Title, note and tables of each of the three."""
    unknown = "" if results["counterfactual"] else _UNKNOWN_TRUTH
    return [
        ("Statistical alignment", "", statistical(results)),
        ("Human-likeness", "", human(results)),
        ("Counterfactual", unknown, counterfactual(results)),
    ]


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    values = {
        **{key: results[key] for key in ("dataset", "users", "debug")},
        "answer": answer(results),
        "gate": gate_table(results["gate"]),
        "headings": headings(results),
        "calibration_svg": markup(calibration_svg(results)),
        "stars_svg": markup(stars_svg(results)),
        "failures": failed_parts(results["failures"]),
        "bias": BIAS,
    }
    return filled("alignment/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown, without pictures."""
    results = record.results
    parts = [f"# {markdown_text(answer(results))}\n", _markdown(gate_table(results["gate"]))]
    if results["failures"]:
        parts.append(f"**{markdown_text(failed_parts(results['failures']))}**\n")
    for title, note, tables in headings(results):
        parts += [f"## {title}\n", *([f"{note}\n"] if note else []), *map(_markdown, tables)]
    return "\n".join([*parts, record.command])


def _markdown(table: Table) -> str:
    return f"### {markdown_text(table.caption)}\n\n{markdown_table(table.heads, table.rows)}"


def lines(results: Mapping[str, Any], saved: Path | None) -> list[RenderableType]:
    """The gate and the predictors for a terminal."""
    tables = gate_table(results["gate"]), predictor_rows(results)
    failed = failed_parts(results["failures"])
    return [
        *(text_table(table.heads, table.rows, table.caption) for table in tables),
        *([Text(failed, style="bold red")] if failed else []),
        Text(answer(results), style="bold"),
        *([Text(f"The people with their card: {saved}", style="dim")] if saved else []),
    ]
