"""Kinds of values that an option may have: each says what it wanted and whether a value fits.

Values are those of a resolved config: None, bool, int, float, str, list and dict.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol


class Kind(Protocol):
    """What may stand behind the equals sign of an option."""

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        ...

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number in [low, high]; None = no limit."""

    low: int | None = 0
    high: int | None = None

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return f"a whole number{_range(self.low, self.high)}"

    def fits(self, value: Any) -> bool:
        """Whether a value may be used; true and false are no numbers."""
        return isinstance(value, int) and not isinstance(value, bool) and _within(self, value)


@dataclass(frozen=True)
class Real:
    """A finite number in [low, high], or in (low, high] where it has to be ``above``."""

    low: float | None = 0.0
    high: float | None = None
    above: bool = False

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        if self.above:
            most = "" if self.high is None else f", at most {self.high:g}"
            return f"a number above {self.low:g}{most}"
        return f"a number{_range(self.low, self.high)}"

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return _within(self, value) and not (self.above and value == self.low)


@dataclass(frozen=True)
class Text:
    """A text of at least one letter, or (``empty``) any text."""

    what: str = "a text"
    empty: bool = False

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return self.what

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return isinstance(value, str) and (self.empty or bool(value.strip())) and "\0" not in value


@dataclass(frozen=True)
class Matching:
    """A text of a certain form."""

    form: str  # a regular expression of the whole text
    what: str

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return self.what

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return isinstance(value, str) and re.fullmatch(self.form, value) is not None


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return self.words[0] if len(self.words) == 1 else f"one of {', '.join(self.words)}"

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return isinstance(value, str) and value in self.words


@dataclass(frozen=True)
class Flag:
    """True or false."""

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return "true or false"

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return isinstance(value, bool)


@dataclass(frozen=True)
class ListOf:
    """A list of at least ``least`` values of one kind, at most ``most``."""

    kind: Kind
    least: int = 1
    most: int | None = None

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        size = f" of {self.least}" if self.least == self.most else ""
        some = " with at least one entry" if self.least == 1 and self.most is None else ""
        return f"a list{size}{some}, each {self.kind.wanted}"

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        if not isinstance(value, list) or len(value) < self.least:
            return False
        if self.most is not None and len(value) > self.most:
            return False
        return all(self.kind.fits(one) for one in value)


@dataclass(frozen=True)
class Either:
    """A value of any of some kinds; ``null`` stands for None."""

    kinds: tuple[Kind, ...]
    null: bool = False

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return " or ".join([*(kind.wanted for kind in self.kinds), *["null"] * self.null])

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return (value is None and self.null) or any(kind.fits(value) for kind in self.kinds)


@dataclass(frozen=True)
class Anything:
    """A value that somebody else checks: settings of a node, a grid, a shock."""

    what: str
    types: tuple[type, ...] = (dict,)

    @property
    def wanted(self) -> str:
        """What fits, in words."""
        return self.what

    def fits(self, value: Any) -> bool:
        """Whether a value may be used."""
        return isinstance(value, self.types)


def _within(limits: Whole | Real, value: float) -> bool:
    low, high = limits.low, limits.high
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f" from {low:,}" if isinstance(low, int) else f" from {low:g}"
    ends = (f"{low:,}", f"{high:,}") if isinstance(high, int) else (f"{low:g}", f"{high:g}")
    return f" from {ends[0]} to {ends[1]}"
