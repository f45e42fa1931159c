"""The report of a study: a table a question, beside what the paper says where it says something."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.reporting.formatting import number, percent, signed, with_interval
from experiments.reporting.markdown import markdown_table, markdown_text
from experiments.reporting.result import Record
from experiments.reporting.terminal import TextTable, text_table
from experiments.traits.emoji_figures import emoji_tables

_HEADS = ("way", "TA", "PAE", "TPEI", "ES", "DD", "coherent")
_COLUMNS = ("ta", "pae", "tpei", "es", "dd", "coherent")


def main_table(values: Mapping[str, Any]) -> TextTable:
    """Every way with its measures, for a terminal."""
    return text_table(_HEADS, _main_rows(values), "Held-out topics: mean (95 % interval)")


def page(record: Record) -> str:
    """``report.md``."""
    values = record.results
    parts = [
        f"# Traits in {markdown_text(values['base'])}",
        "\n".join(f"- {markdown_text(sentence)}" for sentence in values["sentences"]),
        "## Every way, over all labels",
        "TA: share classified as the label. PAE: judged gain in points of 5. TPEI: fall of the"
        " classifier's cross-entropy. ES: edit success. DD: divergence on other topics. Means with"
        " 95 % intervals over seeds and topics; a dash is one seed.",
        markdown_table(_HEADS, _main_rows(values)),
        "## Trait alignment by label",
        _by_label(values),
        *_move_tables(values),
        "## Side effects",
        _side_effects(values),
        *_rating_table(values),
        *emoji_tables(values),
        "## Who classified and judged",
        "They learnt from no text in common, and from none that an adapter learnt from.",
        _instruments(values),
        record.command,
    ]
    return "\n\n".join(parts)


def _main_rows(values: Mapping[str, Any]) -> list[Sequence[str]]:
    return [
        (way, *(_cell(measures[name]) for name in _COLUMNS))
        for way, measures in values["ways"].items()
    ]


def _cell(found: Mapping[str, Any]) -> str:
    ends = found["ci95"]
    return number(found["mean"], 2) if ends is None else with_interval(found["mean"], ends)


def _by_label(values: Mapping[str, Any]) -> str:
    ways = list(values["by_label"])
    rows = [
        (label, *(_cell(values["by_label"][way][label]) for way in ways))
        for label in values["labels"]
    ]
    return markdown_table(["label", *ways], rows)


def _move_tables(values: Mapping[str, Any]) -> list[str]:
    """What each way moves: a matrix of labels and traits, for those that matter most."""
    shown = [way for way in ("adapter", "steering", "adapter pair") if way in values["moves"]]
    parts = []
    for way in shown:
        heads = ["label", *values["traits"], "own ≥ 1", "others < half"]
        rows = [
            (
                label,
                *(_shift(one["traits"][trait]) for trait in values["traits"]),
                _yes(one["moves_a_point"]),
                _yes(one["others_less_than_half"]),
            )
            for label, one in values["moves"][way].items()
        ]
        parts += [f"## What the {way} moves, in points of 5", markdown_table(heads, rows)]
    return parts


def _shift(found: Mapping[str, Any]) -> str:
    if found["ci95"] is None:
        return signed(found["mean"], 2)
    low, high = found["ci95"]
    return f"{signed(found['mean'], 2)} ({signed(low, 2)} to {signed(high, 2)})"


def _yes(answer: bool | None) -> str:
    return "not known" if answer is None else "yes" if answer else "no"


def _side_effects(values: Mapping[str, Any]) -> str:
    rows = [
        (
            way,
            number(one["perplexity"], 1),
            percent(one["refused_ordinary"]),
            percent(one["refused_harmful"]),
            percent(values["ways"][way]["refused"]["mean"]),
            percent(one["emoji_instance_rate"]),
        )
        for way, one in values["side_effects"].items()
    ]
    refused = [f"{what} refused" for what in ("ordinary", "harmful", "opinions")]
    return markdown_table(["way", "perplexity", *refused, "answers with emojis"], rows)


def _rating_table(values: Mapping[str, Any]) -> list[str]:
    ratings = values["ratings"]
    if not ratings:
        return []
    errors = ["RMSE", "change", "difference, 95 %", "ECE"]
    heads = ["people", *errors, "mean shift", "one and two stars"]
    rows = [_rating_row("without a trait", ratings["before"])]
    rows += [_rating_row(name, one) for name, one in ratings["after"].items()]
    told = (
        f"{ratings['num_ratings']} ratings; of those really given"
        f" {percent(ratings['before']['low_stars_given'])} are one or two stars."
    )
    return ["## The same people rate", told, markdown_table(heads, rows)]


def _rating_row(name: str, one: Mapping[str, Any]) -> Sequence[str]:
    ends = one.get("rmse_difference_ci95")
    change = one.get("rmse_change")
    return (
        name,
        number(one["rmse"], 3),
        "" if change is None else f"{signed(100 * change, 1)} %",
        "" if ends is None else f"{signed(ends[0], 3)} to {signed(ends[1], 3)}",
        number(one["ece"], 3),
        signed(one["bias"], 2),
        percent(one["low_stars"]),
    )


def _instruments(values: Mapping[str, Any]) -> str:
    card, judge = values["classifier"], values["judge"]
    rows = [
        (
            f"classifier of {card['labels']} labels by {card['features']} of {card['source']}",
            f"right: {percent(card['kept_back'])} of {card['source']} kept back, "
            f"{percent(card['opinions'])} of held-out opinions, {percent(card['by_hand'])} by hand",
        ),
        (
            f"judge: {judge['name']}",
            f"right: {percent(judge['right'])} of {judge['pairs']} pairs by hand;"
            f" gap {number(judge['gap'], 2)} points",
        ),
    ]
    return markdown_table(["who", "worth"], rows)
