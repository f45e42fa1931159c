"""Two people argue: does each keep to their own opinion, turn after turn, against the other's?

They meet over an item that both rated on two sides of three stars, else over a genre. A line keeps
an opinion by the stars it states, else by its words of liking; one without either says nothing.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from agents.wording.phrases import plural, quoted
from simenv.events import FloatArray
from training.personified.corpora import Corpora
from training.personified.judging.stances import leaning, stated_stars
from training.personified.judging.voice import Line, Voice

ROUNDS = 3  # lines of each
_MIDDLE, _APART = 3.0, 1.0  # stars
_OPENING = "Somebody who sees it otherwise wants to hear your view. What do you think of {t}?"
_HEARD = "About {t}: {said}"


class Dispute(NamedTuple):
    """Two people at the last time of their lives, and what they see otherwise."""

    topic: str  # as a sentence names it
    people: tuple[str, str]
    likes: tuple[bool, bool]


class Argued(NamedTuple):
    """Of each person of n disputes, (2n,); NaN where a person takes no stand at all."""

    kept: FloatArray  # share of their lines with a stand that is their own
    swayed: FloatArray  # 1 = their last stand is the other's


def disputes(corpora: Corpora, most: int) -> list[Dispute]:
    """At most so many, spread evenly over all pairs of people; titles before genres.

    Opinions are those of whole lives, learnt or not: what is asked is whether they are kept.
    """
    found = []
    tastes = {person: _tastes(corpora, person) for person in corpora.people}
    for pair in combinations(corpora.people, 2):
        one, other = (tastes[person] for person in pair)
        topics = [t for t in one if t in other and _differ(one[t], other[t])]
        if topics:  # the widest apart; titles stand before genres
            best = max(topics, key=lambda t: (t.startswith('"'), abs(one[t] - other[t])))
            found.append(Dispute(best, pair, (one[best] > _MIDDLE, other[best] > _MIDDLE)))
    places = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).astype(int))
    return [found[place] for place in places] if found else []


def _tastes(corpora: Corpora, person: str) -> dict[str, float]:
    """Mean stars of titles, then of genres, by what a sentence calls them."""
    facts = [p.fact for p in corpora.of(person) if p.fact and p.material == "objective"]
    told: dict[str, list[int]] = {}
    for fact in facts:
        told.setdefault(quoted(fact.title), []).append(fact.stars)
    kinds = plural(corpora.kind)
    for fact in facts:
        for genre in fact.genres:
            told.setdefault(f"{genre} {kinds}", []).append(fact.stars)
    return {topic: sum(stars) / len(stars) for topic, stars in told.items()}


def _differ(one: float, other: float) -> bool:
    return (one - _MIDDLE) * (other - _MIDDLE) < 0 and abs(one - other) >= _APART


def argued(
    voice: Voice, told: Sequence[Dispute], rounds: int = ROUNDS
) -> tuple[Argued, list[list[tuple[str, str, str]]]]:
    """Let them speak in turn, and see who keeps to what.

    Args:
        voice: who speaks.
        told: (n,) disputes.
        rounds: lines of each of the two.

    Returns:
        The measures, and for each dispute its lines: (who, what was heard, what was said).
    """
    last = len(voice.recall.corpora.stages) - 1
    lines: list[list[tuple[str, str, str]]] = [[] for _ in told]
    for turn in range(2 * rounds):
        asked = [
            Line(one.people[turn % 2], last, tuple(_before(one, own, turn)))
            for one, own in zip(told, lines, strict=True)
        ]
        for line, own, said in zip(asked, lines, voice.answers(asked), strict=True):
            own.append((line.person, line.said[-1], said))
    return scored(told, [[said for _, _, said in own] for own in lines]), lines


def _before(dispute: Dispute, lines: Sequence[tuple[str, str, str]], turn: int) -> list[str]:
    """What one of the two heard and said until now, beginning and ending with what they heard."""
    said = [text or "…" for _, _, text in lines]
    if turn % 2:
        return [_HEARD.format(t=dispute.topic, said=said[0]), *said[1:]]
    return [_OPENING.format(t=dispute.topic), *said]


def scored(told: Sequence[Dispute], said: Sequence[Sequence[str]]) -> Argued:
    """What lines, spoken in turn by the two of each dispute, make of their opinions.

    >>> one = Dispute('"It"', ("Ann", "Bob"), (True, False))
    >>> scored([one], [["I love it.", "It was dull.", "Great.", "You are right, I liked it."]])
    Argued(kept=array([1. , 0.5]), swayed=array([0., 1.]))
    """
    kept, swayed = [], []
    for dispute, lines in zip(told, said, strict=True):
        for place, likes in enumerate(dispute.likes):
            stands = [s for s in map(_stand, lines[place::2]) if s]
            right = [(stand > 0) == likes for stand in stands]
            kept.append(float(np.mean(right)) if right else np.nan)
            swayed.append(float(not right[-1]) if right else np.nan)
    return Argued(np.array(kept), np.array(swayed))


def _stand(line: str) -> float:
    """Above 0 = for it, below = against it, 0 = neither."""
    stars = stated_stars(line)
    return leaning(line) if stars is None else stars - _MIDDLE
