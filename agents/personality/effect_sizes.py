"""How far two groups are apart, and how far two measures go together. Arrays in, numbers out.

Intervals draw people again, a person with all of their values, since values of one person are not
independent. Letters: ``n`` people, ``t`` traits, ``c`` conditions, ``b`` resamples.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator


class Estimate(NamedTuple):
    """A figure and its 95 % interval; NaN = there is none."""

    value: float
    low: float
    high: float


def cohens_d(high: FloatArray, low: FloatArray) -> float:
    """Difference of the means over the pooled standard deviation of both groups (n,).

    ``(mean high - mean low) / sqrt((var high + var low) / 2)``, variances over n - 1. NaN below two
    values, or where neither group varies.

    >>> cohens_d(np.array([2.0, 4.0]), np.array([1.0, 3.0])).__round__(3)
    0.707
    """
    if len(high) < 2 or len(low) < 2:
        return float("nan")
    pooled = float(np.sqrt((high.var(ddof=1) + low.var(ddof=1)) / 2))
    return float((high.mean() - low.mean()) / pooled) if pooled > 1e-12 else float("nan")


def cliffs_delta(high: FloatArray, low: FloatArray) -> float:
    """Chance that a value of ``high`` exceeds one of ``low``, minus the reverse; in [-1, 1].

    >>> cliffs_delta(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    0.75
    """
    if not len(high) or not len(low):
        return float("nan")
    return float(np.sign(high[:, None] - low[None, :]).mean())


def correlation(x: FloatArray, y: FloatArray) -> float:
    """Pearson's r of values (n,); NaN below three pairs, or where one does not vary."""
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < 3 or x.std() < 1e-12 or y.std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def effect(
    measure: Callable[[FloatArray, FloatArray], float],
    high: FloatArray,
    low: FloatArray,
    resamples: int,
    seed: int = 0,
) -> Estimate:
    """``measure`` of two groups of the same people (n,), people drawn again for the interval.

    People without a value in either group are left out of both.
    """
    known = ~(np.isnan(high) | np.isnan(low))
    high, low = high[known], low[known]
    return resampled(lambda rows: measure(high[rows], low[rows]), len(high), resamples, seed)


def resampled(
    figure: Callable[[IntArray], float], num_people: int, resamples: int, seed: int = 0
) -> Estimate:
    """``figure`` of everybody, and the middle 95 % of it over people drawn again.

    Args:
        figure: of people (num_people,) by number, who may repeat.
        num_people: n.
        resamples: draws, b; those without a figure are left out.
        seed: of the draws.
    """
    if not num_people:
        return Estimate(np.nan, np.nan, np.nan)
    rng = generator(seed, Stream.LEVEL_RESAMPLES)
    value = figure(np.arange(num_people))
    drawn = [figure(rng.integers(num_people, size=num_people)) for _ in range(resamples)]
    known = [one for one in drawn if not np.isnan(one)]
    if np.isnan(value) or len(known) < resamples / 2:
        return Estimate(value, np.nan, np.nan)
    low, high = np.percentile(known, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def standardised(values: FloatArray, axes: Sequence[int]) -> FloatArray:
    """Values minus their mean, over their standard deviation, along ``axes``; NaN stays.

    Where they do not vary all become 0.
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=tuple(axes), keepdims=True), 1)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=tuple(axes), keepdims=True) / count
    apart = np.where(known, values - mean, 0.0)
    spread = np.sqrt((apart**2).sum(axis=tuple(axes), keepdims=True) / count)
    return np.asarray(np.where(known, apart / np.where(spread > 1e-12, spread, np.inf), np.nan))
