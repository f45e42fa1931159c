"""Counterfactual: what people make of items that their log would never have shown them.

A log holds what people chose. Where the truth is known, random items and the truly worst and best
for each person say how far answers reach beyond it.
"""

from typing import Any

import numpy as np

from agents.fidelity.error_measures import mean_interval, rmse
from experiments.alignment.asked import Asked
from experiments.reporting.formatting import tidy
from simenv.events import FloatArray, IntArray, expected_stars
from simenv.seeding import Stream, generator

PLACES = 10  # items of every kind for each person
KINDS = ("ten worst", "ten at random", "ten best")


def unseen_items(asked: Asked, num_users: int) -> dict[str, Any] | None:
    """Kind of items → stars simulated and true, their gap, and the share that four stars or more.

    None where the truth is not known.
    """
    dataset = asked.dataset
    if dataset.truth is None:
        return None
    users = generator(asked.seed, Stream.UNSEEN_USERS).permutation(asked.users)[:num_users]
    everything = np.tile(np.arange(dataset.num_items), (len(users), 1))
    liking = expected_stars(dataset.truth.probabilities(users, everything))
    met = dataset.train.to_csr()[users].toarray() > 0
    draws = generator(asked.seed, Stream.UNSEEN_ITEMS).random(met.shape)
    orders = dict(zip(KINDS, (liking, draws, -liking), strict=True))
    return {
        name: _compared(asked, users, np.argsort(np.where(met, np.inf, by), axis=1)[:, :PLACES])
        for name, by in orders.items()
    }


def _compared(asked: Asked, users: IntArray, items: IntArray) -> dict[str, Any]:
    truth: Any = asked.dataset.truth
    chances = asked.model.probabilities(users, items)
    said, true = expected_stars(chances), expected_stars(truth.probabilities(users, items))
    gaps = said - true
    found: dict[str, Any] = tidy(
        {
            "simulated_stars": float(np.nanmean(said)),
            "true_stars": float(true.mean()),
            "gap": float(np.nanmean(gaps)),
            "gap_ci95": mean_interval(_means(gaps)),
            "rmse": rmse(gaps[np.isfinite(gaps)]),
            "simulated_likes": float(np.nanmean(chances[..., 3:].sum(axis=-1))),
            "true_likes": float(truth.probabilities(users, items)[..., 3:].sum(axis=-1).mean()),
        }
    )
    return found


def _means(gaps: FloatArray) -> FloatArray:
    answered = np.isfinite(gaps)
    sums, counts = np.where(answered, gaps, 0.0).sum(axis=1), answered.sum(axis=1)
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))
