"""What policies for implicit feedback learn from: the rows a user liked, as a binary matrix.

Stars are explicit and these models are not: a row with at least ``min_rating`` stars is a
positive, every other row says only that the item was seen. A user without positives gets equal
scores and therefore the most popular unseen items (see ``Recommender``).
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, InteractionLog


def positive_matrix(name: str, log: InteractionLog, min_rating: float) -> sparse.csr_matrix:
    """(num_users, num_items) 1.0 where the user's last rating has at least ``min_rating`` stars.

    Args:
        name: the policy, for the error.
        log: training rows; not changed.
        min_rating: stars in [1, 5].

    Raises:
        ValueError: no row has that many stars.
    """
    matrix = log.to_csr()
    matrix.data = (matrix.data >= min_rating).astype(np.float64)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if matrix.nnz == 0:
        raise no_liked_row(name, log, min_rating)
    return matrix


def no_liked_row(name: str, log: InteractionLog, min_rating: float) -> ValueError:
    """The error of policy ``name`` that found nothing to learn from."""
    return ValueError(
        f"{name}.fit found no row with at least {min_rating} stars among {len(log)};"
        " lower min_rating"
    )


def session_positives(
    observation: Observation, num_items: int, min_rating: float
) -> sparse.csr_matrix:
    """(n, num_items) 1.0 where the observation's history holds an item the user liked."""
    items = np.asarray(observation["history_items"], dtype=np.int64)
    items = items.reshape(len(items), -1)
    ratings = np.asarray(observation["history_ratings"], dtype=np.float64).reshape(items.shape)
    rows, places = np.nonzero((items >= 0) & (ratings >= min_rating))
    ones = np.ones(len(rows))
    matrix = sparse.csr_matrix((ones, (rows, items[rows, places])), shape=(len(items), num_items))
    matrix.data[:] = 1.0  # the constructor sums repeated places
    return matrix


class ItemProfileRecommender(Recommender):
    """A policy whose score is a function of the set of liked items: log and session together.

    So it follows a session without learning online.
    """

    _state: ClassVar[tuple[str, ...]] = ("_positives",)

    min_rating: float

    def _fit(self, log: InteractionLog) -> None:
        self._positives = positive_matrix(self.name, log, self.min_rating)
        self._fit_items(self._positives)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        session = session_positives(observation, self.log.num_items, self.min_rating)
        return self._score_profiles(self._positives[users].maximum(session))

    @abstractmethod
    def _fit_items(self, positives: sparse.csr_matrix) -> None:
        """Learn item-to-item weights from (num_users, num_items) binary positives."""

    @abstractmethod
    def _score_profiles(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Scores (n, num_items) of users known by their liked items (n, num_items)."""
