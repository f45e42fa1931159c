"""The table of the check, for a terminal and for Markdown."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from experiments.reporting.report import markdown_table


def markdown(results: dict[str, Any]) -> str:
    """The answer and one table for every pair of policies."""
    parts = [f"# {answer(results)}\n", _setting(results)]
    for (logger, target), cells in _pairs(results).items():
        parts.append(f"\n## {_heading(results, logger, target)}\n")
        parts.append(markdown_table(HEADS, [row(cell) for cell in cells]))
    return "\n".join(parts) + f"\n`{results['provenance']['command']}`\n"


def tell(results: dict[str, Any], console: Console) -> None:
    """Print the tables and the answer."""
    for (logger, target), cells in _pairs(results).items():
        table = Table(title=_heading(results, logger, target), title_justify="left", box=box.SIMPLE)
        for head in HEADS:
            table.add_column(head, justify="left" if head == HEADS[0] else "right", no_wrap=True)
        for cell in cells:
            table.add_row(*row(cell))
        console.print(table)
    console.print(_setting(results), highlight=False)
    console.print(answer(results), style="bold", highlight=False)


HEADS = ["estimator", "holds", "95 % CI", "bias", "half-width", "size", "warned"]


def row(cell: dict[str, Any]) -> list[str]:
    """One estimator's line."""
    low, high = cell["coverage_ci95"]
    unweighted = cell["estimator"] == "DM"
    return [
        cell["estimator"],
        f"{cell['coverage']:.3f}",
        f"{low:.2f} to {high:.2f}",
        _signed(cell["bias"]),
        _plain(cell["half_width"]),
        "-" if unweighted else f"{cell['effective_size']:.0f}",
        f"{cell['warned']:.0%}",
    ]


def answer(results: dict[str, Any]) -> str:
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


def _setting(results: dict[str, Any]) -> str:
    s = results["setting"]
    return (
        f"{s['repetitions']} logs of {s['num_users']} users drawn from {s['people']}, slates of"
        f" {s['slate_size']} from {s['num_items']} items, reward of a place: {s['reward']}. holds:"
        " share of logs whose 95 % interval holds the truth, with its own interval; size: the"
        " median effective number of shown places (slates for PI); warned: share of logs whose"
        " estimate warns."
    )


def _heading(results: dict[str, Any], logger: str, target: str) -> str:
    truth = results["truth"][target]
    return (
        f"{target}, from logs of {logger} (truth {truth['value']:.3f} ±"
        f" {1.96 * truth['standard_error']:.3f})"
    )


def _pairs(results: dict[str, Any]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in results["cells"]:
        pairs.setdefault((cell["logged_by"], cell["target"]), []).append(cell)
    return pairs


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
