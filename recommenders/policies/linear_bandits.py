"""Linear bandits, LinUCB and Thompson sampling: policies that explore what they do not know yet.

They see an item as a row of features, never as an identity, so one answer speaks of many items.
The reward of a shown item is that of ``bandits.star_rewards``.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
from scipy.special import ndtri

from recommenders.base import Observation, Recommender
from recommenders.policies.bandits import MIDDLE, star_rewards
from simenv.catalog import Catalog
from simenv.events import Feedback, FloatArray, IntArray, InteractionLog, Slates
from simenv.ranges import check_fields, check_flag
from simenv.seeding import PolicyChannel, row_seeds, uniforms

_CHUNK = 32  # groups whose (items, d) products are in memory at one time


class Weights(NamedTuple):
    """What the regressions of g groups know."""

    back: IntArray  # (n,) the group that speaks for each user
    mean: FloatArray  # (g, d) regression weights
    covariance: FloatArray  # (g, d, d) of the weights, for noise of variance 1


@dataclass(eq=False, kw_only=True)
class LinearBandit(Recommender):
    """Ridge regression of rewards on item features, with the uncertainty that exploring needs.

    The training log gives one common answer; with ``per_user`` each user has a regression of what
    the common answer leaves unexplained, so a user with few rows is close to the common one.
    Features: a constant, the item's shrunk mean reward and log share of rows in the training log,
    and, after ``meet_catalog``, its genres.

    Args:
        per_user: one regression a user; otherwise one for everybody.
        l2: ridge penalty, > 0.
        skip_reward: of an item shown and not taken.
    """

    learns_online = True
    _state: ClassVar[tuple[str, ...]] = (
        "_genres",
        "_features",
        "_common",
        "_precision",
        "_response",
    )

    _explores: ClassVar[dict[str, str]] = {}  # setting of how much is explored -> its range

    per_user: bool = True
    l2: float = 1.0
    skip_reward: float = -0.1

    def __post_init__(self) -> None:
        check_fields(self, {"l2": "(0, inf)"}, "try 1")
        check_fields(self, {"skip_reward": "(-inf, inf)"} | self._explores)
        check_flag(self.name, "per_user", self.per_user)
        self._genres: FloatArray = np.zeros((0, 0))

    def meet_catalog(self, catalog: Catalog) -> Self:
        """Use the genres of the catalogue as features from the next ``fit`` on."""
        self._genres = catalog.genre_matrix
        return self

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """Take the rewards of every shown item into the regressions of their users.

        A failed answer teaches nothing.
        """
        users = np.repeat(self._known_users(observation), slates.items.shape[1])
        rewards, answered = star_rewards(feedback, self.skip_reward), ~feedback.failed
        groups = self._groups(users)[answered.ravel()]
        self._absorb(groups, slates.items[answered], rewards[answered])

    def _fit(self, log: InteractionLog) -> None:
        self._features = self._item_features(log)
        width = self._features.shape[1]
        rewards = log.ratings - MIDDLE
        x = self._features[log.items]
        self._common = np.linalg.solve(x.T @ x + self.l2 * np.eye(width), x.T @ rewards)
        num_groups = log.num_users if self.per_user else 1
        self._precision = np.tile(self.l2 * np.eye(width), (num_groups, 1, 1))
        self._response = np.zeros((num_groups, width))
        self._absorb(self._groups(log.users), log.items, rewards)

    def _item_features(self, log: InteractionLog) -> FloatArray:
        """(num_items, d) from training rows and genres."""
        if len(self._genres) not in (0, log.num_items):
            raise ValueError(
                f"{self.name} met a catalogue of {len(self._genres)} items but the log has"
                f" {log.num_items}; call meet_catalog with the log's catalogue before fit"
            )
        counts = np.bincount(log.items, minlength=log.num_items)
        sums = np.bincount(log.items, weights=log.ratings - MIDDLE, minlength=log.num_items)
        mean = log.ratings.mean() - MIDDLE
        averages = (sums + 5 * mean) / (counts + 5)  # five imagined rows of the mean item
        shares = np.log1p(counts) / np.log1p(counts.max())
        learnt = np.column_stack([np.ones(log.num_items), averages, shares])
        return np.hstack([learnt, self._genres]) if self._genres.size else learnt

    def _groups(self, users: IntArray) -> IntArray:
        return users if self.per_user else np.zeros_like(users)

    def _absorb(self, groups: IntArray, items: IntArray, rewards: FloatArray) -> None:
        """Add rows (r,) to the normal equations of their groups."""
        order = np.argsort(groups, kind="stable")
        present, starts = np.unique(groups[order], return_index=True)
        for group, rows in zip(present, np.split(order, starts[1:]), strict=True):
            x = self._features[items[rows]]
            self._precision[group] += x.T @ x
            self._response[group] += x.T @ (rewards[rows] - x @ self._common)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        groups, back = np.unique(self._groups(users), return_inverse=True)
        covariance = np.asarray(np.linalg.inv(self._precision[groups]), dtype=np.float64)
        mean = np.einsum("gij,gj->gi", covariance, self._response[groups]) + self._common
        return self._explore(users, Weights(back, mean, covariance), rng)

    @abstractmethod
    def _explore(self, users: IntArray, learnt: Weights, rng: np.random.Generator) -> FloatArray:
        """Scores (n, num_items) of users (n,); ``rng`` is for policies that draw."""


@dataclass(eq=False)
class LinUCB(LinearBandit):
    """Score = expected reward + alpha · its standard error: optimism, no draws.

    Li, Chu, Langford, Schapire: A contextual-bandit approach to personalized news article
    recommendation (WWW 2010).

    Args:
        alpha: how optimistic, >= 0.
        per_user: see ``LinearBandit``, as for ``l2`` and ``skip_reward``.
    """

    _explores: ClassVar[dict[str, str]] = {"alpha": "[0, inf)"}

    alpha: float = 0.5

    def _explore(self, users: IntArray, learnt: Weights, rng: np.random.Generator) -> FloatArray:
        x, (back, mean, covariance) = self._features, learnt
        scores = mean @ x.T
        for start in range(0, len(mean), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            variance = ((x @ covariance[chunk]) * x).sum(axis=-1)
            scores[chunk] += self.alpha * np.sqrt(np.maximum(variance, 0.0))
        return np.asarray(scores[back])


@dataclass(eq=False)
class LinTS(LinearBandit):
    """Linear Thompson sampling: score = features · one draw of the weights, one draw a slate.

    The draw is a hash of the generator's state and the user, so it does not depend on the batch.
    Propensities have no closed form and are None. Agrawal, Goyal: Thompson sampling for
    contextual bandits with linear payoffs (ICML 2013).

    Args:
        scale: standard deviation of the reward noise, >= 0: how much is explored.
        per_user: see ``LinearBandit``, as for ``l2`` and ``skip_reward``.
    """

    draws = True

    _explores: ClassVar[dict[str, str]] = {"scale": "[0, inf)"}

    scale: float = 0.5

    def _explore(self, users: IntArray, learnt: Weights, rng: np.random.Generator) -> FloatArray:
        back, mean, covariance = learnt
        root = int(rng.integers(2**63))
        seeds = row_seeds(root, users, np.zeros_like(users))
        draws = uniforms(seeds, PolicyChannel.POSTERIOR, mean.shape[1])
        normal = ndtri(draws + 2.0**-54)  # half a step, so that a draw of 0 is not -inf
        spread = np.linalg.cholesky(covariance)[back]
        weights = mean[back] + self.scale * np.einsum("nij,nj->ni", spread, normal)
        return np.asarray(weights @ self._features.T)
