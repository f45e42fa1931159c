"""Intervals and contrasts over users: what a difference between policies is worth.

Every figure resamples or averages over *users*, the unit that was drawn; slates of one user are
not independent. It knows numbers only. Letters: ``n`` users, ``p`` policies.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simenv.events import FloatArray

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean with its confidence interval; ``low`` and ``high`` are NaN below two values."""

    mean: float
    low: float
    high: float


class Contrast(NamedTuple):
    """A paired difference with its interval and two-sided p-value."""

    mean: float
    low: float
    high: float
    p_value: float
    variance_gain: float = np.nan  # how many times more users an unpaired comparison would need


def mean_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Mean of users' values (n,) and its interval ``mean ± t · sd / √n``, t of n - 1 degrees.

    NaN entries are left out; sd divides by n - 1. Student: The probable error of a mean (1908).

    >>> [round(x, 3) for x in mean_interval([3.0, 4.0, 5.0])]
    [4.0, 1.516, 6.484]
    """
    from scipy.stats import t  # heavy, and only this needs it

    x = _finite(values)
    if len(x) < 2:
        return Interval(float(x.mean()) if len(x) else np.nan, np.nan, np.nan)
    half = float(t.ppf(0.5 + confidence / 2, len(x) - 1)) * float(x.std(ddof=1)) / np.sqrt(len(x))
    return Interval(float(x.mean()), float(x.mean() - half), float(x.mean() + half))


def share_interval(count: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """``count`` of ``total`` (> 0) as a share p, with Wilson's interval: it stays within [0, 1].

    ``(p + z²/2n ± z √(p (1 - p)/n + z²/4n²)) / (1 + z²/n)``. Wilson: Probable inference, the law of
    succession, and statistical inference (JASA 1927).

    >>> [round(x, 3) for x in share_interval(5, 10)]
    [0.5, 0.237, 0.763]
    """
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + confidence / 2))
    share = count / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2) / (1 + z**2 / total)
    return Interval(share, float(max(middle - half, 0.0)), float(min(middle + half, 1.0)))


def paired_contrast(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Contrast:
    """How much larger ``a`` (n,) is than ``b`` (n,) for the same users: paired t-test.

    The gain of pairing is ``(var a + var b) / var (a - b)``.

    Raises:
        ValueError: the two do not hold the same users.
    """
    from scipy.stats import t

    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(
            f"a paired contrast wanted the same users on both sides, got {x.shape} and {y.shape}"
        )
    difference = _finite(x - y)
    mean, low, high = mean_interval(difference, confidence)
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
    if not error > 0:  # no spread (or no second user): certain if different, undecidable if not
        return Contrast(mean, low, high, 0.0 if error == 0 and mean != 0 else 1.0)
    p_value = float(2 * t.sf(abs(mean) / error, len(difference) - 1))
    both = np.isfinite(x) & np.isfinite(y)
    unpaired = x[both].var(ddof=1) + y[both].var(ddof=1)
    return Contrast(mean, low, high, p_value, float(unpaired / difference.var(ddof=1)))


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's step-down adjustment of p-values (m,): controls the chance of any false claim.

    The r-th smallest is multiplied by m - r + 1, and never below an earlier one nor above 1. Holm:
    A simple sequentially rejective multiple test procedure (1979).

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def kendall_tau(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Kendall's tau-b between scores (…, p) and (…, p), over the last axis; NaN if all are tied.

    Concordant minus discordant pairs, over ``√(pairs untied in a · pairs untied in b)``. 1 means
    the same order, -1 the opposite one. Kendall: The treatment of ties in ranking problems (1945).
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    first, second = np.triu_indices(x.shape[-1], k=1)
    dx = np.sign(x[..., first] - x[..., second])
    dy = np.sign(y[..., first] - y[..., second])
    agree = (dx * dy).sum(axis=-1)
    scale = np.sqrt((dx != 0).sum(axis=-1) * (dy != 0).sum(axis=-1, dtype=np.float64))
    taus = np.divide(agree, scale, out=np.full(np.shape(agree), np.nan), where=scale > 0)
    return np.asarray(taus)


def _finite(values: ArrayLike) -> FloatArray:
    x = np.asarray(values, dtype=np.float64).ravel()
    return np.asarray(x[np.isfinite(x)])
