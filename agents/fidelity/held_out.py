"""Agent against person: simulated users are asked for ratings that they never saw.

Errors come with the simple predictors that any simulator must be compared with, learnt from
training rows only, and with intervals over users. The formulas stand in ``error_measures.py``.
"""

from typing import Any

import numpy as np

from agents.fidelity.error_measures import (
    calibration_error,
    log_loss,
    mae,
    rmse,
    rmse_difference_interval,
    rmse_interval,
)
from agents.fidelity.utopian_bias import utopian_bias
from agents.persona_users import PersonaUsers
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BASELINES
from simenv.data.splits import stacked
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray, InteractionLog, expected_stars

PLACES = 8  # held-out items asked in one slate, so that a user's questions share the prefix
MOST_ROWS = 40  # asked of one user, where no other number is given
_LEAST = 1e-9  # probability in a log loss, so that one sure error does not make it infinite


def measure(
    model: PersonaUsers, dataset: Dataset, users: IntArray, most_rows: int = MOST_ROWS
) -> dict[str, Any]:
    """Held-out errors of the users and of the simple predictors on the same rows.

    Args:
        model: whose users are those of ``dataset``; its memories are not changed.
        dataset: targets are rows of ``dataset.test``, predictors learn from ``train`` (and from
            ``background``, other people's rows, where there are any).
        users: (n,) whom to ask.
        most_rows: rows asked of one user, the earliest ones.

    Returns:
        ``num_ratings`` and ``predictors``: name → rmse, rmse_ci95, mae, and for the simulated users
        also ece (expected calibration error), log_loss (nats) and rmse_rounded; for the others
        difference_ci95, the interval of the simulated users' RMSE minus theirs. ``utopian_bias``:
        the panel of that name, None for what cannot be said. Rows whose answer failed are left out
        for all, and ``num_failed`` counts them where there are any.

    Raises:
        ValueError: every answer failed.
    """
    rows = earliest_rows(dataset.test, users, most_rows)
    asked = dataset.test.take(rows)
    chances = rate(model, asked)
    answered = _answered(chances)
    counts = {} if answered.all() else {"num_failed": int((~answered).sum())}
    asked, chances = asked.take(answered), chances[answered]
    stars = expected_stars(chances)
    predictors = {"simulated users": _figures(asked, stars, chances)}
    training = stacked(dataset.train, dataset.background)
    for name, make in BASELINES.items():
        theirs = make().fit(training).predict(asked.users, asked.items)
        errors = stars - asked.ratings, theirs - asked.ratings
        predictors[name] = {
            **_figures(asked, theirs),
            "difference_ci95": rmse_difference_interval(*errors, asked.users),
        }
    counts |= {"num_ratings": len(asked), "num_users": len(users)}
    panel = utopian_bias(
        chances, asked.ratings, asked.users, asked.items, dataset.catalog.genre_shares
    )._asdict()
    known = {name: value if np.isfinite(value) else None for name, value in panel.items()}
    return {**counts, "predictors": predictors, "utopian_bias": known}


def _answered(chances: FloatArray) -> BoolArray:
    """(r,) which of the distributions (r, 5) are answers.

    Raises:
        ValueError: there are rows and none is.
    """
    answered = np.asarray(~np.isnan(chances).any(axis=1))
    if len(answered) and not answered.any():
        raise ValueError(
            f"measure wanted answers about held-out ratings, got none of {len(answered)}; the log"
            " says why the engine failed"
        )
    return answered


def against_truth(
    model: PersonaUsers, dataset: Dataset, users: IntArray, rng: np.random.Generator
) -> dict[str, float]:
    """How close the users come to what they would really give to items that nobody picked.

    A log cannot show it: it holds what people chose. Only a world with known truth can.

    Args:
        model: whose users are those of ``dataset``; its memories are not changed.
        dataset: of a world with known truth.
        users: (n,) whom to ask, each about items drawn at random.
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
    items = np.stack([rng.permutation(dataset.num_items)[:PLACES] for _ in users])
    error = expected_stars(model.probabilities(users, items))
    error = error - expected_stars(dataset.truth.probabilities(users, items))
    error = error[~np.isnan(error)]  # answers that failed
    return {"rmse": rmse(error), "bias": float(error.mean())}


def earliest_rows(log: InteractionLog, users: IntArray, most: int) -> IntArray:
    """Row numbers of the first ``most`` rows of every given user."""
    offsets = log.offsets()
    parts = [np.arange(offsets[u], min(offsets[u + 1], offsets[u] + most)) for u in users]
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def num_asked(log: InteractionLog) -> int:
    """How many questions ``rate`` asks about a log: every user's slates are whole."""
    return int(PLACES * (-(-np.diff(log.offsets()) // PLACES)).sum())


def rate(model: PersonaUsers, log: InteractionLog) -> FloatArray:
    """The users' distributions (r, 5) for the rows of a log, which they chose; changes nothing.

    NaN where a tolerant engine got no answer.
    Rows of one user are asked together; a short last slate is filled up with its first item.
    """
    offsets, chances = log.offsets(), np.zeros((len(log), NUM_STARS))
    users, slates, rows = [], [], []
    for user in np.flatnonzero(np.diff(offsets)):
        own = np.arange(offsets[user], offsets[user + 1])
        for start in range(0, len(own), PLACES):
            part = own[start : start + PLACES]
            filled = np.concatenate([part, np.repeat(part[:1], PLACES - len(part))])
            users.append(user)
            slates.append(log.items[filled])
            rows.append(filled)
    for start in range(0, len(users), 256):
        batch = slice(start, start + 256)
        answers = model.probabilities(np.array(users[batch]), np.array(slates[batch]), chosen=True)
        chances[np.array(rows[batch])] = answers
    return chances


def _figures(
    log: InteractionLog, predicted: FloatArray, chances: FloatArray | None = None
) -> dict[str, Any]:
    error = predicted - log.ratings
    figures: dict[str, Any] = {
        "rmse": rmse(error),
        "rmse_ci95": rmse_interval(error, log.users),
        "mae": mae(error),
    }
    if chances is not None:
        figures["rmse_rounded"] = rmse(predicted.round() - log.ratings)
        figures["ece"] = calibration_error(chances, log.ratings)
        figures["log_loss"] = log_loss(np.log(np.maximum(chances, _LEAST)), log.ratings)
    return figures
