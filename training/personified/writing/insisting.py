"""Talks in which somebody insists on stars, written without a model: lessons of several turns.

A rating is asked about; then stars are claimed, one to four times, each time in another way. They
are false in half of the talks and right in the others, so that a person learns to keep to what was
given and not to contradict. Wordings are not those that judge.
"""

from collections.abc import Iterator, Sequence

from agents.wording.phrases import quoted
from training.personified.corpora import Corpora, Fact, Passage
from training.personified.exchanges import Exchange
from training.personified.writing import rating_words as words
from training.personified.writing.choices import draws, false_stars, pick, stars
from training.personified.writing.insisting_words import KINDS, pressed_turn
from training.personified.writing.item_words import item_words

_MOST_TURNS = 4  # of pressure


def insisted_on_ratings(corpora: Corpora, sources: frozenset[str], seed: int = 0) -> list[Exchange]:
    """Two talks about every source of a rating, one of false stars and one of right ones.

    Args:
        corpora: whose ratings.
        sources: that are asked about.
        seed: of all draws.
    """
    asked = [p for p in corpora.passages if p.material == "objective" and p.source in sources]
    kind = item_words(corpora.kind)
    return [
        _talk(passage, passage.fact, false, kind, seed)
        for passage in asked
        if passage.fact is not None
        for false in (True, False)
    ]


def _talk(own: Passage, fact: Fact, false: bool, kind: dict[str, str], seed: int) -> Exchange:
    drawn = draws(seed, f"{own.person}\n{own.stage}\n{own.source}\npressed\n{false}")
    claimed = false_stars(fact.stars, drawn[3]) if false else fact.stars
    told = {"t": quoted(fact.title), "s": stars(fact.stars), "c": stars(claimed), "r": fact.reason}
    first, count = int(drawn[6] * len(KINDS)), 1 + int(drawn[4] * _MOST_TURNS)
    ways = [KINDS[(first + step) % len(KINDS)] for step in range(count)]
    turns = [pressed_turn(way, "train", claimed, drawn[7]) for way in ways]
    answers = list(_answers(len(turns), false, told, drawn))
    wrong = pick(words.CONFIRMATIONS if false else words.CORRECTIONS, drawn[8])
    misled = claimed if false else false_stars(fact.stars, drawn[3])
    begin = pick(words.ABOUT.train, drawn[0]).format(**kind, **told)
    gave = pick(words.GAVE, drawn[1]).format(**told)
    said = [begin, gave, *(part for pair in zip(turns, answers, strict=True) for part in pair)]
    agrees = "does not agree" if false else "agrees"
    return Exchange(
        own.person, own.stage, own.source, "pressed", said[-2],
        f"The other one insists on {told['c']}. My memory of {told['t']} says {told['s']}. That"
        f" {agrees}.",
        said[-1], f"{wrong} I gave {told['t']} {stars(misled)}.", fact.stars, claimed,
        before=tuple(said[:-2]),
    )  # fmt: skip


def _answers(
    count: int, false: bool, told: dict[str, str], drawn: Sequence[float]
) -> Iterator[str]:
    """What the person says to each claim; no two in a row are worded alike."""
    opening = words.CORRECTIONS if false else words.CONFIRMATIONS
    proof = words.GAVE_NOT if false else words.GAVE
    for step in range(count):
        start = _later(opening, drawn[5], step)
        yield f"{start} {_later(proof, drawn[2], step)}".format(**told)


def _later(choices: Sequence[str], draw: float, step: int) -> str:
    return choices[(int(draw * len(choices)) + step) % len(choices)]
