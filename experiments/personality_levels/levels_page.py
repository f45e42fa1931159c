"""Three levels of a trait side by side: a sentence and tables, for page, Markdown and terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from agents.personality.levels import LEVELS, POOLED
from experiments.personality_levels.agreement_figure import agreement_svg
from experiments.reporting.claims import Verdict, verdict
from experiments.reporting.formatting import interval, number, percent, signed, with_interval
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table

HEADLINE = f"{LEVELS[0]} and {LEVELS[2]}"
WAYS = {"within": "a trait is imposed", "between": "people as they are"}
_SAYS: dict[Verdict, str] = {
    "more": "go together",
    "less": "go against each other",
    "noise": "do not go together beyond noise",
    "unknown": "cannot be compared (too few people, or one of them never varies)",
}
LEVEL_HEADS = ["factor", "level", "low", "as they are", "high", "high minus low", "95 % CI"]
EFFECT_HEADS = ["factor", "behaviour", "expected", "low", "high", "Cohen's d", "95 % CI", "found"]
_PLACES = 3  # a chance moves by hundredths, and its interval is a tenth of that
_FOUND: dict[Verdict, str] = {
    "more": "more", "less": "less", "noise": "within noise", "unknown": "not known",
}  # fmt: skip
_SIGNS = {1: "more", -1: "less", 0: ""}


def answer(results: Mapping[str, Any]) -> str:
    """Whether people act as they say they are: imposed traits first, then people as they are."""
    parts = []
    for way, words in (("within", "Where a trait is imposed"), ("between", "Between people")):
        one = results["agreement"][way][POOLED][HEADLINE]
        says = _SAYS[verdict(one["ci95"])]
        shown = "" if one["value"] is None else f" (r = {with_interval(one['value'], one['ci95'])})"
        parts.append(f"{words}, questionnaire and behaviour {says}{shown}")
    return "; ".join([parts[0], parts[1][0].lower() + parts[1][1:]])


def moves(results: Mapping[str, Any]) -> str:
    """Whether there is anything to correlate: a level that no imposed trait moves holds noise."""
    factors = results["levels"].values()
    counts = [
        f"{level} {sum(verdict(one[level]['ci95']) in ('more', 'less') for one in factors)}"
        for level in LEVELS
    ]
    return (
        "Factors in which low and high differ beyond noise, whichever way, of"
        f" {len(factors)}: {', '.join(counts)}. Where they do not differ, a correlation is one of"
        " noise."
    )


def level_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """A row a factor and level."""
    return [
        [
            factor,
            level,
            *(number(one[pole], _PLACES) for pole in ("low", "none", "high")),
            signed(one["difference"], _PLACES),
            interval(one["ci95"], _PLACES),
        ]
        for factor, levels in results["levels"].items()
        for level, one in levels.items()
    ]


def agreement_rows(results: Mapping[str, Any], way: str) -> list[list[str]]:
    """A row a factor, a column a pair of levels."""
    return [
        [name, *(with_interval(one["value"], one["ci95"]) for one in pairs.values())]
        for name, pairs in results["agreement"][way].items()
    ]


def agreement_heads(results: Mapping[str, Any]) -> list[str]:
    """The heads of ``agreement_rows``."""
    return ["factor", *results["agreement"]["within"][POOLED]]


def effect_rows(results: Mapping[str, Any], expected: bool) -> list[list[str]]:
    """A row a factor and behaviour: those that speak for the factor, or all others."""
    return [
        [
            factor,
            name.replace("_", " "),
            _SIGNS[one["expected"]],
            number(one["low"], 3),
            number(one["high"], 3),
            signed(one["cohens_d"]["value"], 2),
            interval(one["cohens_d"]["ci95"], 2),
            _FOUND[verdict(one["cohens_d"]["ci95"])],
        ]
        for factor, rows in results["behaviours"].items()
        for name, one in rows.items()
        if bool(one["expected"]) == expected
    ]


def notes(results: Mapping[str, Any]) -> list[str]:
    """What a reader must know to read the tables."""
    setting, controls = results["setting"], results["controls"]
    said = [
        f"{setting['num_users']} people, {setting['visits']} visits of at most"
        f" {setting['max_steps']} slates of {setting['slate_size']} by {setting['policy']};"
        f" {setting['questionnaire_items']} items of {setting['questionnaire']} and"
        f" {setting['situations_items']} situations.",
        "Questionnaire: mean points of the factor's items. Situations: chance of an option that"
        " shows much of the factor, 0.5 is no lean. Behaviour: mean of the standardised behaviours"
        " that speak for the factor.",
        _how_chosen(controls),
        "Each interval holds 95 % over people drawn again. Many are shown and none is adjusted for"
        " their number.",
    ]
    if not setting["friends_learnt"]:
        said.append(
            "This population's model has not learnt to read what people like somebody gave, so"
            " following friends is asked in a sentence that is new to it."
        )
    if controls["unanswered"]:
        said.append(f"{percent(controls['unanswered'])} of the situations got no answer.")
    return said


def _how_chosen(controls: Mapping[str, Any]) -> str:
    """Places are known only where options stood behind digits."""
    if controls["steadiness"] is None:
        return (
            "Situations by text: by how much the situation makes the words of an option likelier, a"
            " token; no option was listed, so none had a place."
        )
    places = ", ".join(percent(place) for place in controls["places"])
    return (
        f"Chance of the four places of a situation's options, whatever stood there: {places};"
        f" {percent(controls['steadiness'])} of the situations lean to one side in all four"
        " rotations."
    )


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    values = {
        **{key: results[key] for key in ("users", "setting", "debug")},
        "answer": answer(results),
        "moves": moves(results),
        "ways": [(words, agreement_rows(results, way)) for way, words in WAYS.items()],
        "agreement_heads": agreement_heads(results),
        "level_heads": LEVEL_HEADS,
        "levels": level_rows(results),
        "effect_heads": EFFECT_HEADS,
        "expected": effect_rows(results, expected=True),
        "others": effect_rows(results, expected=False),
        "notes": notes(results),
        "agreement_svg": markup(agreement_svg(results)),
    }
    return filled("personality_levels/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown."""
    results = record.results
    heads = agreement_heads(results)
    warning = results["users"]["warning"]
    parts = [f"# {markdown_text(answer(results))}\n"]
    parts += [f"**{markdown_text(warning)}**\n"] if warning else []
    parts.append(f"{moves(results)}\n")
    for way, words in WAYS.items():
        parts += [
            f"## Do the levels agree? {words}\n",
            markdown_table(heads, agreement_rows(results, way)),
        ]
    parts += [
        "## The levels\n",
        markdown_table(LEVEL_HEADS, level_rows(results)),
        "## Behaviours that speak for a factor\n",
        markdown_table(EFFECT_HEADS, effect_rows(results, expected=True)),
        "## All other behaviours\n",
        markdown_table(EFFECT_HEADS, effect_rows(results, expected=False)),
        *(f"- {markdown_text(note)}" for note in notes(results)),
        "",
    ]
    return "\n".join([*parts, record.command])


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """Tables and the answer for a terminal."""
    heads = agreement_heads(results)
    found: list[RenderableType] = [
        text_table(LEVEL_HEADS, level_rows(results), "the three levels", num_texts=2),
        text_table(EFFECT_HEADS, effect_rows(results, expected=True), "behaviours", num_texts=3),
        *(text_table(heads, agreement_rows(results, way), words) for way, words in WAYS.items()),
    ]
    if results["users"]["warning"]:
        found.append(Text(results["users"]["warning"], style="bold red"))
    return [*found, Text(moves(results)), Text(answer(results), style="bold")]
