"""Traits and answers as markup: a bar each, with its number in words. Data in, markup out."""

import math
from collections.abc import Iterable
from html import escape
from itertools import groupby

import numpy as np

from simenv.abm.live_page.interviewing import Answer, Interviewed, Spoken, TraitScore
from simenv.abm.live_page.portrait import COLOURS

NOT_MEASURED = (
    "No traits of this person were measured (personarec experiment=interviews does it for a"
    " population in a folder). An interview here shows them once."
)


def traits_markup(scores: Iterable[TraitScore]) -> str:
    """Traits by questionnaire; says where nothing was measured."""
    found = list(scores)
    if not found:
        return f"<p>{escape(NOT_MEASURED)}</p>"
    parts = groupby(found, key=lambda score: score.instrument)
    return "".join(
        f"<p><b>Measured by {escape(name)}</b></p>{_rows(map(_trait_row, own))}"
        for name, own in parts
    )


def interview_markup(name: str, found: Interviewed) -> str:
    """A questionnaire that was filled in: its traits, and every answer folded away."""
    kind = f", type {escape(found.kind)}" if found.kind else ""
    answers = "".join(map(answer_markup, found.answers))
    return (
        f"<p><b>Says of themselves in {escape(name)}{kind}</b></p>"
        f"{_rows(map(_trait_row, found.traits))}"
        f'<details class="answers"><summary>All {len(found.answers)} answers</summary>{answers}'
        "</details>"
    )


def answer_markup(answer: Answer) -> str:
    """One question and how likely each of its answers is; the likeliest is in bold."""
    head = f"<p><b>{escape(answer.question)}</b></p>"
    if np.isnan(answer.chances).any():
        return f"{head}<p>No answer.</p>"
    best = int(answer.chances.argmax())
    rows = (
        _row(option, chance, f"{chance:.0%}", bold=place == best)
        for place, (option, chance) in enumerate(
            zip(answer.options, answer.chances.tolist(), strict=True)
        )
    )
    return f"{head}{_rows(rows)}"


def talk_markup(turns: Iterable[Spoken]) -> str:
    """A conversation in turns; what came to mind stands folded below each."""
    return "".join(map(_turn, turns))


def _turn(turn: Spoken) -> str:
    memories = "".join(f"<li>{escape(text)}</li>" for text in turn.recalled)
    recalled = (
        f'<details class="recalled"><summary>Remembered {len(turn.recalled)}</summary>'
        f"<ul>{memories}</ul></details>"
    )
    note = f'<p role="note"><b>{escape(turn.note)}</b></p>' if turn.note else ""
    return (
        f"<p><b>{escape(turn.said)}</b></p>"
        f"<p>{escape(turn.answer) or 'Said nothing.'}</p>{note}{recalled}"
    )


def _trait_row(score: TraitScore) -> str:
    ends = f"({score.least:g} to {score.most:g})"
    if math.isnan(score.score):
        return _row(score.trait, 0.0, f"not answered {ends}")
    share = (score.score - score.least) / (score.most - score.least)
    return _row(score.trait, share, f"{score.score:.2f} {ends}")


def _rows(rows: Iterable[str]) -> str:
    return f'<div role="list">{"".join(rows)}</div>'


def _row(name: str, share: float, told: str, bold: bool = False) -> str:
    """Name, bar and number on one line, which breaks where the screen is narrow."""
    width = 100 * min(1.0, max(0.0, share))
    weight = ";font-weight:600" if bold else ""
    return (
        '<div role="listitem" style="display:flex;flex-wrap:wrap;align-items:center;gap:0 8px'
        f'{weight}"><span style="flex:1 1 110px;overflow-wrap:anywhere">{escape(name)}</span>'
        '<span aria-hidden="true" style="flex:0 0 80px;height:9px;background:var(--grid)'
        f'"><span style="display:block;height:9px;width:{width:.1f}%;background:{COLOURS[0]}">'
        f'</span></span><span style="flex:0 0 112px">{escape(told)}</span></div>'
    )
