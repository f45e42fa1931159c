"""The truth of a made world: how people answer, and how its log came about.

It knows every taste. Users and policies are never given it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simenv.data.worlds.taste_structure import TasteStructure
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog

_STAR_EDGES = np.array([1.5, 2.5, 3.5, 4.5])  # a rating is the nearest star to a noisy utility


@dataclass(frozen=True)
class SyntheticTruth:
    """The response model: a rating is the nearest star to a noisy utility.

    utility = (1 - c) · personal + c · reputation, where reputation = mean + quality is what
    everybody sees, personal = reputation + generosity + taste, and c is the user's conformity.
    """

    utilities: FloatArray  # (num_users, num_items) mean of the noisy utility, in stars
    noise_sd: float
    activity: IntArray  # (num_users,) trait level 1, 2 or 3
    conformity: FloatArray  # (num_users,) c in [0, 1)
    quality: FloatArray  # (num_items,)
    pull: FloatArray | None = None  # (num_users, num_items) log-weight with which items were met
    num_logged: IntArray | None = None  # (num_users,) items met, training and held-out together
    structure: TasteStructure | None = None  # how likely tastes were; what a perfect reader is told
    groups: IntArray | None = None  # (num_users,) the way in which each decides, by ``structure``
    cold_items: BoolArray | None = None  # (num_items,) released after the log ends
    cold_people: BoolArray | None = None  # (num_users,) with few training rows or none
    later: InteractionLog | None = None  # what people gave to cold items when they came out
    sayings: tuple[str, ...] | None = None  # (num_users,) what each likes, in words of their own

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """True distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        utility = self.utilities[np.asarray(users)[:, None], items]
        below = ndtr((_STAR_EDGES - utility[..., None]) / self.noise_sd)
        edges = np.concatenate(
            [np.zeros_like(below[..., :1]), below, np.ones_like(below[..., :1])], axis=-1
        )
        return np.diff(edges, axis=-1)

    def logging_chances(self) -> FloatArray:
        """Chance (num_users, num_items) that the log holds an item: what estimators weigh with.

        Items were met one after the other in proportion to exp(pull), as independent exponential
        clocks ring, until a user had enough; to good approximation that is every item that rings
        before the time at which so many are expected to have rung (Rosén, 1972).

        Raises:
            ValueError: this truth does not say how its log came about.
        """
        if self.pull is None or self.num_logged is None:
            raise ValueError(
                "logging_chances wanted a truth that knows how its log was made; make the world"
                " with simenv.data.synthetic.synthetic"
            )
        rates = np.exp(self.pull - self.pull.max(axis=1, keepdims=True))
        return _chances_of_ringing(rates, self.num_logged)


def _chances_of_ringing(rates: FloatArray, num_rung: IntArray) -> FloatArray:
    """Chance (n, i) that a clock of ``rates`` (n, i) rings before ``num_rung`` (n,) are expected.

    The logarithm of each user's time is found by bisection.
    """
    low, high = np.full(len(rates), -20.0), np.full(len(rates), 60.0)
    for _ in range(60):
        middle = (low + high) / 2
        too_long = (1 - np.exp(-np.exp(middle)[:, None] * rates)).sum(1) > num_rung
        low, high = np.where(too_long, low, middle), np.where(too_long, middle, high)
    return np.asarray(1 - np.exp(-np.exp(low)[:, None] * rates))


def sampled_stars(
    truth: SyntheticTruth, users: IntArray, items: IntArray, rng: np.random.Generator
) -> FloatArray:
    """(r,) what users (r,) give to items (r,)."""
    noisy = truth.utilities[users, items] + truth.noise_sd * rng.standard_normal(len(users))
    return np.clip(np.rint(noisy), 1, 5)
