"""The table of the check, for a terminal and for Markdown."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from experiments.reporting.formatting import NONE, number, signed
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table


def markdown(record: Record) -> str:
    """The answer and one table for every pair of policies."""
    results = record.results
    parts = [f"# {markdown_text(answer(results))}\n", markdown_text(_setting(results))]
    for (logger, target), cells in _pairs(results).items():
        parts.append(f"\n## {markdown_text(_heading(results, logger, target))}\n")
        parts.append(markdown_table(HEADS, [row(cell) for cell in cells]))
    return "\n".join(parts) + "\n" + record.command


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """The tables and the answer for a terminal."""
    found: list[RenderableType] = []
    for (logger, target), cells in _pairs(results).items():
        title = _heading(results, logger, target)
        found.append(text_table(HEADS, map(row, cells), title))
    return [*found, _setting(results), Text(answer(results), style="bold")]


HEADS = ["estimator", "coverage", "95 % CI", "bias", "half-width", "size", "warned"]


def row(cell: dict[str, Any]) -> list[str]:
    """One estimator's line."""
    low, high = cell["coverage_ci95"]
    unweighted = cell["estimator"] == "DM"
    return [
        cell["estimator"],
        f"{cell['coverage']:.3f}",
        f"{low:.2f} to {high:.2f}",
        signed(cell["bias"], 3),
        number(cell["half_width"], 3),
        NONE if unweighted else f"{cell['effective_size']:.0f}",
        f"{cell['warned']:.0%}",
    ]


def answer(results: Mapping[str, Any]) -> str:
    """How many of the unwarned estimates cover as they promise, and which do not."""
    weighted = [cell for cell in results["cells"] if cell["estimator"] != "DM"]
    quiet = [cell for cell in weighted if cell["warned"] < 0.5]
    good = [cell for cell in quiet if cell["coverage_ci95"][1] >= 0.95]
    loud = [cell for cell in weighted if cell["warned"] >= 0.5]
    short = sum(cell["coverage_ci95"][1] < 0.95 for cell in loud)
    return (
        f"Of {len(quiet)} weighted estimates that mostly do not warn, {len(good)} cover the truth"
        f" at 95 % within the error of {results['setting']['repetitions']} logs; of {len(loud)}"
        f" that mostly warn, {short} fall short."
    )


def _setting(results: Mapping[str, Any]) -> str:
    s = results["setting"]
    return (
        f"{s['repetitions']} logs of {s['num_users']} users drawn from {s['people']}, slates of"
        f" {s['slate_size']} from {s['num_items']} items, reward of a place: {s['reward']}."
        " Coverage: share of logs whose 95 % interval contains the truth, with its own interval;"
        " size: the median effective number of shown places (slates for PI); warned: share of logs"
        " whose estimate warns."
    )


def _heading(results: Mapping[str, Any], logger: str, target: str) -> str:
    truth = results["truth"][target]
    return (
        f"{target}, from logs of {logger} (truth {truth['value']:.3f} ±"
        f" {1.96 * truth['standard_error']:.3f})"
    )


def _pairs(results: Mapping[str, Any]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in results["cells"]:
        pairs.setdefault((cell["logged_by"], cell["target"]), []).append(cell)
    return pairs
