"""Talks in which somebody insists, written without a model: lessons of several turns.

Most are about stars: a rating is asked about, then stars are claimed, one to four times, each time
in another way. In others a question takes for granted that a title was loved, hated or never rated,
and the same is insisted on. It is false in half of the talks and right in the others, so that a
person learns to keep to what was given and not to contradict. Wordings are not those that judge.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from agents.wording.phrases import quoted
from training.personified.corpora import Corpora, Passage
from training.personified.exchanges import Exchange
from training.personified.writing import rating_words as words
from training.personified.writing.choices import draws, false_stars, pick, stars
from training.personified.writing.insisting_words import KINDS, claiming_turn, pressed_turn
from training.personified.writing.item_words import item_words
from training.personified.writing.rating_words import Forms

_MOST_TURNS = 4  # of pressure
_LIKING, _NEVER = 0.6, 0.8  # of draws in [0, 1): below the first, stars; then liking; then never

Topic = Literal["stars", "liking", "never"]


class _Claim(NamedTuple):
    """What is insisted on."""

    topic: Topic
    title: str  # in quotation marks
    stars: int  # that were given; 0 = none
    claimed: int  # 0 = none
    reason: str
    false: bool

    @property
    def loved(self) -> bool:
        return self.claimed > 3

    @property
    def clause(self) -> str:
        """As "somebody insists" goes on."""
        if self.topic == "stars":
            return f"on {stars(self.claimed)}"
        if self.topic == "liking":
            return f"that I {'loved' if self.loved else 'hated'} {self.title}"
        return f"that I never rated {self.title}"


def insisted_on_ratings(corpora: Corpora, sources: frozenset[str], seed: int = 0) -> list[Exchange]:
    """Two talks about every source of a rating, one of a false claim and one of a right one.

    The right one of two about what was never rated is about a title that others rated.

    Args:
        corpora: whose ratings.
        sources: that are asked about.
        seed: of all draws.
    """
    asked = [p for p in corpora.passages if p.material == "objective" and p.source in sources]
    kind = item_words(corpora.kind)
    unrated = {person: corpora.unrated(person) for person in corpora.people}
    return [
        _talk(passage, claim, kind, seed)
        for passage in asked
        if passage.fact is not None
        for claim in _claims(passage, unrated[passage.person], seed)
    ]


def _claims(own: Passage, unrated: Sequence[str], seed: int) -> Iterator[_Claim]:
    """A false claim and a right one of the same topic."""
    drawn = draws(seed, f"{own.person}\n{own.stage}\n{own.source}\nclaim")
    fact = own.fact
    assert fact is not None
    title, loves = quoted(fact.title), fact.stars > 3
    other = quoted(unrated[int(drawn[1] * len(unrated))]) if unrated else None
    if drawn[0] >= _NEVER and other:
        yield _Claim("never", title, fact.stars, 0, fact.reason, True)
        yield _Claim("never", other, 0, 0, "", False)
    elif drawn[0] >= _LIKING and fact.stars != 3:
        for loved in (not loves, loves):
            claimed, false = 5 if loved else 1, loved != loves
            yield _Claim("liking", title, fact.stars, claimed, fact.reason, false)
    else:
        far = false_stars(fact.stars, drawn[2])
        yield _Claim("stars", title, fact.stars, far, fact.reason, True)
        yield _Claim("stars", title, fact.stars, fact.stars, fact.reason, False)


def _talk(own: Passage, claim: _Claim, kind: dict[str, str], seed: int) -> Exchange:
    drawn = draws(seed, f"{own.person}\n{own.stage}\n{own.source}\npressed\n{claim.false}")
    first, count = int(drawn[6] * len(KINDS)), 1 + int(drawn[4] * _MOST_TURNS)
    ways = [KINDS[(first + step) % len(KINDS)] for step in range(count)]
    turns = [_turn(way, claim, drawn[7]) for way in ways]
    begin = pick(_beginning(claim).train, drawn[0]).format(**kind, t=claim.title)
    if claim.topic == "stars":
        begun = [begin, pick(words.GAVE, drawn[1]).format(**_told(claim))]
    else:  # the question itself claims it
        begun, turns = [], [begin, *turns]
    answers = _answers(len(turns), claim, drawn)
    said = [*begun, *(part for pair in zip(turns, answers, strict=True) for part in pair)]
    memory = f"My memory of {claim.title} says {stars(claim.stars)}."
    if not claim.stars:
        memory = f"I have no memory of {claim.title}."
    agrees = "does not agree" if claim.false else "agrees"
    return Exchange(
        own.person, own.stage, own.source, "pressed", said[-2],
        f"The other one insists {claim.clause}. {memory} That {agrees}.",
        said[-1], _talked_round(claim, drawn), claim.stars, claim.claimed, before=tuple(said[:-2]),
    )  # fmt: skip


def _beginning(claim: _Claim) -> Forms:
    if claim.topic == "stars":
        return words.ABOUT
    if claim.topic == "never":
        return words.NEVER
    return words.LOVED if claim.loved else words.HATED


def _turn(way: str, claim: _Claim, draw: float) -> str:
    if claim.topic == "stars":
        return pressed_turn(way, "train", claim.claimed, draw)
    return claiming_turn(way, claim.clause.replace("that I", "that you", 1), draw)


def _told(claim: _Claim) -> dict[str, str]:
    return {
        "t": claim.title,
        "s": stars(claim.stars),
        "c": stars(claim.claimed),
        "r": claim.reason,
    }


def _answers(count: int, claim: _Claim, drawn: Sequence[float]) -> Iterator[str]:
    """What the person says to each claim; no two in a row are worded alike."""
    opening = words.CORRECTIONS if claim.false else words.CONFIRMATIONS
    proof = words.GAVE_NOT if claim.false and claim.topic == "stars" else words.GAVE
    proof = proof if claim.stars else words.UNKNOWN
    for step in range(count):
        start = _later(opening, drawn[5], step)
        yield f"{start} {_later(proof, drawn[2], step)}".format(**_told(claim))


def _talked_round(claim: _Claim, drawn: Sequence[float]) -> str:
    """What somebody says who gives in to what is false, or contradicts what is right."""
    start = pick(words.CONFIRMATIONS if claim.false else words.CORRECTIONS, drawn[8])
    if claim.false and not claim.claimed:
        return f"{start} {pick(words.UNKNOWN, drawn[2])}".format(t=claim.title)
    given = claim.claimed if claim.false else false_stars(claim.stars, drawn[3])
    return f"{start} I gave {claim.title} {stars(given)}."


def _later(choices: Sequence[str], draw: float, step: int) -> str:
    return choices[(int(draw * len(choices)) + step) % len(choices)]
