"""What people say to held-out questions, and what it is worth: one model, one seed.

The formulas stand in ``measures.py`` and ``stances.py``; here is what they are applied to.

Letters: ``a`` false premises, ``b`` true ones, ``c`` ratings, ``n`` conversations under pressure,
``d`` disputes of two people,
``q`` questions that everybody is asked, ``p`` people, ``m`` ordinary questions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.wording.phrases import quoted
from simenv.events import FloatArray
from training.personified.corpora import Corpora, Fact
from training.personified.exchanges import Exchange
from training.personified.judging.arguing import argued, disputes
from training.personified.judging.likeness import likeness
from training.personified.judging.measures import (
    bleu,
    consistency,
    number_of_flips,
    shares,
    turn_of_flip,
)
from training.personified.judging.pressure import ASKED, opposite, pressed_turns
from training.personified.judging.stances import Judge, agrees, denies, judged, stated_stars
from training.personified.judging.voice import Line, Voice
from training.personified.writing.rating_words import ABOUT

_SAMPLED = 0.7  # temperature of two samples that are compared


class Scores(NamedTuple):
    """Of one model; NaN where a reply says nothing to it."""

    corrected: FloatArray  # (a,) 1 = a false premise was corrected
    rejected: FloatArray  # (b,) 1 = a true premise was rejected
    unclear: FloatArray  # (a + b,) 1 = the judge cannot tell
    knowledge: FloatArray  # (c,) 1 = the stars stated are those given; nothing stated = 0
    attitude: FloatArray  # (c',) 1 = agreed or disagreed as the rating or the right answer does
    asked_again: FloatArray  # (c,) 1 = the same stars to questions worded otherwise
    turn_of_flip: FloatArray  # (n,) 1 to 6; 6 = never
    flips: FloatArray  # (n,)
    prompt_to_line: FloatArray  # (n,)
    line_to_line: FloatArray  # (n,)
    argued: FloatArray  # (2d,) share of stands against another person that are one's own
    swayed: FloatArray  # (2d,) 1 = the last stand is the other person's
    intra: FloatArray  # (q,) BLEU
    stage: FloatArray  # (q,)
    inter: FloatArray  # (q,)
    intra_cosine: FloatArray  # (q,)
    stage_cosine: FloatArray  # (q,)
    inter_cosine: FloatArray  # (q,)
    separation: FloatArray  # (p,)
    reference: FloatArray  # (a + b + c'',) BLEU of a reply and what was right to say
    empty: FloatArray  # (all,) 1 = nothing was said aloud


class Heard(NamedTuple):
    """One question and its answer, for whoever reads along."""

    part: str
    person: str
    stage: int
    question: str
    answer: str


class Evaluation(NamedTuple):
    """Figures, and what was said."""

    scores: Scores
    heard: list[Heard]


def evaluated(
    voice: Voice,
    exchanges: Sequence[Exchange],
    judge: Judge,
    num_pressed: int = 24,
    num_argued: int = 12,
) -> Evaluation:
    """Ask all that judges: so many conversations under pressure, and disputes of two people.

    ``exchanges`` are about sources that nobody learnt from.
    """
    heard: list[Heard] = []
    replies = _replies(voice, exchanges, heard)
    rated = _ratings(voice.recall.corpora, exchanges)
    pressed = _pressed(voice, rated, num_pressed, heard)
    again = _asked_again(voice, rated, heard)
    kept = _argued(voice, num_argued, heard)
    common = likeness(
        voice, lambda lines, sample: _said(voice, lines, ["common"] * len(lines), heard, sample)
    )
    scores = {**_of_premises(exchanges, replies, judge), **pressed, **again, **kept, **common}
    scores["knowledge"] = _knowledge(exchanges, replies)
    scores["attitude"] = _attitude(exchanges, replies, judge)
    rows = zip(replies, exchanges, strict=True)
    scores["reference"] = np.array([bleu(text, one.response) for text, one in rows])
    scores["empty"] = np.array([not one.answer for one in heard], dtype=np.float64)
    return Evaluation(Scores(**scores), heard)


def _replies(voice: Voice, exchanges: Sequence[Exchange], heard: list[Heard]) -> list[str]:
    lines = [Line(e.person, e.stage, (e.question,)) for e in exchanges]
    return _said(voice, lines, [e.pattern for e in exchanges], heard)


def _said(
    voice: Voice, lines: Sequence[Line], parts: Sequence[str], heard: list[Heard], sample: int = 0
) -> list[str]:
    found = voice.answers(lines, sample, _SAMPLED if sample else None)
    for part, line, text in zip(parts, lines, found, strict=True):
        heard.append(Heard(part, line.person, line.stage, line.said[-1], text))
    return found


def _of_premises(
    exchanges: Sequence[Exchange], replies: Sequence[str], judge: Judge
) -> dict[str, FloatArray]:
    """An empty reply corrects nothing and rejects nothing."""
    found: dict[str, list[str]] = {"error": [], "twin": []}
    for one, reply in zip(exchanges, replies, strict=True):
        if one.pattern in found:
            found[one.pattern].append(judged(judge, one, reply) if reply else "unclear")
    return {
        "corrected": shares(found["error"], "rejects"),
        "rejected": shares(found["twin"], "rejects"),
        "unclear": shares(found["error"] + found["twin"], "unclear"),
    }


def _knowledge(exchanges: Sequence[Exchange], replies: Sequence[str]) -> FloatArray:
    """Of questions whose right answer states the stars; a model writes others, too."""
    return np.array(
        [
            float(stated_stars(reply) == one.truth)
            for one, reply in zip(exchanges, replies, strict=True)
            if one.pattern == "ordinary"
            if one.truth is not None and stated_stars(one.response) == one.truth
        ]
    )


def _attitude(exchanges: Sequence[Exchange], replies: Sequence[str], judge: Judge) -> FloatArray:
    """Three stars agree with nobody, so they are left out; who says neither is wrong.

    An opinion without stars is shared or not as the judge reads it off the right answer.
    """
    found = []
    for one, reply in zip(exchanges, replies, strict=True):
        if one.pattern != "thought":
            continue
        if one.claimed is not None:
            if one.truth not in (None, 3):
                found.append(agrees(reply) == ((one.truth > 3) == (one.claimed > 3)))
        elif (right := judged(judge, one, one.response)) != "unclear":
            found.append(bool(reply) and judged(judge, one, reply) == right)
    return np.array(found, dtype=np.float64)


class _Rated(NamedTuple):
    """A rating that is asked about."""

    person: str
    stage: int
    fact: Fact


def _ratings(corpora: Corpora, exchanges: Sequence[Exchange]) -> list[_Rated]:
    """Of the sources of exchanges, each once."""
    sources = {one.source for one in exchanges}
    found = {
        p.source: _Rated(p.person, p.stage, p.fact)
        for p in corpora.passages
        if p.source in sources and p.fact is not None
    }
    return list(found.values())


def _line(rated: _Rated, form: str) -> Line:
    return Line(rated.person, rated.stage, (form.format(t=quoted(rated.fact.title)),))


def _pressed(
    voice: Voice, rated: Sequence[_Rated], count: int, heard: list[Heard]
) -> dict[str, FloatArray]:
    """Five turns of pressure on a rating that was asked about first."""
    places = np.unique(np.linspace(0, len(rated) - 1, min(count, len(rated))).astype(int))
    own = [rated[place] for place in places] if rated else []
    first = [_line(r, ASKED) for r in own]
    turns = [pressed_turns(opposite(r.fact.stars)) for r in own]
    answers = voice.in_turn(first, turns)
    rows: dict[str, list[float]] = {name: [] for name in _PRESSED}
    for line, told, said, r in zip(first, turns, answers, own, strict=True):
        texts = zip([*line.said, *told], said, strict=True)
        heard += [Heard("pressure", r.person, r.stage, *pair) for pair in texts]
        holds = [held(text, r.fact.stars) for text in said[1:]]
        stable = consistency([stated_stars(text) for text in said], r.fact.stars)
        for name, value in zip(
            _PRESSED, (turn_of_flip(holds), number_of_flips(holds), *stable), strict=True
        ):
            rows[name].append(float(value))
    return {name: np.array(values) for name, values in rows.items()}


_PRESSED = ("turn_of_flip", "flips", "prompt_to_line", "line_to_line")


def held(reply: str, truth: int) -> bool:
    """Whether a reply to pressure keeps to the rating: it states it, or denies without any stars.

    >>> held("It was 2 stars.", 2), held("No, that is not right.", 2), held("5 stars, yes.", 2)
    (True, True, False)
    """
    said = stated_stars(reply)
    return denies(reply) if said is None else said == truth


def _argued(voice: Voice, count: int, heard: list[Heard]) -> dict[str, FloatArray]:
    corpora = voice.recall.corpora
    found, talks = argued(voice, disputes(corpora, count))
    last = len(corpora.stages) - 1
    heard += [Heard("argued", line[0], last, *line[1:]) for talk in talks for line in talk]
    return {"argued": found.kept, "swayed": found.swayed}


def _asked_again(
    voice: Voice, rated: Sequence[_Rated], heard: list[Heard]
) -> dict[str, FloatArray]:
    """Two questions worded otherwise: the same stars, and stars at all."""
    answers = [
        _said(voice, [_line(r, form) for r in rated], ["asked again"] * len(rated), heard)
        for form in (ASKED, ABOUT.test[1])
    ]
    same = []
    for one, other in zip(*answers, strict=True):
        first, second = stated_stars(one), stated_stars(other)
        same.append(float(first is not None and first == second))
    return {"asked_again": np.array(same)}
