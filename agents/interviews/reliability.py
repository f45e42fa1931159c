"""Whether answers can be trusted: consistency, stability, yes-saying, order and missing answers.

Plain formulas; they know no model. A figure that cannot be computed is NaN.
"""

from typing import NamedTuple

import numpy as np

from agents.interviews.instruments import Instrument
from simenv.events import BoolArray, FloatArray, IntArray


def cronbach_alpha(points: FloatArray) -> float:
    """Cronbach's (1951): m / (m - 1) (1 - sum of the items' variances / variance of the sum).

    Args:
        points: (n, m) keyed points of one trait's items; rows with a NaN are left out.

    Returns:
        NaN with fewer than two items or people, or where all sums are equal.
    """
    rows = points[np.isfinite(points).all(axis=1)]
    n, m = rows.shape
    if n < 2 or m < 2:
        return float("nan")
    total = rows.sum(axis=1).var(ddof=1)
    if total <= 1e-12:
        return float("nan")
    return float(m / (m - 1) * (1.0 - rows.var(axis=0, ddof=1).sum() / total))


def retest_correlation(first: FloatArray, second: FloatArray) -> float:
    """Test-retest: Pearson's r of two administrations (n,); NaN below three or if constant."""
    known = np.isfinite(first) & np.isfinite(second)
    a, b = first[known], second[known]
    if len(a) < 3 or a.std() <= 1e-12 or b.std() <= 1e-12:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def traits_of_both_keys(instrument: Instrument) -> tuple[str, ...]:
    """The traits with an item of either key, of which alone acquiescence can be told."""
    keys = {(item.trait, item.key) for item in instrument.items}
    names = (trait.name for trait in instrument.traits)
    return tuple(name for name in names if {(name, 1), (name, -1)} <= keys)


def acquiescence(instrument: Instrument, raw: FloatArray) -> float:
    """How much is agreed to whatever is said, from -1 (never) to 1 (always).

    For every trait with items of both keys: the mean raw points of the items keyed +1 and of those
    keyed -1, averaged, above the middle of the options, in halves of their range. Who answers by
    the trait alone gets 0.

    Args:
        instrument: m items.
        raw: (..., m) points without keys.

    Returns:
        The mean over traits; NaN where no trait has items of both keys, see
        ``traits_of_both_keys``.
    """
    table = instrument.raw_points
    middle = (np.nanmin(table, axis=1) + np.nanmax(table, axis=1)) / 2
    half = (np.nanmax(table, axis=1) - np.nanmin(table, axis=1)) / 2
    scaled = ((raw - middle) / half).reshape(-1, len(table))
    keys = np.array([item.key for item in instrument.items])
    found = []
    for trait in range(len(instrument.traits)):
        own = instrument.trait_of_item == trait
        up, down = scaled[:, own & (keys > 0)], scaled[:, own & (keys < 0)]
        if up.shape[1] and down.shape[1] and np.isfinite(up).any() and np.isfinite(down).any():
            found.append((np.nanmean(up) + np.nanmean(down)) / 2)
    return float(np.mean(found)) if found else float("nan")


def order_sensitivity(logs: FloatArray) -> float:
    """How far an answer's distribution moves when its options change places, from 0 to 1.

    Total variation distance of every round to the mean of the rounds, averaged; NaN for one round.

    Args:
        logs: (n, m, r, k) as in ``Answers``.
    """
    if logs.shape[2] < 2:
        return float("nan")
    shares = np.exp(logs)
    apart = np.abs(shares - shares.mean(axis=2, keepdims=True)).sum(axis=3) / 2
    known = apart[np.isfinite(apart)]
    return float(known.mean()) if known.size else float("nan")


class Rates(NamedTuple):
    """Shares of all answers asked for."""

    invalid: float  # nothing that is an option, whatever was tried; refusals among them
    refused: float  # refusals in words
    retried: float  # answers that needed more than one try


def rates(options: IntArray, refused: BoolArray, tries: IntArray) -> Rates:
    """The shares of arrays of one shape: options (-1 = none), refusals, tries (from 1)."""
    return Rates(float((options < 0).mean()), float(refused.mean()), float((tries > 1).mean()))
