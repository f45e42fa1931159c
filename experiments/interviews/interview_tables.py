"""The study's tables as rows of text, for terminal, Markdown and page, of ``results.json`` alone.

Every claim has passed its interval.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from agents.interviews.conditioning import type_names
from experiments.reporting.claims import Verdict, compare, verdict
from experiments.reporting.formatting import (
    NONE,
    interval,
    listed,
    number,
    percent,
    signed,
    with_interval,
)
from experiments.reporting.terminal import text_table

TYPE_HEADS = (
    *("model", "temperature", "unconditioned", "accuracy", "standard deviation", "95 % over types"),
    *("with a role", "gain of the role"),
)
LETTER_HEADS = ("model", "temperature", "E or I", "S or N", "T or F", "J or P", "most returned")
INCREASE_HEADS = ("model", "temperature", "told", "score", "increase", "normalised gain", "z")
BASE_HEADS = (
    "model",
    "temperature",
    "factor",
    "score",
    "standard deviation",
    "z",
    "alpha",
    "retest",
)
TRUST_HEADS = (
    *("model", "test", "temperature", "invalid", "refused", "tried again", "acquiescence"),
    *("order sensitivity", "paraphrase, points"),
)
AWARE_HEADS = ("model", "test", "nearest is right", "chance", "margin")
PLAN_HEADS = (
    *("model", "prompts", "tokens", "without kept prefixes", "counted", "weights, GB", "hours"),
)
_CHANCE = 1 / 16
_GOES: dict[Verdict, str] = {
    "more": "beyond noise", "less": "that is away from it, beyond noise",
    "noise": "within noise", "unknown": "with no interval",
}  # fmt: skip
Rows = list[list[str]]


def type_rows(models: Mapping[str, Any]) -> Rows:
    """RQ1 to RQ3 of types: a row a model and temperature."""
    return [
        [
            *(model, temperature, _most(own["unconditioned"])),
            number(own["personality"]["mean"], 3),
            number(own["personality"]["sd"], 3),
            interval(own["personality"]["ci95"], 3),
            with_interval(own["role"]["mean"], own["role"]["ci95"]),
            with_interval(own["role_gain"]["mean"], own["role_gain"]["ci95"]),
        ]
        for model, temperature, own in _each(models, "types")
    ]


def letter_rows(models: Mapping[str, Any]) -> Rows:
    """Of told types: how often each letter comes back, and which type does so most often."""
    return [
        [
            *(model, temperature),
            *(percent(share) for share in own["personality"]["by_letter"]),
            _most(_returned(own["personality"]["confusion"])),
        ]
        for model, temperature, own in _each(models, "types")
    ]


def _returned(confusion: list[list[int]]) -> dict[str, int]:
    """How often each type came back, whichever was told; the last column is none."""
    columns = zip((*type_names(), "none"), zip(*confusion, strict=True), strict=True)
    return {name: sum(column) for name, column in columns}


def base_rows(models: Mapping[str, Any]) -> Rows:
    """RQ1 of factors: what a model reports unconditioned."""
    return [
        [
            *(model, temperature, factor, number(told["mean"], 2), number(told["sd"], 2)),
            number(told["z"], 2),
            number(own["reliability"]["alpha"][factor], 2),
            number(own["reliability"]["retest"][factor], 2),
        ]
        for model, temperature, own in _each(models, "factors")
        for factor, told in own["unconditioned"].items()
    ]


def increase_rows(models: Mapping[str, Any], strategy: str = "personality") -> Rows:
    """RQ2 of factors: the paper's increase, and what it hides."""
    return [
        [
            *(model, temperature, label, number(told["score"], 2)),
            f"{signed(told['percent_increase'], 1)} %",
            signed(told["normalised_gain"], 2),
            number(told["z"], 2),
        ]
        for model, temperature, own in _each(models, "factors")
        for label, told in own[strategy].items()
    ]


def off_target_rows(models: Mapping[str, Any]) -> Rows:
    """By how many points every factor moved under every told one."""
    return [
        [model, temperature, label, *(signed(moved, 2) for moved in told["moved"].values())]
        for model, temperature, own in _each(models, "factors")
        for label, told in own["personality"].items()
    ]


def off_target_heads(models: Mapping[str, Any]) -> list[str]:
    """Heads of ``off_target_rows``."""
    tests = [model["factors"] for model in models.values() if "factors" in model]
    return ["model", "temperature", "told", *(tests[0]["instrument"]["traits"] if tests else [])]


def trust_rows(models: Mapping[str, Any]) -> Rows:
    """Rates, yes-saying, order and paraphrase."""
    return [
        [
            *(model, test, temperature),
            *(percent(own["rates"][name]) for name in ("invalid", "refused", "retried")),
            signed(own["reliability"]["acquiescence"], 2),
            number(models[model][test]["order_sensitivity"], 2),
            _paraphrases(models[model][test]["paraphrase"]),
        ]
        for test in ("types", "factors")
        for model, temperature, own in _each(models, test)
    ]


