"""The policy that knows the truth."""

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, InteractionLog, expected_stars
from simenv.user_model import Truth


class Oracle(Recommender):
    """Shows what the true users will like most: the best that any policy can do slate by slate.

    Args:
        truth: of a synthetic world.
    """

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def _fit(self, log: InteractionLog) -> None:
        pass  # it knows

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        items = np.tile(np.arange(self.log.num_items), (len(users), 1))
        return expected_stars(self.truth.probabilities(users, items))
