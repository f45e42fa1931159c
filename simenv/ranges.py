"""The project's one check of settings that are numbers: type, finiteness, range and the error.

It knows no setting. A range is written as in mathematics: ``"(0, 1]"``, ``"[1, inf)"``; the word
``whole`` before it asks for an integer. NaN and infinities lie in no range; truth values are no
numbers.
"""

import math
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LIMIT = 1e6  # from here on an upper end only says that a number makes no sense
_NO_NUMBERS = (bool, np.bool_, np.timedelta64)  # though Python or numpy counts them among them
_NOTATION = re.compile(r"(whole )?([\[(])(\S+), (\S+)([\])])")


class Range(NamedTuple):
    """Numbers between two ends."""

    whole: bool
    low: float
    high: float
    opening: str  # "[" includes the end, "(" leaves it out
    closing: str

    @classmethod
    def parse(cls, notation: str) -> "Range":
        """The range that ``notation`` names, such as ``"whole [1, inf)"``.

        Raises:
            ValueError: it is no such notation.
        """
        found = _NOTATION.fullmatch(notation)
        if not found:
            raise ValueError(f"a range wanted a notation as 'whole [1, inf)', got {notation!r}")
        whole, opening, low, high, closing = found.groups()
        return cls(bool(whole), float(low), float(high), opening, closing)

    def holds(self, value: float) -> bool:
        """Whether a finite number lies inside."""
        above = value >= self.low if self.opening == "[" else value > self.low
        below = value <= self.high if self.closing == "]" else value < self.high
        return above and below

    def __str__(self) -> str:
        low, high = _brief(self.low), _brief(self.high)
        if math.isinf(self.high):
            if math.isinf(self.low):
                return "as a number"
            return f"{'of at least' if self.opening == '[' else 'above'} {low}"
        return f"in {self.opening}{low}, {high}{self.closing}"


def check_number(owner: str, name: str, value: object, allowed: str, cure: str = "") -> None:
    """Refuse a setting that is no number of the range ``allowed``.

    Args:
        owner: whose setting, as the user calls it; "" = nobody's in particular.
        name: of the setting.
        value: what came.
        allowed: see the module.
        cure: what to do, without a full stop; "" = to choose such a number.

    Raises:
        TypeError: it is no number (text, a truth value, None, an array).
        ValueError: it is NaN, infinite, not whole or out of range.
    """
    wanted = Range.parse(allowed)
    crossed = isinstance(value, int | float) and wanted.high < value < math.inf
    if wanted.high >= _LIMIT and not crossed:
        wanted = wanted._replace(high=math.inf)  # a limit of sense that was not met: not named

    def text(more: str = "", but: str = "") -> str:
        subject = f"{owner} wanted {name}" if owner else f"{name} wanted a number"
        return f"{subject} {wanted}{more}, got {value!r:.80}{but}; {cure or 'choose such a number'}"

    if isinstance(value, _NO_NUMBERS) or not isinstance(value, Real):
        raise TypeError(text(but=", which is no number"))
    if not _is_finite(value, wanted.whole):
        raise ValueError(text(" and finite"))
    if wanted.whole and not isinstance(value, Integral):
        raise ValueError(text(" and whole"))
    if not wanted.holds(value):  # type: ignore[arg-type]
        raise ValueError(text())


def _is_finite(value: Real, whole: bool) -> bool:
    """Whether a number is finite; where floats are wanted, what no float holds is not."""
    if whole and isinstance(value, Integral):
        return True
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def check_fields(settings: object, allowed: Mapping[str, str], cure: str = "") -> None:
    """``check_number`` of several attributes of ``settings``, whose class is the owner."""
    for name, notation in allowed.items():
        check_number(type(settings).__name__, name, getattr(settings, name), notation, cure)


def check_flag(owner: str, name: str, value: object) -> None:
    """Refuse a switch that is not True or False with a TypeError: the text "no" would be true."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(
            f"{owner} wanted {name} to be True or False, got {value!r:.80}; choose one of them"
        )


def check_seed(owner: str, name: str, seed: object) -> None:
    """Refuse a seed that numpy's generators would refuse: what is no whole number of at least 0."""
    check_number(owner, name, seed, "whole [0, inf)", "choose any whole one from 0 on, such as 0")


def as_array(values: object) -> NDArray[Any]:
    """Whatever came as an array, also where numpy refuses: ragged lists become objects."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError):
        held = np.empty((), dtype=object)
        held[()] = values
        return held


def is_whole(array: NDArray[Any]) -> bool:
    """Whether an array holds integers; durations, which numpy counts among them, are none."""
    return array.dtype.kind in "iu"


def _brief(end: float) -> str:
    return f"{end:,.0f}" if end.is_integer() and abs(end) < 1e15 else f"{end:g}"
