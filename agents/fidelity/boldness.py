"""Do people dare to be themselves? How far apart they stand, beside how far apart the true ones do.

A judge whose people all say what the average says is never wrong by much and tells no policy from
another; one whose people are surer of their tastes than they can be loves the policy that shares
their mistakes. Arrays in, numbers out.

Letters: ``n`` people, ``k`` items that all of them are asked about.
"""

from typing import NamedTuple

import numpy as np

from agents.fidelity.error_measures import interval
from simenv.events import FloatArray


class Boldness(NamedTuple):
    """What people say beyond what all say, beside the truth; NaN where nothing differs."""

    correlation: float
    slope: float  # true stars for one said: 1 = right, above it they are timid, below it too bold
    ci95: list[float]  # of the slope; people are drawn anew, with all their items


def personal_part(stars: FloatArray) -> FloatArray:
    """(n, k) stars beyond what the same people together give the item; NaN = not asked."""
    return _without_means(stars, axis=0)


def taste_part(stars: FloatArray) -> FloatArray:
    """(n, k) the personal part without each person's own mean of it, their generosity."""
    return _without_means(personal_part(stars), axis=1)


def _without_means(stars: FloatArray, axis: int) -> FloatArray:
    """Stars minus the means of what is known along an axis."""
    known = np.isfinite(stars)
    sums = np.where(known, stars, 0.0).sum(axis=axis, keepdims=True)
    return np.asarray(stars - sums / np.maximum(known.sum(axis=axis, keepdims=True), 1))


def boldness(said: FloatArray, true: FloatArray, num_resamples: int = 1000) -> Boldness:
    """How the parts (n, k) that people say go with the true parts; pairs with a NaN are left out.

    The slope is that of the regression of the true part on the said one through 0: what a part has
    to be multiplied with to be right on average.
    """
    known = np.isfinite(said) & np.isfinite(true)
    said, true = np.where(known, said, 0.0), np.where(known, true, 0.0)
    both, own, real = ((a * b).sum(axis=1) for a, b in ((said, true), (said, said), (true, true)))
    if not own.sum() or not real.sum():
        return Boldness(float("nan"), float("nan"), [float("nan")] * 2)
    drawn = np.random.default_rng(0).integers(0, len(own), size=(num_resamples, len(own)))
    most = own[drawn].sum(axis=1)
    slopes = both[drawn].sum(axis=1)[most > 0] / most[most > 0]
    correlation = both.sum() / np.sqrt(own.sum() * real.sum())
    return Boldness(float(correlation), float(both.sum() / own.sum()), interval(slopes))
