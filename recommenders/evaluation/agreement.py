"""Do two measures order the policies alike, and what would trusting the one cost in the other?

Every figure comes with a percentile bootstrap interval over users: the same users are drawn anew
for both measures. It knows numbers only. Letters: ``n`` users, ``p`` policies, ``b`` resamples.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recommenders.evaluation.statistics import CONFIDENCE, Interval, kendall_tau
from simenv.events import FloatArray, IntArray

_ROUND = 12  # means equal in exact arithmetic must count as ties whatever the order of summation


class Agreement(NamedTuple):
    """How two measures agree; the second is the one that is believed."""

    tau: Interval  # Kendall's tau-b: 1 the same order, -1 the opposite
    spearman: Interval  # rank correlation
    top: Interval  # 1 = both put the same policy first; its mean over resamples is how surely
    regret: Interval  # what the first measure's pick loses, in units of the second
    flips: Interval  # share of pairs of policies that the two order against each other


def agreement(
    a: FloatArray,
    b: FloatArray,
    rng: np.random.Generator,
    num_resamples: int = 2000,
    confidence: float = CONFIDENCE,
    a_counts: FloatArray | None = None,
) -> Agreement:
    """Compare two measures of the same policies.

    Args:
        a: (p, n) one value a policy and user; NaN = not measured.
        b: (p, n) of the same policies and users; what regret is counted in.
        rng: draws the users of the resamples.
        num_resamples: b.
        confidence: of the percentile intervals.
        a_counts: (p, n) how much each value of ``a`` counts in its mean, as off-policy estimates
            need it; None = all the same.

    Returns:
        Figures of the means over users. The intervals speak of other users of this kind; the
        policies are taken as given.

    Raises:
        ValueError: the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"agreement wanted the same policies and users on both sides, got {a.shape}"
            f" and {b.shape}"
        )
    chosen = rng.integers(a.shape[1], size=(num_resamples, a.shape[1]))
    means = _user_means(a, None, a_counts), _user_means(b, None)
    drawn = _user_means(a, chosen, a_counts), _user_means(b, chosen)
    known = np.isfinite(drawn[0] + drawn[1]).all(axis=1)  # every policy has values in the resample
    drawn = drawn[0][known], drawn[1][known]
    return Agreement(*(_with_interval(measure, means, drawn, confidence) for measure in _MEASURES))


def spearman(a: FloatArray, b: FloatArray) -> FloatArray:
    """Spearman's rank correlation of (…, p) and (…, p): Pearson's of the ranks.

    Ties share their mean rank; NaN if all are tied. Spearman: The proof and measurement of
    association between two things (1904).
    """
    from scipy.stats import rankdata  # heavy, and only this needs it

    x, y = (np.asarray(rankdata(values, axis=-1)) for values in (a, b))
    x, y = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (x, y))
    scale = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    total = (x * y).sum(axis=-1)
    return np.asarray(np.divide(total, scale, out=np.full(scale.shape, np.nan), where=scale > 0))


def same_top(a: FloatArray, b: FloatArray) -> FloatArray:
    """1 where the first policy by ``a`` (…, p) is also best by ``b`` (…, p), else 0."""
    return np.asarray(top_regret(a, b) == 0, dtype=np.float64)


def top_regret(a: FloatArray, b: FloatArray) -> FloatArray:
    """How much worse by ``b`` (…, p) the best policy by ``a`` (…, p) is than the best by ``b``."""
    picked = np.take_along_axis(b, np.argmax(a, axis=-1)[..., None], axis=-1)[..., 0]
    return np.asarray(b.max(axis=-1) - picked)


def pair_flips(a: FloatArray, b: FloatArray) -> FloatArray:
    """Share of the pairs of policies that (…, p) and (…, p) order against each other.

    A pair that either of them ties is not ordered against the other.
    """
    first, second = np.triu_indices(a.shape[-1], k=1)
    dx = np.sign(a[..., first] - a[..., second])
    dy = np.sign(b[..., first] - b[..., second])
    return np.asarray((dx * dy < 0).mean(axis=-1), dtype=np.float64)


_Measure = Callable[[FloatArray, FloatArray], FloatArray]
_MEASURES: tuple[_Measure, ...] = (kendall_tau, spearman, same_top, top_regret, pair_flips)


def _with_interval(
    measure: _Measure,
    means: tuple[FloatArray, FloatArray],
    drawn: tuple[FloatArray, FloatArray],
    confidence: float,
) -> Interval:
    value, values = float(measure(*means)), measure(*drawn)
    values = values[np.isfinite(values)]
    if not len(values):
        return Interval(value, np.nan, np.nan)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(value, float(low), float(high))


def _user_means(
    values: FloatArray, chosen: IntArray | None, counts: FloatArray | None = None
) -> FloatArray:
    """Means over users (p,), or over the chosen users of every resample (b, p)."""
    present = np.isfinite(values) * (1.0 if counts is None else counts)
    weights = np.ones((1, values.shape[1])) if chosen is None else _counts(chosen, values.shape[1])
    sums = weights @ (present * np.nan_to_num(values)).T
    sizes = weights @ present.T
    means = np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)
    means = np.round(means, _ROUND)
    return np.asarray(means[0] if chosen is None else means)


def _counts(chosen: IntArray, num_users: int) -> FloatArray:
    """How often every user was drawn: (b, n)."""
    rows = np.repeat(np.arange(len(chosen)), chosen.shape[1])
    flat = np.bincount(rows * num_users + chosen.ravel(), minlength=len(chosen) * num_users)
    return flat.reshape(len(chosen), num_users).astype(np.float64)
