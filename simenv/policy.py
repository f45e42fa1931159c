"""What the world asks of a policy; ``recommenders.base.Recommender`` has all of it.

A roll-out only plays a policy; whoever also teaches and keeps it (a society, an experiment) asks
for a ``LearningPolicy``. Letters: ``n`` users in the batch, ``k`` slate places.
"""

from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np

from simenv.catalog import Catalog
from simenv.events import Feedback, InteractionLog, Slates
from simenv.observation import Observation


class Policy(Protocol):
    """What shows slates and sees the answers."""

    def recommend(self, observation: Observation, k: int, rng: np.random.Generator) -> Slates:
        """Slates (n, k) for the batched observation of n users."""
        ...

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """Learn from what the n users did with the slates."""
        ...


class LearningPolicy(Policy, Protocol):
    """A policy that is fitted to a log, shows items unseen in it, and can be kept in a file."""

    learns_online: ClassVar[bool]  # ``update`` changes the policy

    def meet_catalog(self, catalog: Catalog) -> Self:
        """See what the items are; called before ``fit``."""
        ...

    def fit(self, log: InteractionLog) -> Self:
        """Learn from a log (not changed); an earlier fit is forgotten."""
        ...

    def save(self, path: str | Path) -> None:
        """Write everything learnt to one file."""
        ...

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote."""
        ...
