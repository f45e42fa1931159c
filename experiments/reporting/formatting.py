"""Figures as text for reports, and figures as they are kept in ``results.json``.

A figure that does not exist is None in JSON and a dash in text, never NaN.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NONE = "\N{EN DASH}"


def number(value: float | None, places: int) -> str:
    """A figure or a dash.

    >>> number(0.5, 2)
    '0.50'
    """
    return NONE if value is None else f"{value:.{places}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float | None, places: int) -> str:
    """A difference with its sign, or a dash.

    >>> signed(0.5, 2)
    '+0.50'
    """
    return NONE if value is None else f"{value:+.{places}f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float | None) -> str:
    """A share in per cent, or a dash.

    >>> percent(0.256)
    '26 %'
    """
    return NONE if value is None else f"{100 * value:.0f} %"


def interval(ends: Sequence[float | None] | None, places: int) -> str:
    """Both ends of an interval, or a dash.

    >>> interval([0.1, 0.25], 2)
    '0.10 to 0.25'
    """
    if ends is None or None in ends:
        return NONE
    return f"{number(ends[0], places)} to {number(ends[1], places)}"


def with_margin(mean: float | None, ends: Sequence[float | None] | None) -> str:
    """A mean and half the width of its (symmetric) interval, or a dash.

    >>> with_margin(3.0, [2.5, 3.5]).replace("\N{NO-BREAK SPACE}", " ")
    '3.00 ± 0.50'
    """
    if mean is None or ends is None or ends[1] is None:
        return number(mean, 2)
    return f"{number(mean, 2)}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{number(ends[1] - mean, 2)}"


def with_interval(value: float | None, ci95: Sequence[float | None]) -> str:
    """A figure and, where it is known, its interval in brackets.

    >>> with_interval(0.2, [0.1, 0.25])
    '0.20 (0.10 to 0.25)'
    """
    if value is None or None in ci95:
        return number(value, 2)
    return f"{number(value, 2)} ({interval(ci95, 2)})"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def rounded(value: float, places: int = 6) -> float | None:
    """A number for JSON, rounded beyond what any report shows; None instead of NaN or infinity.

    >>> rounded(1 / 3), rounded(float("nan"))
    (0.333333, None)
    """
    return round(float(value), places) if math.isfinite(value) else None


def rounded_ends(low: float, high: float, places: int = 6) -> list[float | None]:
    """Both ends of an interval for JSON.

    >>> rounded_ends(0.1, float("inf"))
    [0.1, None]
    """
    return [rounded(low, places), rounded(high, places)]


def tidy(value: Any, places: int = 6) -> Any:
    """A tree of figures for JSON: named tuples become mappings, arrays lists, NaN None.

    >>> tidy({"a": (1.23456789, float("nan")), 2: True}, 3)
    {'a': [1.235, None], '2': True}
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): tidy(one, places) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(one, places) for one in value]
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return tidy(value.tolist(), places)
    return rounded(value, places) if isinstance(value, float) else value


def estimate(found: Sequence[float], places: int = 6) -> dict[str, Any]:
    """A mean with its interval for JSON.

    Args:
        found: mean, low, high.
        places: decimals.

    >>> estimate([0.5, 0.25, 0.75])
    {'mean': 0.5, 'ci95': [0.25, 0.75]}
    """
    mean, low, high = found
    return {"mean": rounded(mean, places), "ci95": rounded_ends(low, high, places)}
