"""Models of the expected reward, for the estimators that use one: item means, cross-fitted.

Knows rewards of shown items, no policy. Letters: ``n`` slates, ``k`` places.
"""

from collections.abc import Callable

import numpy as np

from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number

RewardModel = Callable[[IntArray, IntArray], FloatArray]
"""Expected reward (n, k) of items (n, k) for users (n,); fitted on rows other than the slates."""


def item_mean_model(
    items: IntArray,
    rewards: FloatArray,
    num_items: int,
    prior_rows: float = 5.0,
    importance: FloatArray | None = None,
) -> RewardModel:
    """The simplest reward model: each item's mean, shrunk to the mean of all by ``prior_rows``.

    Args:
        items: shown items of any shape, from slates other than those to be valued.
        rewards: their rewards, of the same shape.
        num_items: of the catalogue.
        prior_rows: imagined rows of the mean item; > 0.
        importance: how much each row counts, of the same shape, >= 0 and of any scale; None = all
            the same.

    Raises:
        ValueError: items, rewards and importance differ in shape, or hold what is no number.
    """
    check_number("item_mean_model", "prior_rows", prior_rows, "(0, inf)", "try 5")
    items, rewards = np.asarray(items), np.asarray(rewards)
    counted = np.ones(rewards.shape) if importance is None else np.asarray(importance)
    if not items.shape == rewards.shape == counted.shape:
        raise ValueError(
            "item_mean_model wanted items, rewards and importance of one shape, got"
            f" {items.shape}, {rewards.shape} and {counted.shape}"
        )
    if not np.isfinite(rewards).all() or not (np.isfinite(counted) & (counted >= 0)).all():
        raise ValueError(
            "item_mean_model wanted finite rewards and importance of at least 0, got others among"
            f" {rewards.size}; leave out slates without an answer"
        )
    total = counted.sum()
    # Where nothing counts, nothing is known but the mean of all.
    counted = counted * (counted.size / total) if total > 0 else np.ones(rewards.shape)
    mean = float((counted * rewards).sum() / counted.sum())
    counts = np.bincount(items.ravel(), weights=counted.ravel(), minlength=num_items)
    sums = np.bincount(items.ravel(), weights=(counted * rewards).ravel(), minlength=num_items)
    means = (sums + prior_rows * mean) / (counts + prior_rows)
    return lambda users, shown: np.asarray(means[shown])


def cross_fitted_means(
    users: IntArray,
    items: IntArray,
    rewards: FloatArray,
    num_items: int,
    importance: FloatArray | None = None,
) -> RewardModel:
    """Item means for users of one half, learnt from the other half: no slate judges itself.

    Args:
        users: (n,) whose slate; even ids are one half. If there is one half only, it is not split.
        items: (n, k) shown.
        rewards: (n, k).
        num_items: of the catalogue.
        importance: (n, k) how much each row counts; None = all the same.
    """
    even = users % 2 == 0
    if even.all() or not even.any():
        return item_mean_model(items, rewards, num_items, importance=importance)
    of_even, of_odd = (
        item_mean_model(
            items[half],
            rewards[half],
            num_items,
            importance=None if importance is None else importance[half],
        )
        for half in (even, ~even)
    )

    def crossed(asked: IntArray, shown: IntArray) -> FloatArray:
        is_even = (np.asarray(asked) % 2 == 0)[:, None]
        return np.where(is_even, of_odd(asked, shown), of_even(asked, shown))

    return crossed
