"""What every off-policy estimator returns: a value, its interval, and what makes it doubtful.

Knows contributions and weights, no policy and no estimator. Letters: ``n`` slates, ``k`` places.
"""

import warnings
from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number

_LEAST_ESS = 0.05  # of all shown places; below it an estimate rests on a handful of them
_MOST_LEFT_OUT = 0.1  # of the sum of weights; above it SWITCH-DR is little else than DM


class OverlapWarning(UserWarning):
    """The log says too little about the policy: an importance-weighted value is not to be trusted.

    It happens when the policy shows what the log hardly holds, first of all under deterministic
    logging.
    """


class Estimate(NamedTuple):
    """A value with its confidence interval and how much data it rests on."""

    value: float  # expected reward a place
    low: float  # NaN with a single user
    high: float
    effective_size: float  # (Σw)² / Σw², in shown places; n·k if no weights are used
    max_weight: float  # largest weight used
    notes: tuple[str, ...] = ()  # what makes it doubtful


def estimate_mean(
    users: IntArray,
    contributions: FloatArray,
    confidence: float,
    weights: FloatArray | None,
    all_weights: FloatArray | None = None,
) -> Estimate:
    """Mean of the contributions (n, k) with a Student-t interval over users.

    The error is that of a mean of clusters: a user's slates share the user's taste.

    Args:
        users: (n,) the cluster of each slate.
        contributions: (n, k) whose mean is the value.
        confidence: in (0, 1).
        weights: (n, k) in use, for the effective size; None = no weights.
        all_weights: (n, k) before any was set to 0, for the overlap; None = as ``weights``.
    """
    check_number("an estimate", "confidence", confidence, "(0, 1)", "try 0.95")
    value = float(contributions.mean())
    half = _half_width(users, (contributions - value).mean(axis=1), confidence)
    if weights is None:
        return Estimate(value, value - half, value + half, float(contributions.size), 0.0)
    size = effective_size(weights)
    notes = _overlap_notes(users, weights if all_weights is None else all_weights, weights, size)
    for note in notes:
        warnings.warn(note, OverlapWarning, stacklevel=3)
    return Estimate(value, value - half, value + half, size, float(weights.max()), notes)


def effective_size(weights: FloatArray) -> float:
    """Kish's effective sample size (Σw)² / Σw²: how many equal weights say as much; 0 if all are 0.

    >>> effective_size(np.array([2.0, 2.0, 0.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _half_width(users: IntArray, deviations: FloatArray, confidence: float) -> float:
    """Of the interval of a mean whose deviations (n,) are correlated within users; NaN for one."""
    from scipy.stats import t  # heavy, and only this needs it

    clusters, owner = np.unique(users, return_inverse=True)
    num = len(clusters)
    if num < 2:
        return np.nan
    sums = np.bincount(owner, weights=deviations)
    error = np.sqrt((sums**2).sum() * num / (num - 1)) / len(users)
    return float(t.ppf(0.5 + confidence / 2, num - 1) * error)


def _overlap_notes(
    users: IntArray, weights: FloatArray, used: FloatArray, size: float
) -> tuple[str, ...]:
    """What the weights say against themselves: they should average 1 and be spread widely.

    Those that are ``used`` should be nearly all.
    """
    notes = []
    mean, error = weights.mean(), weights.std() / np.sqrt(len(users))
    # Items the log never shows have no weight that could reveal it; the others then fall short.
    if abs(mean - 1) > max(4 * error, 0.02):
        notes.append(
            f"weights average {mean:.2f} instead of 1: the log does not cover what the policy"
            " shows; log with more exploration"
        )
    left_out = 1 - used.sum() / weights.sum() if weights.sum() > 0 else 0.0
    if left_out > _MOST_LEFT_OUT:
        notes.append(
            f"{left_out:.0%} of what the policy shows is left to the reward model, whose error the"
            " interval does not hold; raise max_weight or log with a policy closer to this one"
        )
    if size < _LEAST_ESS * weights.size:
        notes.append(
            f"the estimate rests on {size:.1f} of {weights.size} shown places; log more slates or"
            " with a policy closer to this one"
        )
    return tuple(notes)
