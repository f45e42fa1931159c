"""Rating predictors without any language model: the numbers every simulated user has to beat.

Each learns from the log it is given and nothing else; to learn from other people too, give it
``simenv.data.splits.stacked(dataset.train, dataset.background)``.
"""

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np

from simenv.events import NUM_STARS, FloatArray, IntArray, InteractionLog

_MIDDLE = (1 + NUM_STARS) / 2  # of an empty log


class RatingPredictor(Protocol):
    """Learns from a log, then predicts stars for (user, item) pairs."""

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; the log is not changed."""
        ...

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars in [1, 5] for users and items of one (broadcast) shape, which is the result's."""
        ...


class AlwaysFour:
    """Four stars for everything: the commonest rating of most logs."""

    def fit(self, log: InteractionLog) -> Self:
        """Learn nothing."""
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Four everywhere."""
        return np.full(np.broadcast_shapes(np.shape(users), np.shape(items)), 4.0)


class GlobalMean:
    """The mean of all training ratings."""

    def fit(self, log: InteractionLog) -> Self:
        """Learn one number."""
        self.mean = _mean(log)
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """The mean everywhere."""
        return np.full(np.broadcast_shapes(np.shape(users), np.shape(items)), self.mean)


class UserMean:
    """The mean of the user's training ratings; the global mean for users without any."""

    def fit(self, log: InteractionLog) -> Self:
        """Learn one number a user."""
        self.means = _means(log.users, log.ratings, log.num_users, _mean(log))
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """The user's mean, whatever the item."""
        return _stars(self.means[users] + np.zeros(np.shape(items)))


class ItemMean:
    """The mean of the item's training ratings; the global mean for items without any."""

    def fit(self, log: InteractionLog) -> Self:
        """Learn one number an item."""
        self.means = _means(log.items, log.ratings, log.num_items, _mean(log))
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """The item's mean, whoever the user."""
        return _stars(self.means[items] + np.zeros(np.shape(users)))


class BiasModel:
    """Global mean + item bias + user bias, by alternating shrunken means.

    In each round the item biases are the mean residuals, shrunk as if ``item_shrinkage`` more
    ratings had none, and then the user biases likewise. Unknown users and items have no bias.
    """

    def __init__(
        self, user_shrinkage: float = 5.0, item_shrinkage: float = 3.0, num_rounds: int = 15
    ) -> None:
        self.user_shrinkage = user_shrinkage
        self.item_shrinkage = item_shrinkage
        self.num_rounds = num_rounds

    def fit(self, log: InteractionLog) -> Self:
        """Learn one number a user and one an item."""
        self.mean = _mean(log)
        self.user_bias, self.item_bias = np.zeros(log.num_users), np.zeros(log.num_items)
        centred = log.ratings - self.mean
        user_weight = np.bincount(log.users, minlength=log.num_users) + self.user_shrinkage
        item_weight = np.bincount(log.items, minlength=log.num_items) + self.item_shrinkage
        for _ in range(self.num_rounds):
            rest = centred - self.user_bias[log.users]
            self.item_bias = np.bincount(log.items, rest, log.num_items) / item_weight
            rest = centred - self.item_bias[log.items]
            self.user_bias = np.bincount(log.users, rest, log.num_users) / user_weight
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """The sum of the three, clipped."""
        return _stars(self.mean + self.user_bias[users] + self.item_bias[items])


BASELINES: dict[str, Callable[[], RatingPredictor]] = {
    "always 4": AlwaysFour,
    "global mean": GlobalMean,
    "user mean": UserMean,
    "item mean": ItemMean,
    "bias model": BiasModel,
}


def _mean(log: InteractionLog) -> float:
    return float(log.ratings.mean()) if len(log) else _MIDDLE


def _means(ids: IntArray, ratings: FloatArray, size: int, fallback: float) -> FloatArray:
    """(size,) mean rating of each id."""
    counts = np.bincount(ids, minlength=size)
    sums = np.bincount(ids, ratings, size)
    means: FloatArray = np.divide(sums, counts, out=np.full(size, fallback), where=counts > 0)
    return means


def _stars(values: FloatArray) -> FloatArray:
    return np.asarray(np.clip(values, 1.0, NUM_STARS), dtype=np.float64)
