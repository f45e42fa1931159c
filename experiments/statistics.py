"""Intervals and agreement over users: what a difference between policies is worth.

Every figure resamples or averages over *users*, the unit that was drawn; slates of one user are
not independent. It knows numbers only. Letters: ``n`` users, ``p`` policies, ``b`` resamples.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simenv.events import FloatArray, IntArray

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean with its confidence interval; ``low`` and ``high`` are NaN below two values."""

    mean: float
    low: float
    high: float


class Agreement(NamedTuple):
    """Kendall's tau-b between two orders of policies, with a bootstrap interval over users."""

    tau: float
    low: float
    high: float


class Contrast(NamedTuple):
    """A paired difference with its interval and two-sided p-value."""

    mean: float
    low: float
    high: float
    p_value: float


def mean_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Mean of users' values (n,) and its Student-t interval; NaN entries are left out.

    >>> [round(x, 3) for x in mean_interval([3.0, 4.0, 5.0])]
    [4.0, 1.516, 6.484]
    """
    from scipy.stats import t  # heavy, and only this needs it

    x = _finite(values)
    if len(x) < 2:
        return Interval(float(x.mean()) if len(x) else np.nan, np.nan, np.nan)
    half = float(t.ppf(0.5 + confidence / 2, len(x) - 1)) * float(x.std(ddof=1)) / np.sqrt(len(x))
    return Interval(float(x.mean()), float(x.mean() - half), float(x.mean() + half))


def paired_contrast(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Contrast:
    """How much larger ``a`` (n,) is than ``b`` (n,) for the same users: paired t-test.

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
    return Contrast(mean, low, high, float(2 * t.sf(abs(mean) / error, len(difference) - 1)))


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's step-down adjustment of p-values (m,): controls the chance of any false claim.

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

    1 means the same order, -1 the opposite one; ties are corrected for.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    first, second = np.triu_indices(x.shape[-1], k=1)
    dx = np.sign(x[..., first] - x[..., second])
    dy = np.sign(y[..., first] - y[..., second])
    agree = (dx * dy).sum(axis=-1)
    scale = np.sqrt((dx != 0).sum(axis=-1) * (dy != 0).sum(axis=-1, dtype=np.float64))
    taus = np.divide(agree, scale, out=np.full(np.shape(agree), np.nan), where=scale > 0)
    return np.asarray(taus)


def agreement(
    a: FloatArray,
    b: FloatArray,
    rng: np.random.Generator,
    num_resamples: int = 2000,
    confidence: float = CONFIDENCE,
) -> Agreement:
    """Do two measures put the policies in one order?

    Args:
        a: (p, n) the first measure, one value a policy and user; NaN = not measured.
        b: (p, n) the second, of the same policies and users.
        rng: draws the users of the resamples; the same users serve both measures.
        num_resamples: b.
        confidence: of the percentile interval.

    Returns:
        tau of the means over users, with a percentile interval. It speaks of other users of
        this kind; the policies are taken as given.

    Raises:
        ValueError: the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"agreement wanted the same policies and users on both sides, got {a.shape}"
            f" and {b.shape}"
        )
    tau = float(kendall_tau(_user_means(a, None), _user_means(b, None)))
    chosen = rng.integers(a.shape[1], size=(num_resamples, a.shape[1]))
    taus = kendall_tau(_user_means(a, chosen), _user_means(b, chosen))
    taus = taus[np.isfinite(taus)]
    if not len(taus):
        return Agreement(tau, np.nan, np.nan)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(taus, [tail, 100 - tail])
    return Agreement(tau, float(low), float(high))


def _user_means(values: FloatArray, chosen: IntArray | None) -> FloatArray:
    """Means over users (p,), or over the chosen users of every resample (b, p)."""
    present = np.isfinite(values)
    weights = np.ones((1, values.shape[1])) if chosen is None else _counts(chosen, values.shape[1])
    sums = weights @ np.where(present, values, 0.0).T
    sizes = weights @ present.T.astype(np.float64)
    means = np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)
    # Means equal in exact arithmetic must count as ties whatever the order of summation.
    means = np.round(means, 12)
    return np.asarray(means[0] if chosen is None else means)


def _counts(chosen: IntArray, num_users: int) -> FloatArray:
    """How often every user was drawn: (b, n)."""
    rows = np.repeat(np.arange(len(chosen)), chosen.shape[1])
    flat = np.bincount(rows * num_users + chosen.ravel(), minlength=len(chosen) * num_users)
    return flat.reshape(len(chosen), num_users).astype(np.float64)


def _finite(values: ArrayLike) -> FloatArray:
    x = np.asarray(values, dtype=np.float64).ravel()
    return np.asarray(x[np.isfinite(x)])