def awareness_rows(models: Mapping[str, Any]) -> Rows:
    """RQ0: whether the reference nearest to what a model says is the right one."""
    return [
        [name, test, percent(own["top1"]), percent(own["chance"]), signed(own["margin"], 3)]
        for name, model in models.items()
        for test, own in model.get("awareness", {}).items()
    ]


def sentences(models: Mapping[str, Any]) -> list[str]:
    """What can be claimed of every model, within its interval."""
    return [*_type_sentences(models), *_factor_sentences(models)]


def every_sentence(models: Mapping[str, Any]) -> list[str]:
    """All that is said beside the tables."""
    return [*sentences(models), *blank_sentences(models), *race_sentences(models)]


def _factor_sentences(models: Mapping[str, Any]) -> list[str]:
    """How far told factors go to the told end, and whether a role takes them further."""
    return [
        f"{model} at temperature {temperature}: told factors go"
        f" {with_interval(own['gain']['mean'], own['gain']['ci95'])} of the way to the told end,"
        f" {_GOES[verdict(own['gain']['ci95'])]}; a role beside them is {_role(own)}."
        for model, temperature, own in _each(models, "factors")
    ]


def _type_sentences(models: Mapping[str, Any]) -> list[str]:
    found = []
    for model, temperature, own in _each(models, "types"):
        above = [None if e is None else e - _CHANCE for e in own["personality"]["ci95"]]
        chance = compare("chance", above, more="above", less="below")
        found.append(
            f"{model} at temperature {temperature}: told types come back {chance} (1 in 16); a role"
            f" beside them is {_role(own)}."
        )
    return found


def _role(own: Mapping[str, Any]) -> str:
    """RQ3 of one test and temperature."""
    ends = own["role_gain"]["ci95"]
    return compare("personality alone", ends, more="better than", less="worse than")


def blank_sentences(models: Mapping[str, Any]) -> list[str]:
    """Why a figure is blank for a whole test, whatever was answered."""
    found = []
    for test in ("types", "factors"):
        cards = [model[test]["instrument"] for model in models.values() if test in model]
        for card in cards[:1]:
            found += [*_acquiescence_of(card), *_norms_of(card)]
    return found


def _acquiescence_of(card: Mapping[str, Any]) -> list[str]:
    both = card["both_keys"]
    if both == card["traits"]:
        return []
    if not both:
        return [
            f"Acquiescence of {card['name']} is not known: no trait of it has items keyed +1 and -1"
            " both."
        ]
    return [
        f"Acquiescence of {card['name']} tells of {listed(both)} alone: the other traits have items"
        " of one key."
    ]


def _norms_of(card: Mapping[str, Any]) -> list[str]:
    missing = [name for name in card["traits"] if name not in card["norms"]]
    if card["scoring"] == "types" or not missing:
        return []
    return [
        f"z of {card['name']} is not known for {listed(missing)}: the instrument has no norms of"
        " people; its file may hold them (norms)."
    ]


def race_sentences(models: Mapping[str, Any]) -> list[str]:
    """What batching and kept prefixes were worth, where it was raced."""
    return [
        f"{name}: {own['people']} people x {own['items']} items took"
        f" {number(own['seconds']['batched'], 2)} s in one batch with kept prefixes and"
        f" {number(own['seconds']['one_call_an_item'], 2)} s with one call an item:"
        f" {number(own['times_faster'], 1)} times as long"
        f" ({number(own['times_less_processor'], 1)} times the processor)."
        for name, own in ((name, model["race"]) for name, model in models.items())
        if "skipped" not in own
    ]


def lines(values: Mapping[str, Any]) -> list[RenderableType]:
    """For the terminal."""
    models = values["models"]
    tables = [
        (TYPE_HEADS, type_rows(models), "Types (RQ1 to RQ3)"),
        (INCREASE_HEADS, increase_rows(models), "Factors (RQ2)"),
    ]
    shown = [text_table(heads, rows, title) for heads, rows, title in tables if rows]
    return [*shown, *every_sentence(models)]


def plan_lines(plan: Mapping[str, Any]) -> list[RenderableType]:
    """The dry run for the terminal."""
    rows = [
        [
            *(name, f"{own['prompts']:,}", f"{own['tokens']:,}"),
            f"{own['tokens_without_kept_prefixes']:,}",
            *(own["tokens_counted"], number(own["memory_gb"], 1), number(own["hours"], 2)),
        ]
        for name, own in plan.items()
    ]
    return [text_table(PLAN_HEADS, rows, "Dry run: nobody was asked")]


def _each(models: Mapping[str, Any], test: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, model in models.items():
        for temperature, own in model.get(test, {"temperatures": {}})["temperatures"].items():
            yield name, temperature, own


def _most(histogram: Mapping[str, int]) -> str:
    """The most frequent type with its share."""
    name = max(histogram, key=lambda own: histogram[own])
    return f"{name} {percent(histogram[name] / sum(histogram.values()))}"


def _paraphrases(found: Mapping[str, Any]) -> str:
    return ", ".join(number(own["mean"], 2) for own in found.values()) or NONE
