"""Policies that know nothing of taste: random slates and the most popular items."""

from dataclasses import dataclass

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog
from simenv.ranges import check_number
from simenv.seeding import PolicyChannel, row_seeds, uniforms

_SECONDS_A_DAY = 86_400.0


def random_scores(users: IntArray, num_items: int, rng: np.random.Generator) -> FloatArray:
    """Uniform draws (n, num_items) in [0, 1) from one draw of ``rng``.

    A user's row is a hash of that draw and the user, so it does not depend on the batch.
    """
    root = int(rng.integers(2**63))
    seeds = row_seeds(root, users, np.zeros_like(users))
    return uniforms(seeds, PolicyChannel.RANDOM_SLATE, num_items)


def uniform_chances(seen: BoolArray, items: IntArray) -> FloatArray:
    """Chance (n, k) of ``items`` (n, k) at their place in a uniform slate of unseen items.

    Args:
        seen: (n, num_items) items that cannot be shown; their chance is 0.
        items: (n, k).
    """
    unseen = (~seen).sum(axis=1, keepdims=True)
    return np.where(np.take_along_axis(seen, items, axis=1), 0.0, 1.0 / np.maximum(unseen, 1))


def uniform_prefix_chances(seen: BoolArray, items: IntArray) -> FloatArray:
    """Chance (n, k) that a uniform slate without repeats begins with ``items[:, : j + 1]``.

    Args:
        seen: (n, num_items) items that cannot be shown.
        items: (n, k); a prefix that repeats an item has chance 0.
    """
    k = items.shape[1]
    left = (~seen).sum(axis=1, keepdims=True) - np.arange(k)
    possible = ~np.take_along_axis(seen, items, axis=1)
    for place in range(1, k):
        possible[:, place] &= (items[:, :place] != items[:, [place]]).all(axis=1)
    return np.asarray(np.cumprod(possible / np.maximum(left, 1), axis=1))


class Random(Recommender):
    """Uniform slates of unseen items: the logging policy of unbiased off-policy estimates.

    Each unseen item is at each place with chance 1 / (unseen items); ``propensities`` says so.
    """

    draws = True

    def _fit(self, log: InteractionLog) -> None:
        pass  # there is nothing to learn; the base keeps what was seen

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        return random_scores(users, self.log.num_items, rng)

    def propensities(self, observation: Observation, items: IntArray) -> FloatArray:
        """Chance (n, k) of ``items[:, j]`` at place j: uniform over what the user has not seen."""
        return uniform_chances(self.seen(self._known_users(observation), observation), items)

    def prefix_propensities(self, observation: Observation, items: IntArray) -> FloatArray:
        """Chance (n, k) of ``items[:, : j + 1]`` as the first places: drawn without repeats."""
        return uniform_prefix_chances(self.seen(self._known_users(observation), observation), items)


@dataclass(eq=False)
class Popularity(Recommender):
    """Items with the most rows in the training log, each weighted by its age.

    Args:
        recent_days: count only rows of the last so many days of the log; None = all.
        half_life_days: a row this much older than the newest counts half; None = no decay.

    Raises:
        ValueError: a window or half-life that is not positive.
    """

    _state = ("_counts",)

    recent_days: float | None = None
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        for name in ("recent_days", "half_life_days"):
            days = getattr(self, name)
            if days is not None:
                check_number("Popularity", name, days, "(0, inf)", "or null, which is none")

    def _fit(self, log: InteractionLog) -> None:
        age_days = (log.timestamps.max() - log.timestamps) / _SECONDS_A_DAY
        weights = np.ones(len(log))
        if self.half_life_days is not None:
            weights = 0.5 ** (age_days / self.half_life_days)
        if self.recent_days is not None:
            weights = weights * (age_days <= self.recent_days)
        self._counts = np.bincount(log.items, weights=weights, minlength=log.num_items)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        return np.broadcast_to(self._counts, (len(users), len(self._counts)))
