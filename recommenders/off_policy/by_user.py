"""Estimates split over users, so that drawing users anew draws the estimate anew.

Knows a weighted log only. Letters: ``n`` distinct users.
"""

from typing import NamedTuple

import numpy as np

from recommenders.off_policy.weighing import WeightedLog
from simenv.events import FloatArray


class UserValues(NamedTuple):
    """An estimate by user: their ``counts``-weighted mean is the estimate's value."""

    values: FloatArray  # (n,) stars a place; NaN where a user's log says nothing
    counts: FloatArray  # (n,) >= 0


def by_user(log: WeightedLog) -> dict[str, UserValues]:
    """SNIPS and DR of a log with a reward model, split over its users in ascending order.

    SNIPS: ``Σ weight · reward / Σ weight`` over a user's places, counted by Σ weight. DR: the mean
    of ``target model + weight · (reward - logged model)``, counted by the places.

    Raises:
        ValueError: the log has no reward model.
    """
    if log.logged_model is None or log.target_model is None:
        raise ValueError("by_user wants a reward model for DR; call weigh(..., model=...)")
    _, owner = np.unique(log.users, return_inverse=True)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(owner, weights=values.sum(axis=1)))

    weights, places = total(log.weights), total(np.ones_like(log.weights))
    corrected = total(log.target_model + log.weights * (log.rewards - log.logged_model))
    weighted = total(log.weights * log.rewards)
    nothing = np.full(len(weights), np.nan)
    return {
        "SNIPS": UserValues(np.divide(weighted, weights, out=nothing, where=weights > 0), weights),
        "DR": UserValues(corrected / places, places),
    }
