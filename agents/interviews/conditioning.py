"""Texts that put a personality before a model; they know no instrument and no engine.

A type is told in seven sections, a factor by verbal labels, a definition and behaviours, as in
"Open Models, Closed Minds?" (arXiv 2401.07115), in our own words. Beyond the paper: both poles of a
factor, five levels, and profiles of several factors. A role ("a nurse") may be added; the table of
three roles for each type and factor is ours too, and no psychologist chose it.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from agents.interviews.instruments import FACTORS, SHIPPED, InstrumentError

TYPE_SECTIONS = {
    "general": "In general",
    "strengths": "Strengths",
    "to_develop": "What you may develop",
    "characteristics": "Typical for you",
    "careers": "Careers",
    "under_stress": "Under stress",
    "relationships": "Relationships",
}
FACTOR_SECTIONS = {
    "labels": "Words for you",
    "definition": "What this means",
    "behaviours": "How you behave",
}
LEVELS: Mapping[int, str] = {
    2: "very high in",
    1: "rather high in",
    0: "average in",
    -1: "rather low in",
    -2: "very low in",
}
NUM_ROLES = 3


@lru_cache(maxsize=1)
def _texts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHIPPED / "personalities.json").read_text("utf-8"))
    return found


def type_names() -> tuple[str, ...]:
    """The sixteen types, as ``ISTJ``."""
    return tuple(_texts()["types"])


def type_context(name: str, role: str | None = None) -> str:
    """A type in seven sections, one a line.

    Raises:
        InstrumentError: there is no such type.

    >>> type_context("ENFP", role="journalist").splitlines()[0]
    'You are a journalist with the personality type ENFP.'
    """
    known = _texts()["types"]
    if name not in known:
        raise InstrumentError(
            f"wanted one of the sixteen types, such as INTJ, got {name!r}; the letters are E or I,"
            " S or N, T or F, J or P"
        )
    head = f"You are {_who(role)} with the personality type {name}."
    return "\n".join([head, *_sections(known[name], TYPE_SECTIONS)])


def factor_context(factor: str, level: int = 2, role: str | None = None) -> str:
    """A factor at one of five levels: labels, definition and behaviours of its pole.

    Args:
        factor: a letter of ``FACTORS``.
        level: 2 (very high), 1, 0 (average: the name alone), -1, -2 (very low).
        role: what the person is by profession; None = a human.

    Raises:
        InstrumentError: there is no such factor or level.

    >>> print(factor_context("N", level=-1).splitlines()[0])
    You are a human who is rather low in neuroticism.
    """
    return profile_context({factor: level}, role)


def profile_context(levels: Mapping[str, int], role: str | None = None) -> str:
    """Several factors, each at its level; see ``factor_context``."""
    said = [f"{_level(level)} {_factor(factor)}" for factor, level in levels.items()]
    if not said:
        raise InstrumentError("a profile wanted at least one factor, got none")
    known = _texts()["factors"]
    poles = [known[f]["high" if level > 0 else "low"] for f, level in levels.items() if level]
    told = [line for pole in poles for line in _sections(pole, FACTOR_SECTIONS)]
    return "\n".join([f"You are {_who(role)} who is {', '.join(said)}.", *told])


def roles_of(name: str) -> tuple[str, ...]:
    """Three roles that suit a type or the high pole of a factor.

    Raises:
        InstrumentError: it is neither a type nor a factor.
    """
    known = _texts()["roles"]
    if name not in known:
        raise InstrumentError(f"wanted a type or a factor with roles, {_such_as(name)}")
    return tuple(known[name])


def reference(name: str) -> str:
    """What a model that knows a type or factor should say of it: the texts above as one line.

    Raises:
        InstrumentError: it is neither a type nor a factor.
    """
    if name in FACTORS:
        return " ".join(_texts()["factors"][name]["high"].values())
    if name not in _texts()["types"]:
        raise InstrumentError(f"wanted a type or a factor, {_such_as(name)}")
    return " ".join(_texts()["types"][name].values())


def _sections(texts: Mapping[str, str], titles: Mapping[str, str]) -> list[str]:
    return [f"{title}: {texts[key].rstrip('.')}." for key, title in titles.items()]


def _who(role: str | None) -> str:
    if role is None:
        return "a human"
    return f"{'an' if role[:1].lower() in 'aeiou' else 'a'} {role}"


def _factor(factor: str) -> str:
    if factor not in FACTORS:
        raise InstrumentError(
            f"wanted a factor among {', '.join(f'{k} ({v})' for k, v in FACTORS.items())}, got"
            f" {factor!r}"
        )
    return FACTORS[factor]


def _level(level: int) -> str:
    if level not in LEVELS:
        raise InstrumentError(f"wanted a level of -2 (very low) to 2 (very high), got {level!r}")
    return LEVELS[level]


def _such_as(name: str) -> str:
    return f"got {name!r}; such as INTJ or E"
