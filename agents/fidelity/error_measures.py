"""Errors of ratings: RMSE, MAE, scores of distributions, AUC, calibration, intervals over users.

Every such number of the project is computed here and nowhere else. Arrays in, numbers out: it knows
no user, no engine and no data set.

Letters: ``r`` rated rows, ``p`` predictors, ``n`` users of a draw, ``s`` draws, ``b`` resamples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray

NUM_BINS = 15  # of a calibration, over [0, 1]
_LEVEL = (2.5, 97.5)  # percentiles: an interval holds the middle 95 %


def rmse(errors: FloatArray) -> float:
    """Square root of the mean square of errors (any shape); NaN where there are none."""
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")


def mae(errors: FloatArray) -> float:
    """Mean absolute value of errors (any shape); NaN where there are none."""
    return float(np.mean(np.abs(errors))) if errors.size else float("nan")


def log_loss(log_chances: FloatArray, ratings: FloatArray) -> float:
    """Mean negative log-likelihood in nats of ratings (r,), from log-probabilities (r, 5)."""
    stars = ratings.round().astype(np.int64)
    return float(-np.mean(log_chances[np.arange(len(stars)), stars - 1]))


def brier(chances: FloatArray, ratings: FloatArray) -> float:
    """Mean over rows of the squared distance between chances (r, 5) and what came; in [0, 2]."""
    came = ratings.round()[:, None] == np.arange(1, NUM_STARS + 1)
    return float(np.mean(((chances - came) ** 2).sum(axis=1)))


def ranked_probability_score(chances: FloatArray, ratings: FloatArray) -> float:
    """Mean squared gap between cumulative chances and what came, over four thresholds; in [0, 1].

    Unlike the log loss it knows that four stars are nearer to five than one is (Epstein, A Scoring
    System for Probability Forecasts of Ranked Categories, 1969).

    Args:
        chances: (r, 5) distributions over stars.
        ratings: (r,) whole stars that were given.
    """
    below = np.cumsum(chances, axis=1)[:, :-1]
    came = ratings.round()[:, None] <= np.arange(1, NUM_STARS)
    return float(np.mean((below - came) ** 2))


def auc(scores: FloatArray, positive: BoolArray) -> float:
    """Share of (positive, negative) pairs in which the positive one scores higher; ties count half.

    NaN where one of both kinds is missing. Scores (r,) are numbers, none is NaN.
    """
    from scipy.stats import rankdata

    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    if not num_positive or not num_negative:
        return float("nan")
    above = rankdata(scores)[positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


def user_auc(stars: FloatArray, ratings: FloatArray, users: IntArray, liked: float = 4.0) -> float:
    """UAUC: how well a person's liked items are told from their others, as a mean over people.

    The AUC of each user is the share of (liked, not liked) pairs in which the liked item was given
    more stars, ties counting half. Users without both kinds are left out; NaN if that is everybody.

    Args:
        stars: (r,) predicted; rows whose answer failed (NaN) are left out.
        ratings: (r,) that were given.
        users: (r,) whose rows they are.
        liked: the least rating that says so.
    """
    answered, found = np.isfinite(stars), []
    stars, ratings, users = stars[answered], ratings[answered], users[answered]
    for user in np.unique(users):
        own = users == user
        found.append(auc(stars[own], ratings[own] >= liked))
    known = [share for share in found if np.isfinite(share)]
    return float(np.mean(known)) if known else float("nan")


def calibration_error(chances: FloatArray, ratings: FloatArray) -> float:
    """Expected calibration error (ECE) of P(rating) over all five stars, in [0, 1].

    Every (row, star) pair is one forecast; forecasts are put into 15 bins of equal width
    and the gaps between mean forecast and frequency are averaged, weighted by bin size (Guo et al.,
    On Calibration of Modern Neural Networks, 2017, applied to each class).

    Args:
        chances: (r, 5) distributions over stars.
        ratings: (r,) whole stars that were given.
    """
    forecast, happened, bins = _forecasts(chances, ratings)
    gaps = np.bincount(bins, forecast - happened, minlength=NUM_BINS)
    return float(np.abs(gaps).sum() / len(forecast))


class CalibrationCurve(NamedTuple):
    """What was forecast and how often it came true, bin by bin; NaN in empty bins."""

    forecast: FloatArray  # (bins,) mean probability
    frequency: FloatArray  # (bins,) share that came true
    sizes: IntArray  # (bins,) forecasts


def calibration_curve(chances: FloatArray, ratings: FloatArray) -> CalibrationCurve:
    """The bins of ``calibration_error``, for a picture; arguments as there."""
    forecast, happened, bins = _forecasts(chances, ratings)
    sizes = np.bincount(bins, minlength=NUM_BINS)
    shares = np.where(sizes > 0, sizes, np.nan)
    return CalibrationCurve(
        np.bincount(bins, forecast, NUM_BINS) / shares,
        np.bincount(bins, happened, NUM_BINS) / shares,
        sizes.astype(np.int64),
    )


def _forecasts(chances: FloatArray, ratings: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """(r·5,) forecasts, whether they came true (1 or 0), and the bin of each."""
    forecast = chances.reshape(-1)
    happened = (ratings[:, None] == np.arange(1, NUM_STARS + 1)).reshape(-1).astype(np.float64)
    return forecast, happened, np.minimum((forecast * NUM_BINS).astype(np.int64), NUM_BINS - 1)


def mean_interval(values: FloatArray, num_resamples: int = 1000) -> list[float]:
    """95 % bootstrap interval of the mean of one value a unit (n,), NaN left out; units are drawn.

    Both ends are NaN where there is no value.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return [float("nan")] * 2
    drawn = np.random.default_rng(0).integers(0, len(known), size=(num_resamples, len(known)))
    return interval(known[drawn].mean(axis=1))


