"""Items of the genres that a user rated high."""

from typing import Any, ClassVar

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, InteractionLog


class FavouriteGenre(Recommender):
    """Score of an item: what its genres earned from the user, over the middle of the scale.

    Args:
        middle: stars that say nothing about a genre.
    """

    _state: ClassVar[tuple[str, ...]] = ("_genres", "_tastes")  # what ``save`` writes

    def __init__(self, middle: float = 3.0) -> None:
        self.middle = middle

    def meet_catalog(self, catalog: Catalog) -> "FavouriteGenre":
        """Keep the genres of the items (num_items, num_genres)."""
        self._genres = np.asarray(catalog.genre_matrix, dtype=np.float64)
        return self

    def _fit(self, log: InteractionLog) -> None:
        self._tastes = np.zeros((log.num_users, self._genres.shape[1]))
        said = (log.ratings - self.middle)[:, None] * self._genres[log.items]
        np.add.at(self._tastes, log.users, said)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        scores: Any = self._tastes[users][:, None, :] * self._genres[None]
        return np.asarray(scores.sum(axis=2))
