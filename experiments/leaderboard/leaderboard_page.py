"""The board as tables, for a terminal and for Markdown."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from experiments.reporting.formatting import NONE, interval, listed, number
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table

_NO_ORDER = "no order"
_TABLES = {
    "policies": (
        "Policies",
        ["place", "policy", "author", "score", "95 % CI", "true stars"],
        "stars",
    ),
    "users": ("User models", ["place", "users", "author", "tau", "95 % CI", "RMSE"], "rmse"),
}


def markdown(record: Record) -> str:
    """The page ``report.md``."""
    results = record.results
    parts = [f"# {markdown_text(answer(results))}\n", markdown_text(note(results))]
    for key, (title, heads, _) in _TABLES.items():
        parts += [f"\n## {title}\n", markdown_table(heads, rows(results, key))]
    parts += [f"\n{markdown_text(one)}" for one in unordered(results)]
    return "\n".join(parts) + "\n\n" + record.command


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """The tables and the answer for a terminal."""
    tables = [
        text_table(heads, rows(results, key), title, num_texts=3)
        for key, (title, heads, _) in _TABLES.items()
    ]
    return [*tables, Text(answer(results), style="bold"), *unordered(results), note(results)]


def rows(results: Mapping[str, Any], key: str) -> list[list[str]]:
    """The lines of one table, best first."""
    further = _TABLES[key][2]
    return [
        [
            NONE if one["place"] is None else str(one["place"]),
            one["name"],
            one["author"],
            _NO_ORDER if one["place"] is None else number(one["score"], 3),
            interval(one["ci95"], 3),
            number(one["more"][further], 3),
        ]
        for one in results[key]
    ]


def unordered(results: Mapping[str, Any]) -> list[str]:
    """A sentence a user model that gave all policies the same somewhere."""
    worlds, found = results["rules"]["worlds"], []
    for one in results["users"]:
        if number_of := one["more"]["no_order"]:
            counted = (
                "there is no tau and no place"
                if one["place"] is None
                else "where there is no order, a world counts as 0"
            )
            found.append(
                f"{one['name']} gave all policies the same stars in {number_of} of {worlds} worlds:"
                f" {counted}."
            )
    return found


def answer(results: Mapping[str, Any]) -> str:
    """Whom nobody beats beyond noise."""
    said = []
    for key, noun in (("policies", "policies"), ("users", "user models")):
        first = [one["name"] for one in results[key] if one["place"] == 1]
        if first:
            said.append(f"{noun} that none beats beyond noise: {listed(first)}")
    text = "; ".join(said) or "nobody was ranked"
    return text[0].upper() + text[1:] + "."


def note(results: Mapping[str, Any]) -> str:
    """What the figures are, and whether they may be compared."""
    rules = results["rules"]
    official = (
        f"Board version {rules['version']}, edition {rules['edition']}: figures may be compared"
        " with all of this version and edition."
        if results["official"]
        else "NOT OFFICIAL: rules were changed, so these figures stand beside no others."
    )
    return (
        f"{official} {rules['worlds']} worlds; a policy's score is the share of the way from random"
        f" slates (0) to an oracle's (1), of {rules['players']} true users a world; tau says how"
        f" well {rules['judges']} simulated users a world order {len(results['panel'])} policies by"
        " their slates. A place counts who is better beyond noise (paired by world, Holm), so"
        " several may share one."
    )
