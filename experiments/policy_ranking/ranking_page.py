"""What the report's template is filled with; the sentences come from ``words``."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from agents.inference.metering.meter import in_words
from experiments.policy_ranking import sentences as words
from experiments.policy_ranking.ranking_figures import (
    means_svg,
    over_time_svg,
    slopes_svg,
    survival_svg,
)
from experiments.reporting.formatting import interval, number
from experiments.reporting.parts import failed_parts
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.tournament import feasibility
from experiments.tournament.tables import (
    AGREEMENT_HEADS,
    CONTRAST_HEADS,
    OFF_POLICY_HEADS,
    SESSION_COLUMNS,
    agreement_rows,
    columns,
    contrast_rows,
    off_policy_notes,
    off_policy_rows,
    ranking_lines,
    rows,
    session_rows,
)

FIDELITY_COLUMNS = {
    "rmse": "RMSE",
    "rmse_ci95": "95 % CI",
    "mae": "MAE",
    "rmse_rounded": "RMSE, whole stars",
    "ece": "calibration error",
    "log_loss": "log loss",
}

SESSION_HEADS = ["policy", *(head for _, head, _ in SESSION_COLUMNS)]

HEAT_COLUMNS = (
    ("mean_rating", "simulated ★", 2),
    ("survival", "still there at the end", 2),
    *(column for column in SESSION_COLUMNS if column[0] != "left_share"),
)


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    values = {
        **{key: results[key] for key in ("dataset", "users", "setting", "debug")},
        **_sentences(results),
        "left_out": left_out(results),
        "pictures": _pictures(results),
        "columns": columns(results),
        "rows": rows(results),
        "session_heads": SESSION_HEADS,
        "session_rows": session_rows(results),
        "contrast_heads": CONTRAST_HEADS,
        "contrast_rows": contrast_rows(results),
        "agreement": words.agreement_sentences(results),
        "agreement_heads": AGREEMENT_HEADS,
        "agreement_rows": [
            [label, *map(_broken_before_the_interval, cells)]
            for label, *cells in agreement_rows(results, words.AGREEMENTS)
        ],
        "heats": [_heat(results, *column) for column in HEAT_COLUMNS],
        "off_policy": results["off_policy"],
        "off_policy_heads": OFF_POLICY_HEADS,
        "off_policy_rows": off_policy_rows(results["off_policy"]) if results["off_policy"] else [],
        "off_policy_notes": off_policy_notes(results["off_policy"]),
        "traces": results["traces"],
        **_fidelity(results["fidelity"]),
        "failures": failed_parts(results["failures"]),
    }
    return filled("policy_ranking/report.html", record, values)


def markdown(record: Record) -> str:
    """The answer and the tables as Markdown, for a pull request or a wiki."""
    results = record.results
    said = {name: markdown_text(text) for name, text in _sentences(results).items()}
    parts = [f"# {said['answer']}\n", f"{said['check']} {said['trust']}\n"]
    if results["users"]["warning"]:
        parts.append(f"**{markdown_text(results['users']['warning'])}**\n")
    if results["failures"]:
        parts.append(f"**{markdown_text(failed_parts(results['failures']))}**\n")
    parts += [
        *(f"{markdown_text(sentence)}\n" for sentence in left_out(results)),
        "## Every policy\n",
        markdown_table(columns(results), _ranking_cells(results)),
        "## What sessions were like\n",
        markdown_table(SESSION_HEADS, session_rows(results)),
        "## Differences between policies\n",
        markdown_table(CONTRAST_HEADS, contrast_rows(results)),
        "## Do the measures agree?\n",
        markdown_table(AGREEMENT_HEADS, agreement_rows(results, words.AGREEMENTS)),
        f"{said['groups']} {said['gain']} {said['stop']}\n",
        record.command,
    ]
    return "\n".join(parts)


def left_out(results: Mapping[str, Any]) -> list[str]:
    """Sentences on the users who could not be asked."""
    return feasibility.sentences(results["setting"].get("left_out", []))


def _ranking_cells(results: Mapping[str, Any]) -> list[list[str]]:
    heads = columns(results)
    return [
        [cells["policy"], error] + [""] * (len(heads) - 2) if error else [cells[h] for h in heads]
        for cells, error in rows(results)
    ]


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table and the sentences for a terminal."""
    first = Text.assemble((words.answer(results), "bold"), " ", words.check(results))
    agreement = [f"{pair}: {verdict}" for pair, verdict in words.agreement_sentences(results)]
    quiet = [
        *left_out(results),
        *agreement,
        words.stop_sentence(results["stop"]),
        in_words(results["engine"]),
    ]
    failed = failed_parts(results["failures"])
    loud = [Text(failed, style="bold red")] if failed else []
    return [*ranking_lines(results), *loud, first, *(Text(line, style="dim") for line in quiet)]


def _sentences(results: Mapping[str, Any]) -> dict[str, str]:
    return {
        "answer": words.answer(results),
        "check": words.check(results),
        "trust": words.trust(results),
        "caveat": words.caveat(results),
        "gain": words.gain_sentence(results),
        "stop": words.stop_sentence(results["stop"]),
        "groups": words.groups_sentence(results),
    }


def _pictures(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures by name; None if nothing was measured."""
    if not any(p["simulated"] for p in results["policies"]):
        return None
    return {
        "means": markup(means_svg(results)),
        "slopes": markup(slopes_svg(results)),
        "over_time": markup(over_time_svg(results)),
        "survival": markup(survival_svg(results)),
    }


def _heat(results: Mapping[str, Any], key: str, title: str, places: int) -> dict[str, Any]:
    """Kinds of people by policies; shade in [-1, 1] = how far from the mean of the row."""
    names = [p["name"] for p in results["policies"] if p["simulated"]]
    table = []
    for group in results["groups"]:
        values = [group["measures"][name][key] for name in names]
        known = [value for value in values if value is not None]
        middle = sum(known) / len(known) if known else 0.0
        widest = max((abs(v - middle) for v in known), default=0.0) or 1.0
        cells = [
            {"text": number(v, places), "shade": 0.0 if v is None else (v - middle) / widest}
            for v in values
        ]
        table.append({"group": group["group"], "num_users": group["num_users"], "cells": cells})
    return {"title": title, "policies": names, "rows": table}


def _fidelity(fidelity: dict[str, Any] | None) -> dict[str, Any]:
    """The table of predictors, the simulated users first as the hook returns them."""
    values: dict[str, Any] = {"fidelity": fidelity, "fidelity_sentence": ""}
    if not fidelity:
        return {**values, "fidelity_heads": [], "fidelity_rows": []}
    predictors: dict[str, dict[str, Any]] = fidelity["predictors"]
    found = {key for row in predictors.values() for key in row}
    keys = [key for key in FIDELITY_COLUMNS if key in found]
    return {
        **values,
        "fidelity_sentence": words.fidelity_sentence(fidelity),
        "fidelity_heads": ["predictor of held-out ratings", *(FIDELITY_COLUMNS[k] for k in keys)],
        "fidelity_rows": [
            [name, *(_cell(row.get(key)) for key in keys)] for name, row in predictors.items()
        ],
    }


def _cell(value: float | list[float | None] | None) -> str:
    return interval(value, 3) if isinstance(value, list) else number(value, 3)


def _broken_before_the_interval(cell: str) -> str:
    """A figure with its interval, of which the second stays in one line."""
    figure, sign, ends = cell.partition(" (")
    return figure + sign + ends.replace(" ", "\N{NO-BREAK SPACE}")
