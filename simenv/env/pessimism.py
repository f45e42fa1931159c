"""A reward that does not trust what several models of the same users disagree about.

A policy that maximises the answers of one model of its users finds that model's mistakes. Models
that were made in different ways (other adapters, other seeds, other halves of the log) make
different mistakes, so their disagreement marks where the mistakes are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simenv.env.rewards import Outcome
from simenv.events import FloatArray, IntArray, expected_stars
from simenv.ranges import check_number
from simenv.user_model import Truth


@dataclass(frozen=True)
class PessimisticRating:
    """Mean over the places of (mean - penalty · standard deviation) of the members' stars: (n,).

    Members answer for themselves from the state they have; nothing is remembered on their behalf.

    Args:
        members: at least two models of the same users; each has ``probabilities`` as ``Truth``,
            ``ScriptedUsers.truth`` or ``PersonaUsers`` do.
        penalty: standard deviations that are taken off, >= 0; 0 is the mean of the ensemble.

    Raises:
        ValueError: fewer than two members, or a negative penalty.
    """

    members: Sequence[Truth]
    penalty: float = 1.0

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise ValueError(
                "PessimisticRating wanted at least two members, got"
                f" {len(self.members)}; a single model cannot disagree"
            )
        check_number("PessimisticRating", "a penalty", self.penalty, "[0, inf)", "0 is the mean")

    def __call__(self, outcome: Outcome) -> FloatArray:
        """The reward (n,), in stars; may fall below 1."""
        means, spreads = self.opinions(outcome.users, outcome.items)
        return np.asarray((means - self.penalty * spreads).mean(axis=1))

    def opinions(self, users: IntArray, items: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation over members of the expected stars, each (n, k)."""
        stars = np.stack([expected_stars(m.probabilities(users, items)) for m in self.members])
        return np.asarray(stars.mean(axis=0)), np.asarray(stars.std(axis=0, ddof=1))
