"""Epsilon-greedy: a policy that explores by lot and learns from what users do with their slates.

The reward of a shown item is its stars minus 3 if it was taken and ``skip_reward`` if not.
"""

from dataclasses import dataclass

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.policies.heuristics import random_scores, uniform_chances, uniform_prefix_chances
from recommenders.ranking import top_slates
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, InteractionLog, Slates
from simenv.ranges import check_fields
from simenv.seeding import PolicyChannel, row_seeds, uniforms

MIDDLE = 3.0  # stars that are worth nothing


def star_rewards(feedback: Feedback, skip_reward: float) -> FloatArray:
    """Rewards (n, k): stars minus 3 in [-2, 2] of taken items, ``skip_reward`` of the others."""
    return np.where(feedback.taken, feedback.ratings - MIDDLE, skip_reward)


@dataclass(eq=False)
class EpsilonGreedy(Recommender):
    """The best items of all users, or with chance epsilon a uniform slate.

    One coin a slate, not one a place: so the marginal chance of an item at a place is exactly
    ``epsilon / unseen + (1 - epsilon) · [it is the greedy item there]``.

    Args:
        epsilon: chance of a uniform slate, in [0, 1].
        value: what makes an item best: "mean" reward, or "popularity" (how often it was taken).
        prior_rows: the mean of an item is that of its rewards and so many rewards of the mean
            item; > 0.
        skip_reward: of an item shown and not taken.
    """

    draws = True
    learns_online = True
    _state = ("_sums", "_counts", "_takes", "_prior_mean")

    epsilon: float = 0.1
    value: str = "mean"
    prior_rows: float = 5.0
    skip_reward: float = -0.1

    def __post_init__(self) -> None:
        check_fields(self, {"epsilon": "[0, 1]", "prior_rows": "(0, inf)"})
        check_fields(self, {"skip_reward": "(-inf, inf)"})
        if self.value not in ("mean", "popularity"):
            raise ValueError(f"EpsilonGreedy wants value mean or popularity, got {self.value!r}")

    def _fit(self, log: InteractionLog) -> None:
        rewards = log.ratings - MIDDLE
        self._counts = np.bincount(log.items, minlength=log.num_items).astype(np.float64)
        self._takes = self._counts.copy()
        self._sums = np.bincount(log.items, weights=rewards, minlength=log.num_items)
        self._prior_mean = np.asarray(rewards.mean())

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """Take every shown item's reward into its mean; a failed answer teaches nothing."""
        answered = (~feedback.failed).astype(np.float64)
        rewards = star_rewards(feedback, self.skip_reward)
        np.add.at(self._counts, slates.items, answered)
        np.add.at(self._takes, slates.items, feedback.taken.astype(np.float64))
        np.add.at(self._sums, slates.items, answered * rewards)

    def _values(self, num_rows: int) -> FloatArray:
        prior = self.prior_rows * self._prior_mean
        means = (self._sums + prior) / (self._counts + self.prior_rows)
        values = means if self.value == "mean" else self._takes
        return np.broadcast_to(values, (num_rows, len(values)))

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        root = int(rng.integers(2**63))
        seeds = row_seeds(root, users, np.zeros_like(users))
        explores = uniforms(seeds, PolicyChannel.EXPLORE, 1) < self.epsilon
        return np.where(
            explores, random_scores(users, self.log.num_items, rng), self._values(len(users))
        )

    def propensities(self, observation: Observation, items: IntArray) -> FloatArray:
        """Chance (n, k) of ``items[:, j]`` at place j."""
        seen, greedy = self._seen_and_greedy(observation, items.shape[1])
        exploit = (1 - self.epsilon) * (items == greedy)
        return np.asarray(self.epsilon * uniform_chances(seen, items) + exploit)

    def prefix_propensities(self, observation: Observation, items: IntArray) -> FloatArray:
        """Chance (n, k) of ``items[:, : j + 1]`` as the first places: one coin for all of them."""
        seen, greedy = self._seen_and_greedy(observation, items.shape[1])
        same = np.logical_and.accumulate(items == greedy, axis=1)
        return np.asarray(
            self.epsilon * uniform_prefix_chances(seen, items) + (1 - self.epsilon) * same
        )

    def _seen_and_greedy(self, observation: Observation, k: int) -> tuple[BoolArray, IntArray]:
        """What cannot be shown (n, num_items), and the slates (n, k) of the coin's other side."""
        users = self._known_users(observation)
        seen = self.seen(users, observation)
        values = self._values(len(users))
        return seen, top_slates(self.name, users, values, seen, k, self._priority).items
