"""What has to be said beside a number: the word of the users' fidelity card, and a box of cautions.

Every report of simulated people shows the word, and whether a student answered in the place of
their language model; one that compares policies has the box too. It asks
nobody and knows no experiment: figures in, sentences out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.text import Text

from agents.student.counting import StudentCount
from experiments.reporting.claims import verdict
from experiments.reporting.formatting import interval, listed, number, percent, signed
from experiments.reporting.markdown import markdown_text, plain
from experiments.reporting.result import Result
from experiments.reporting.what_was_read import below_title

TITLE = "Before you quote this number"
STUDENT = "answered_by_student"  # None = the experiment states it in its own figures
_KNOWN = (
    "These users know what their log shows. Of items that nobody like them ever picked they know"
    " texts and averages at most."
)
SHARED = "shared"
_EVIDENCE = {
    SHARED: "Users and policies learnt from the same ratings: a policy that is wrong where they are"
    " is overrated.",
    "independent": "Everybody's ratings were cut in two: policies learnt from one half, users from"
    " the other. Policies that know all ratings are better than these.",
    "mixed": "Policies learnt from half of everybody's ratings, users from all: a policy that is"
    " wrong where they are is overrated, and policies that know all ratings are better than these.",
}
_SWAPPED = (
    "Then both halves were swapped, and the same people were asked again: what a person says is the"
    " mean of both, so that intervals are over people, not over ways to cut the rows."
)
_MOST_TIES = 6
_LOUD = ("warn", "fail")


def before_you_quote(
    fidelity: Mapping[str, Any] | None,
    contrasts: Sequence[Mapping[str, Any]],
    *,
    evidence: str = SHARED,
    collusion: Mapping[str, Any] | None = None,
    swapped: bool = False,
) -> list[str]:
    """The cautions of a comparison, as sentences.

    Args:
        fidelity: what ``agents.fidelity.held_out.measure`` found; None = it was not measured.
        contrasts: differences between policies: ``better``, ``worse``, ``ci95`` and, where they are
            adjusted for all comparisons, ``p_holm``.
        evidence: what users are made of, by ``simenv.data.evidence``; "none" = they know the truth.
        collusion: how far people overrate policies that learnt from their own rows, as
            ``experiments.tournament.shared_rows`` found; None = it was not measured.
        swapped: both halves of the rows were used, one after the other.
    """
    told = [_EVIDENCE[evidence], _collusion(collusion)] if evidence in _EVIDENCE else []
    told = [*told[:1], *([_SWAPPED] if swapped else []), *told[1:]]
    return [_KNOWN, _levels(fidelity), *told, _ties(contrasts)]


def _collusion(found: Mapping[str, Any] | None) -> str:
    """The collusion figure: what sharing rows is worth to each policy, beside what all get."""
    if found is None:
        return "How far that goes was not measured here."
    policies = found["policies"]
    figures = [
        f"{name} {signed(own['difference'], 3)} ({interval(own['ci95'], 3)})"
        for name, own in policies.items()
    ]
    sides = {name: verdict(own["beside_others_ci95"]) for name, own in policies.items()}
    favoured = [name for name, side in sides.items() if side == "more"]
    order = (
        f"Beside the mean of all, sharing favours {listed(favoured)}"
        if favoured
        else "Beside the mean of all, sharing favours no policy beyond noise"
    )
    return (
        "Collusion: stars by people made of the very rows that a policy learnt from, minus those by"
        f" people made of as many other rows, of {found['users']} users with 95 % CI: "
        f"{', '.join(figures)}. {order}."
    )


def _levels(fidelity: Mapping[str, Any] | None) -> str:
    panel = (fidelity or {}).get("utopian_bias")
    if not panel:
        return (
            "Nobody has compared the level of their stars with real ratings of the same items:"
            " believe differences rather than levels."
        )
    return (
        f"On held-out items their stars are {signed(panel['mean_shift'], 2)} off on average"
        f" (KS distance {number(panel['ks'], 2)}, Wasserstein {number(panel['wasserstein'], 2)});"
        f" {percent(panel['low_share'])} of them are one or two stars, of the real ratings"
        f" {percent(panel['real_low_share'])}; the variance between people is"
        f" {number(panel['variance_ratio'], 2)} of the real one. Believe differences rather than"
        " levels."
    )


def _ties(contrasts: Sequence[Mapping[str, Any]]) -> str:
    tied = [
        f"{c['better']} and {c['worse']}"
        for c in contrasts
        if verdict(c["ci95"], c.get("p_holm", 0.0)) not in ("more", "less")
    ]
    if not tied:
        return "No difference in this report is a tie." if contrasts else "Nothing was compared."
    more = f" and {len(tied) - _MOST_TIES} more pairs" if len(tied) > _MOST_TIES else ""
    shown = tied[:_MOST_TIES]
    return f"Ties, of which none is better: {'; '.join(shown)}{more}."


def fidelity_said(results: Mapping[str, Any]) -> tuple[str, str]:
    """The word and the sentence of the users' card; both empty where no people answered."""
    for who in ("users", "people"):
        card = results.get(who)
        own = card.get("fidelity") if isinstance(card, Mapping) else None
        if isinstance(own, Mapping):
            return str(own["word"]), str(own["said"])
    return "", ""


def with_fidelity(result: Result) -> Result:
    """The result with word and box in its Markdown pages and lines; nothing is changed in place.

    Pages of HTML show both by their common template.
    """
    word, said = fidelity_said(result.values)
    box = result.values.get("before_you_quote") or []
    if not word and not box:
        return result
    pages = {
        name: below_title(page, _notes(said, box)) if name.endswith(".md") else page
        for name, page in result.pages.items()
    }
    style = "bold red" if word in _LOUD else "dim"
    lines = [Text(plain(said), style=style)] if said else []
    shown = [f"{TITLE}:", *(f"- {plain(text)}" for text in box)] if box else []
    lines += [Text(text, style="dim") for text in shown]
    return replace(result, pages=pages, lines=[*result.lines, *lines])


def _notes(said: str, box: Sequence[str]) -> str:
    """Both as Markdown."""
    notes = f"> {markdown_text(said)}\n\n" if said else ""
    rows = "".join(f"> - {markdown_text(text)}\n" for text in box)
    return notes + (f"> **{TITLE}**\n>\n{rows}\n" if box else "")


def with_student_answers(result: Result, counted: StudentCount) -> Result:
    """The result with ``answered_by_student`` and a headline everywhere, where one was asked.

    Nothing is changed in place.
    """
    if STUDENT in result.values or not counted.questions:
        return result
    found = {"questions": counted.questions, "asked": counted.asked}
    values = {**result.values, STUDENT: {**found, "share_asked": counted.share_asked}}
    said = student_sentence(values)
    pages = {
        name: below_title(page, f"> {said}\n\n") if name.endswith(".md") else page
        for name, page in result.pages.items()
    }
    return replace(result, values=values, pages=pages, lines=[Text(said), *result.lines])


def student_sentence(results: Mapping[str, Any]) -> str:
    """Who answered; empty where no student did."""
    found = results.get(STUDENT)
    if not found:
        return ""
    return (
        f"A student answered in the place of the language model, which was asked"
        f" {found['asked']:,} of {found['questions']:,} questions"
        f" ({100 * found['share_asked']:.2g} %): where the student was unsure."
    )