def rmse_interval(errors: FloatArray, users: IntArray, num_resamples: int = 1000) -> list[float]:
    """95 % bootstrap interval of the RMSE of one predictor.

    Args:
        errors: (r,).
        users: (r,) whose rows they are; users are resampled, with all their rows.
        num_resamples: of the users.
    """
    _, index = np.unique(users, return_inverse=True)
    sums, counts = np.bincount(index, errors**2), np.bincount(index).astype(np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(sums), size=(num_resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return [float(bound) for bound in np.sqrt(np.percentile(means, _LEVEL))]


def rmse_difference_interval(
    errors: FloatArray, others: FloatArray, users: IntArray, num_resamples: int = 1000
) -> list[float]:
    """95 % bootstrap interval of the RMSE of one predictor minus that of another, on the same rows.

    Args:
        errors: (r,) of the one.
        others: (r,) of the other.
        users: (r,) whose rows they are; users are resampled, with all their rows.
        num_resamples: of the users.
    """
    _, index = np.unique(users, return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(counts), size=(num_resamples, len(counts)))
    one, other = (
        np.sqrt(np.bincount(index, e**2)[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
        for e in (errors, others)
    )
    return interval(one - other)


class KnowableShare(NamedTuple):
    """How much of what a perfect reader knows beyond a baseline somebody knows too."""

    share: float  # 0 = the baseline, 1 = the ceiling; NaN where the ceiling is no better
    ci95: list[float]


def knowable_share(
    squares: FloatArray, baseline: FloatArray, ceiling: FloatArray, num_resamples: int = 1000
) -> KnowableShare:
    """(baseline's error - own error) / (baseline's error - ceiling's), in squared error.

    Args:
        squares: (n,) sum of the squared errors of every unit that was drawn (a user, or a world),
            of whoever is judged.
        baseline: (n,) of the baseline on the same rows.
        ceiling: (n,) of the perfect reader on the same rows.
        num_resamples: of the units, for the 95 % bootstrap interval.
    """
    gains = np.stack([baseline - squares, baseline - ceiling])
    drawn = np.random.default_rng(0).integers(0, len(squares), size=(num_resamples, len(squares)))
    own, most = gains[:, drawn].sum(axis=2)
    shares = np.divide(own, most, out=np.full(num_resamples, np.nan), where=most > 0)
    total = gains.sum(axis=1)
    share = float(total[0] / total[1]) if total[1] > 0 else float("nan")
    bounds = np.nanpercentile(shares, _LEVEL) if (most > 0).any() else np.full(2, np.nan)
    return KnowableShare(share, [float(bound) for bound in bounds])


class UserSums(NamedTuple):
    """One draw: what every user adds to the error of every predictor."""

    squares: FloatArray  # (p, n)
    absolutes: FloatArray  # (p, n)
    rows: FloatArray  # (n,) rated rows


def user_sums(predicted: FloatArray, ratings: FloatArray, users: IntArray) -> UserSums:
    """Sums of predictions (p, r) against ratings (r,) of users (r,)."""
    _, index = np.unique(users, return_inverse=True)
    size = int(index.max()) + 1
    error = predicted - ratings
    return UserSums(
        np.stack([np.bincount(index, row**2, size) for row in error]),
        np.stack([np.bincount(index, np.abs(row), size) for row in error]),
        np.bincount(index, minlength=size).astype(np.float64),
    )


def mean_rmse(draws: Sequence[UserSums]) -> FloatArray:
    """(p,) mean over draws of the RMSE."""
    return np.asarray(np.mean([np.sqrt(d.squares.sum(1) / d.rows.sum()) for d in draws], axis=0))


def mean_mae(draws: Sequence[UserSums]) -> FloatArray:
    """(p,) mean over draws of the MAE."""
    return np.asarray(np.mean([d.absolutes.sum(1) / d.rows.sum() for d in draws], axis=0))


def resampled_rmse(
    draws: Sequence[UserSums], rng: np.random.Generator, num_resamples: int
) -> FloatArray:
    """(b, p) RMSE of resampled draws of resampled users; all predictors meet the same resamples."""
    of_draw = np.stack([_resampled(d, rng, num_resamples) for d in draws])  # (s, b, p)
    chosen = rng.integers(len(draws), size=(len(draws), num_resamples))
    return np.asarray(of_draw[chosen, np.arange(num_resamples)].mean(axis=0))


def _resampled(draw: UserSums, rng: np.random.Generator, num_resamples: int) -> FloatArray:
    n = len(draw.rows)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=num_resamples)  # (b, n)
    means = weights @ draw.squares.T / (weights @ draw.rows)[:, None]
    return np.asarray(np.sqrt(means))


def interval(values: FloatArray) -> list[float]:
    """The middle 95 % of resamples (b,)."""
    return [float(bound) for bound in np.percentile(values, _LEVEL)]
