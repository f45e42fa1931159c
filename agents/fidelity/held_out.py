"""Agent against person: how close simulated users come to ratings they never saw.

Errors come with the simple predictors that any simulator must be compared with, learnt from
training rows only, and with intervals over users.
"""

from typing import Any

import numpy as np

from agents.persona_users import PersonaUsers
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BASELINES
from simenv.data.splits import stacked
from simenv.events import NUM_STARS, FloatArray, IntArray, InteractionLog, expected_stars

_PLACES = 8  # held-out items asked in one slate, so that a user's questions share the prefix


def measure(
    model: PersonaUsers, dataset: Dataset, users: IntArray, most_rows: int = 40
) -> dict[str, Any]:
    """Held-out errors of the users and of the simple predictors on the same rows.

    Args:
        model: whose users are those of ``dataset``; its memories are not changed.
        dataset: targets are rows of ``dataset.test``, predictors learn from ``train`` (and from
            ``background``, other people's rows, where there are any).
        users: (n,) who is asked.
        most_rows: rows asked of one user, the earliest ones.

    Returns:
        ``num_ratings`` and ``predictors``: name → rmse, rmse_ci95, mae, and for the simulated users
        also ece (expected calibration error), log_loss (nats) and rmse_rounded.
    """
    rows = earliest_rows(dataset.test, users, most_rows)
    told = dataset.test.take(rows)
    chances = rate(model, told)
    predictors = {"simulated users": _figures(told, expected_stars(chances), chances)}
    training = stacked(dataset.train, dataset.background)
    for name, make in BASELINES.items():
        predictors[name] = _figures(told, make().fit(training).predict(told.users, told.items))
    return {"num_ratings": len(told), "num_users": len(users), "predictors": predictors}


def against_truth(
    model: PersonaUsers, dataset: Dataset, users: IntArray, rng: np.random.Generator
) -> dict[str, float]:
    """How close the users come to what they would really give to items that nobody picked.

    A log cannot tell: it holds what people chose. Only a world with known truth can.

    Args:
        model: whose users are those of ``dataset``; its memories are not changed.
        dataset: of a world with known truth.
        users: (n,) who is asked, each about items drawn by lot.
        rng: draws the items.

    Returns:
        ``rmse`` and ``bias`` (simulated minus true) of the expected stars.

    Raises:
        ValueError: the data set has no known truth.
    """
    if dataset.truth is None:
        raise ValueError(
            f"against_truth wanted a world with known truth, got {dataset.name!r}; use a synthetic"
            " one"
        )
    items = np.stack([rng.permutation(dataset.num_items)[:_PLACES] for _ in users])
    error = expected_stars(model.probabilities(users, items))
    error = error - expected_stars(dataset.truth.probabilities(users, items))
    return {"rmse": float(np.sqrt(np.mean(error**2))), "bias": float(error.mean())}


def earliest_rows(log: InteractionLog, users: IntArray, most: int) -> IntArray:
    """Row numbers of the first ``most`` rows of every given user."""
    offsets = log.offsets()
    parts = [np.arange(offsets[u], min(offsets[u + 1], offsets[u] + most)) for u in users]
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def rate(model: PersonaUsers, log: InteractionLog) -> FloatArray:
    """The users' distributions (r, 5) for the rows of a log, which they chose; changes nothing.

    Rows of one user are asked together; a short last slate is filled up with its first item.
    """
    offsets, chances = log.offsets(), np.zeros((len(log), NUM_STARS))
    users, slates, rows = [], [], []
    for user in np.flatnonzero(np.diff(offsets)):
        own = np.arange(offsets[user], offsets[user + 1])
        for start in range(0, len(own), _PLACES):
            part = own[start : start + _PLACES]
            filled = np.concatenate([part, np.repeat(part[:1], _PLACES - len(part))])
            users.append(user)
            slates.append(log.items[filled])
            rows.append(filled)
    for start in range(0, len(users), 256):
        batch = slice(start, start + 256)
        answers = model.probabilities(np.array(users[batch]), np.array(slates[batch]), chosen=True)
        chances[np.array(rows[batch])] = answers
    return chances


def calibration_error(chances: FloatArray, ratings: FloatArray, num_bins: int = 15) -> float:
    """Expected calibration error of P(rating) over all five stars, in [0, 1].

    Every (row, star) pair is one forecast; forecasts are put into ``num_bins`` bins of equal width
    and the gaps between mean forecast and frequency are averaged, weighted by bin size (Guo et al.,
    On Calibration of Modern Neural Networks, 2017, applied to each class).
    """
    forecast = chances.reshape(-1)
    happened = (ratings[:, None] == np.arange(1, NUM_STARS + 1)).reshape(-1).astype(np.float64)
    bins = np.minimum((forecast * num_bins).astype(np.int64), num_bins - 1)
    gaps = np.bincount(bins, forecast - happened, minlength=num_bins)
    return float(np.abs(gaps).sum() / len(forecast))


def _figures(
    log: InteractionLog, predicted: FloatArray, chances: FloatArray | None = None
) -> dict[str, Any]:
    error = predicted - log.ratings
    figures: dict[str, Any] = {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "rmse_ci95": _interval(error**2, log.users),
        "mae": float(np.mean(np.abs(error))),
    }
    if chances is not None:
        said = chances[np.arange(len(log)), log.ratings.round().astype(np.int64) - 1]
        figures["rmse_rounded"] = float(np.sqrt(np.mean((predicted.round() - log.ratings) ** 2)))
        figures["ece"] = calibration_error(chances, log.ratings)
        figures["log_loss"] = float(-np.mean(np.log(np.maximum(said, 1e-9))))
    return figures


def _interval(squares: FloatArray, users: IntArray, num_resamples: int = 1000) -> list[float]:
    """95 % bootstrap interval of the RMSE over users (a user's rows stand or fall together)."""
    _, index = np.unique(users, return_inverse=True)
    sums, counts = np.bincount(index, squares), np.bincount(index).astype(np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(sums), size=(num_resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.sqrt(np.percentile(means, [2.5, 97.5]))
    return [float(low), float(high)]
