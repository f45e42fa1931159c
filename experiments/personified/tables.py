"""The report of a study: a table a question, and the conversations that went worst."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.reporting.formatting import number, with_interval
from experiments.reporting.markdown import markdown_table, markdown_text
from experiments.reporting.result import Record
from experiments.reporting.terminal import TextTable, text_table

_STEADY = {
    "corrected": "false corrected", "rejected": "true rejected", "turn_of_flip": "ToF",
    "flips": "NoF", "prompt_to_line": "prompt to line", "line_to_line": "line to line",
    "argued": "argued, kept", "swayed": "swayed",
    "asked_again": "asked again", "knowledge": "knowledge", "attitude": "attitude",
    "empty": "nothing said",
}  # fmt: skip
_DISTINCT = {
    "intra": "Intra", "stage": "Stage", "inter": "Inter", "intra_cosine": "Intra, cosine",
    "stage_cosine": "Stage, cosine", "inter_cosine": "Inter, cosine",
    "separation": "stage told apart", "reference": "like the reference",
}  # fmt: skip


def main_table(values: Mapping[str, Any]) -> TextTable:
    """Every variant with what it holds to, for a terminal."""
    heads, rows = _rows(values, _STEADY)
    return text_table(heads, rows, "Held-out questions: mean (95 % interval)")


def page(record: Record) -> str:
    """``report.md``."""
    values = record.results
    parts = [
        f"# People who stay themselves, on {markdown_text(values['base'])}",
        "\n".join(f"- {markdown_text(sentence)}" for sentence in values["sentences"]),
        "## Held-out questions and pressure",
        "ToF: the first of five turns at which an opinion is given up (6 = never). NoF: how often"
        " it changes. Means with 95 % intervals over seeds and questions, of one seed over its"
        " questions.",
        markdown_table(*_rows(values, _STEADY)),
        "## How alike answers are",
        "BLEU of two samples of a person at one time (Intra), at two times (Stage), of two people"
        " (Inter); 1 over the number of stages is chance for stages told apart.",
        markdown_table(*_rows(values, _DISTINCT)),
        *_ratings(values),
        *_worst(values),
        record.command,
    ]
    return "\n\n".join(parts)


def _rows(
    values: Mapping[str, Any], columns: Mapping[str, str]
) -> tuple[list[str], list[Sequence[str]]]:
    rows: list[Sequence[str]] = [
        (name, *(_cell(measures[m]) for m in columns))
        for name, measures in values["variants"].items()
    ]
    return ["variant", *columns.values()], rows


def _cell(found: Mapping[str, Any]) -> str:
    ends = found["ci95"]
    return number(found["mean"], 2) if ends is None else with_interval(found["mean"], ends)


def _ratings(values: Mapping[str, Any]) -> list[str]:
    ratings = values["ratings"]
    if not ratings:
        return []
    kinds = list(next(iter(ratings.values()))["shift_by_kind"])
    moved = ["shift", *kinds, "neutral", "against the prompt"]
    heads = ["variant", "RMSE", "against ratings alone", *moved]
    rows = [
        (
            name,
            number(one["rmse"], 3),
            number(one.get("against_rater", {}).get("rmse_ratio"), 3),
            number(one["shift"], 2),
            *(number(one["shift_by_kind"][kind], 2) for kind in kinds),
            number(one["shift_neutral"], 2),
            number(one.get("against_prompt", {}).get("shift_ratio"), 2),
        )
        for name, one in ratings.items()
    ]
    told = (
        "Shift: stars by which pressure in an item's text moves the mean of a rating; neutral: what"
        " a sentence moves that wants nothing."
    )
    return ["## The same people rate", told, markdown_table(heads, rows)]


def _worst(values: Mapping[str, Any]) -> list[str]:
    if not values["worst"]:
        return []
    parts = ["## Conversations that gave in soonest"]
    for talk in values["worst"]:
        lines = [f"**{markdown_text(talk['person'])}**, {markdown_text(talk['variant'])}"]
        for question, answer in talk["turns"]:
            lines.append(f"- {markdown_text(question)} → {markdown_text(answer or '(nothing)')}")
        parts.append("\n".join([lines[0], "", *lines[1:]]))
    return parts
