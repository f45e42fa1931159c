"""A trained slate model as a policy beside all others, and the one that knows the truth."""

from typing import Any

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, InteractionLog, expected_stars
from simenv.user_model import Truth


class TrainedPolicy(Recommender):
    """Shows the items that a model of ``ppo`` scores highest; it no longer draws.

    Args:
        model: a ``SlateModel`` over the same users and items as the log.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def _fit(self, log: InteractionLog) -> None:
        pass  # the model has learnt from simulated users; the base keeps what was seen

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        import torch

        from recommenders.rl.ppo import Seen

        with torch.no_grad():
            return np.asarray(self.model(Seen(observation))[0].numpy(), dtype=np.float64)


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
