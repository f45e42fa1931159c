"""Errors of many predictors on the same rows, and intervals over draws and users. Numbers only.

Letters: ``p`` predictors, ``n`` users of a draw, ``s`` draws, ``b`` resamples.
"""

from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray


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


def rmse(draws: list[UserSums]) -> FloatArray:
    """(p,) mean over draws of the RMSE."""
    return np.asarray(np.mean([np.sqrt(d.squares.sum(1) / d.rows.sum()) for d in draws], axis=0))


def mae(draws: list[UserSums]) -> FloatArray:
    """(p,) mean over draws of the MAE."""
    return np.asarray(np.mean([d.absolutes.sum(1) / d.rows.sum() for d in draws], axis=0))


def resampled_rmse(
    draws: list[UserSums], rng: np.random.Generator, num_resamples: int
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
    return [float(x) for x in np.percentile(values, [2.5, 97.5])]
