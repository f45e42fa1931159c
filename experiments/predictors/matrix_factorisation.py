"""Biased matrix factorisation of ratings, from cornac: the strongest plain rival in the table."""

from typing import Any, Self

import numpy as np

from simenv.events import FloatArray, IntArray, InteractionLog


def cornac_rows(log: InteractionLog, seed: int) -> Any:
    """The log as cornac reads it; ``uid_map`` and ``iid_map`` say what it calls users and items."""
    from cornac.data import Dataset

    columns = log.users.tolist(), log.items.tolist(), log.ratings.tolist()
    return Dataset.from_uir(list(zip(*columns, strict=True)), seed=seed)


class BiasedMF:
    """Mean + user bias + item bias + product of factors, by stochastic gradient descent.

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems (2009).
    Unknown users and items get no bias and no product.
    """

    def __init__(
        self,
        num_factors: int = 16,
        learning_rate: float = 0.01,
        regularisation: float = 0.05,
        num_epochs: int = 40,
        seed: int = 0,
    ) -> None:
        self.num_factors = num_factors
        self.learning_rate = learning_rate
        self.regularisation = regularisation
        self.num_epochs = num_epochs
        self.seed = seed

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; the log is not changed."""
        from cornac.models import MF  # heavy, and only this row of the table needs it

        rows = cornac_rows(log, self.seed)
        model = MF(
            k=self.num_factors,
            max_iter=self.num_epochs,
            learning_rate=self.learning_rate,
            lambda_reg=self.regularisation,
            use_bias=True,
            num_threads=1,
            seed=self.seed,
        ).fit(rows)
        self.mean = float(model.global_mean)
        self.user_bias, self.user_factors = np.zeros(log.num_users), self._none(log.num_users)
        self.item_bias, self.item_factors = np.zeros(log.num_items), self._none(log.num_items)
        users, items = list(rows.uid_map), list(rows.iid_map)
        self.user_bias[users], self.user_factors[users] = model.u_biases, model.u_factors
        self.item_bias[items], self.item_factors[items] = model.i_biases, model.i_factors
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars in [1, 5] for users and items of one shape."""
        liking = (self.user_factors[users] * self.item_factors[items]).sum(axis=-1)
        stars = self.mean + self.user_bias[users] + self.item_bias[items] + liking
        return np.asarray(np.clip(stars, 1.0, 5.0))

    def _none(self, size: int) -> FloatArray:
        return np.zeros((size, self.num_factors))
