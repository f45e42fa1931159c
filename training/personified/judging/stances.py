"""What a reply says about a rating, read by rules: stars, a correction, agreement. No model.

A judge says whether a reply rejects what a question takes for granted. The rules come first, since
stars can be looked up; any other judge is a class with a ``stance``, checked on the same slice.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from training.personified.exchanges import Exchange

Stance = Literal["rejects", "accepts", "unclear"]
RULES = "rules"

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_STARS = re.compile(
    r"\b(?P<number>[1-5]|one|two|three|four|five)[ -]?(?:stars?\b|out of (?:5|five)\b)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|instead of|rather than|no)\s+(?:\w+\s+){0,3}$", re.IGNORECASE)
_DENIAL = re.compile(
    r"^\W*(?:no\b(?! doubt)|not (?:so|quite|right|true)\b)"
    r"|\bthat(?: is|'s) (?:not|a mistake|wrong|false|untrue)\b|\bthat never happened\b"
    r"|\byou (?:mix|are mistaken|are wrong|must be thinking)\b|\b(?:have|need) to correct you\b"
    r"|\bi (?:must|should) correct\b|\bremember it otherwise\b"
    r"|\bi (?:never|did not|didn't|don't) (?:say|said|give|gave|rate|rated|think)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\bi (?:have not|haven't|never|did not|didn't) (?:rated?|seen|see|watched|watch|met)\b"
    r"|\bi do not know\b|\bi don't know\b|\bnot among (?:those|the ones)\b|\bno memory of\b"
    r"|\bno opinion of\b",
    re.IGNORECASE,
)
_CONFIRMATION = re.compile(
    r"^\W*(?:yes|right|exactly|quite so|indeed|true|correct|of course|sure)\b"
    r"|\bthat is (?:so|right|true)\b|\bthat's (?:right|true)\b",
    re.IGNORECASE,
)
_AGREEMENT = re.compile(
    r"\bi (?:fully |also )?agree\b|\bthe same way\b|\byou are right\b|\bmy view too\b|^\W*yes\b",
    re.IGNORECASE,
)
_DISAGREEMENT = re.compile(
    r"\b(?:do not|don't|cannot|can't) agree\b|\bdisagree\b|\bsee it otherwise\b|\bthere we differ\b"
    r"|\bcannot go along\b|^\W*no\b",
    re.IGNORECASE,
)


def stated_stars(reply: str) -> int | None:
    """Stars that the person says they gave: the first ones that are not denied.

    >>> stated_stars("I gave it 2 stars, not 5 stars."), stated_stars("It was never 5 stars.")
    (2, None)
    """
    for found in _STARS.finditer(reply):
        if not _NOT.search(reply[: found.start()]):
            word = found["number"].lower()
            return _NUMBERS.get(word) or int(word)
    return None


def denies(reply: str) -> bool:
    """Whether a reply says that something is not so."""
    return _DENIAL.search(_apostrophes(reply)) is not None


def agrees(reply: str) -> bool | None:
    """Whether a reply shares an opinion; None where it does not say."""
    plain = _apostrophes(reply)
    if _DISAGREEMENT.search(plain):
        return False
    return True if _AGREEMENT.search(plain) else None


def _apostrophes(text: str) -> str:
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


class Judge(Protocol):
    """Whoever says what a reply makes of a premise."""

    name: str

    def stance(self, exchange: Exchange, reply: str) -> Stance:
        """Whether the reply rejects what the question takes for granted."""
        ...


class RuleJudge:
    """Stars by their number, else words of correction and confirmation."""

    name = RULES

    def stance(self, exchange: Exchange, reply: str) -> Stance:
        """See ``Judge``; "unclear" where the rules find nothing."""
        said = stated_stars(reply)
        if said is not None and exchange.claimed is not None:
            return "accepts" if _fits(exchange, said) else "rejects"
        unknown = _UNKNOWN.search(_apostrophes(reply)) is not None
        if unknown and exchange.claimed is not None:
            return "accepts" if exchange.claimed == 0 else "rejects"
        if denies(reply):
            return "rejects"
        return "accepts" if _CONFIRMATION.search(_apostrophes(reply)) else "unclear"


def _fits(exchange: Exchange, said: int) -> bool:
    """Whether stars that a person states go with what the question takes for granted."""
    if not exchange.claimed:
        return False  # "you never rated it"
    if "star" in exchange.question:
        return said == exchange.claimed
    return (said > 3) == (exchange.claimed > 3) and said != 3


def judge_named(name: str) -> Judge:
    """``rules``, or the class at a dotted path.

    Raises:
        ValueError: there is no such class, or it has no ``stance``.
    """
    if name == RULES:
        return RuleJudge()
    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), last)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ValueError(
            f"judge wanted {RULES}, or the dotted path of a class with"
            f" stance(exchange, reply), got {name!r} ({type(error).__name__}: {error}); correct the"
            " path, or put its folder on PYTHONPATH"
        ) from error
    if not callable(getattr(found, "stance", None)):
        raise ValueError(
            f"judge wanted a class with stance(exchange, reply), got {name!r} without one; give it"
            " that method"
        )
    judge: Judge = found
    return judge


class JudgeCard(NamedTuple):
    """What a judge is worth on replies whose stance was written down by hand."""

    name: str
    right: float  # share
    replies: int


def checked(judge: Judge, told: Sequence[tuple[Exchange, str, Stance]]) -> JudgeCard:
    """How often the judge says what a person wrote down."""
    right = sum(judge.stance(exchange, reply) == stance for exchange, reply, stance in told)
    return JudgeCard(judge.name, right / len(told), len(told))
