"""Comparisons in sentences: every report claims one only where its interval does.

It knows no experiment. A difference whose interval holds zero is "within noise"; a difference
without an interval (one seed, one user) is no finding, whatever its size.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from experiments.reporting.formatting import listed

ALPHA = 0.05
ONE_SEED = "one seed is no finding"

Ends = Sequence[float | None] | None
Verdict = Literal["more", "less", "noise", "unknown"]


def verdict(ends: Ends, p_value: float | None = 0.0) -> Verdict:
    """What a difference is worth.

    Args:
        ends: of its 95 % interval; None, or an end that is None or not finite = not known.
        p_value: adjusted for all comparisons made, where there is one; None = not known.

    >>> verdict([0.1, 0.2]), verdict([-0.1, 0.2]), verdict([0.1, 0.2], 0.3), verdict(None)
    ('more', 'noise', 'noise', 'unknown')
    """
    if ends is None or p_value is None or not all(e is not None and math.isfinite(e) for e in ends):
        return "unknown"
    low, high = (float(end or 0.0) for end in ends)
    if not p_value < ALPHA or low <= 0 <= high:
        return "noise"
    return "more" if low > 0 else "less"


def compare(
    other: str,
    ends: Ends,
    *,
    more: str,
    less: str,
    p_value: float | None = 0.0,
    unknown: str = "with no interval of the difference to {other}",
) -> str:
    """How something stands to ``other``, as a part of a sentence.

    Args:
        other: what it is compared with.
        ends: of the interval of it minus ``other``.
        more: words where it is surely larger, before ``other``, as ``"better than"``.
        less: words where it is surely smaller.
        p_value: see ``verdict``.
        unknown: what is said where there is no interval.

    >>> compare("b", [-0.1, 0.2], more="better than", less="worse than")
    'within noise of b'
    >>> compare("b", [-0.2, -0.1], more="better than", less="worse than")
    'worse than b'
    """
    found = verdict(ends, p_value)
    if found == "unknown":
        return unknown.format(other=other)
    return {"more": f"{more} {other}", "less": f"{less} {other}"}.get(
        found, f"within noise of {other}"
    )


def compare_all(others: Mapping[str, Ends], *, more: str, less: str) -> list[str]:
    """``compare`` with each of several, those of one verdict together.

    >>> compare_all({"a": [-2, -1], "b": [-1, 1], "c": [-3, -2]}, more="above", less="below")
    ['below a and c', 'within noise of b']
    """
    found: dict[Verdict, list[str]] = {"less": [], "noise": [], "more": [], "unknown": []}
    first: dict[Verdict, Ends] = {}
    for other, ends in others.items():
        found[verdict(ends)].append(other)
        first.setdefault(verdict(ends), ends)
    return [
        compare(listed(names), first[how], more=more, less=less)
        for how, names in found.items()
        if names
    ]


def unpaired(
    one: float, one_ends: Ends, other: float, other_ends: Ends
) -> tuple[float, float] | None:
    """A 95 % interval of ``one - other`` from the symmetric intervals of both, taken independent.

    None where one of them is not known. Wider than a paired one where both met the same users.

    >>> unpaired(4.0, [3.7, 4.3], 3.0, [2.6, 3.4])
    (0.5, 1.5)
    """
    halves = [_half(one, one_ends), _half(other, other_ends)]
    if not all(map(math.isfinite, halves)):
        return None
    half = math.hypot(*halves)
    return round(one - other - half, 9), round(one - other + half, 9)


def _half(mean: float, ends: Ends) -> float:
    if ends is None or ends[0] is None or ends[1] is None:
        return math.nan
    return max(ends[1] - mean, mean - ends[0])
