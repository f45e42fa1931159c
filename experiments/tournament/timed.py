"""A policy with a stopwatch: what recommending and re-learning cost, apart from asking users.

Slates of a policy that writes its own ``recommend`` are checked before any user sees them.
"""

import time
from dataclasses import dataclass

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.slate_checks import check_slates
from simenv.events import Feedback, Slates


@dataclass
class Timed:
    """Passes everything on to ``policy`` and counts the seconds."""

    name: str  # in this run, for errors
    policy: Recommender
    recommend_seconds: float = 0.0
    update_seconds: float = 0.0

    def recommend(self, observation: Observation, k: int, rng: np.random.Generator) -> Slates:
        """See ``Recommender.recommend``."""
        before = time.perf_counter()
        slates = self.policy.recommend(observation, k, rng)
        self.recommend_seconds += time.perf_counter() - before
        if type(self.policy).recommend is not Recommender.recommend:
            check_slates(self.name, self.policy, observation, slates, k)
        return slates

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """See ``Recommender.update``."""
        before = time.perf_counter()
        self.policy.update(observation, slates, feedback)
        self.update_seconds += time.perf_counter() - before
