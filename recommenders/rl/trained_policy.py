"""A slate model that PPO has trained, as a policy beside all others."""

import numpy as np
import torch

from recommenders.base import Observation, Recommender
from recommenders.rl.slate_model import LearnerView, SlateModel
from simenv.events import FloatArray, IntArray, InteractionLog


class TrainedPolicy(Recommender):
    """Shows the items that the model scores highest; it no longer draws.

    Args:
        model: over the same users and items as the log.
    """

    def __init__(self, model: SlateModel) -> None:
        self.model = model

    def _fit(self, log: InteractionLog) -> None:
        pass  # the model has learnt from simulated users; the base keeps what was seen

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        with torch.no_grad():
            logits, _ = self.model(LearnerView.of(observation))
            return np.asarray(logits.numpy(), dtype=np.float64)
