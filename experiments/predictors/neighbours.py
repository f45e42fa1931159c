"""Nearest neighbours among items, from cornac: what a person gave to what is rated alike."""

from typing import Self

import numpy as np

from experiments.predictors.matrix_factorisation import cornac_rows
from simenv.data.rating_baselines import BiasModel
from simenv.events import FloatArray, IntArray, InteractionLog


class ItemNeighbours:
    """A ``RatingPredictor``: the person's mean, and how far apart they rated the nearest items.

    Sarwar et al., Item-Based Collaborative Filtering (2001), with Pearson's correlation. People and
    items that the log does not know are answered by the bias model.

    Args:
        num_neighbours: rated items that decide.
    """

    def __init__(self, num_neighbours: int = 40) -> None:
        self.num_neighbours = num_neighbours

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; the log is not changed."""
        from cornac.models import ItemKNN  # heavy, and only this row of a table needs it

        self._plain = BiasModel().fit(log)
        rows = cornac_rows(log, seed=0)
        self._model = ItemKNN(
            k=self.num_neighbours, similarity="pearson", verbose=False, seed=0
        ).fit(rows)
        self._users, self._items = dict(rows.uid_map), dict(rows.iid_map)
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars in [1, 5] for users and items of one (broadcast) shape, which is the result's."""
        users, items = np.broadcast_arrays(users, items)
        found = self._plain.predict(users, items)
        own_items = np.array([self._items.get(i, -1) for i in range(len(self._plain.item_bias))])
        for user in np.unique(users).tolist():
            known = (users == user) & (own_items[items] >= 0)
            if user in self._users and known.any():
                scores = np.asarray(self._model.score(self._users[user]))
                found[known] = scores[own_items[items[known]]]
        return np.asarray(np.clip(found, 1.0, 5.0))
