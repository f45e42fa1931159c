"""From a user's distribution over stars to what the user does: watch, rate, be satisfied, leave.

This is the world's physics, the same for scripted and for persona users; it knows numbers only.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from simenv.events import (
    Feedback,
    FloatArray,
    IntArray,
    SeedArray,
    expected_stars,
    mean_answered,
)
from simenv.ranges import check_fields
from simenv.seeding import Channel, uniforms
from simenv.user_model import UserModel

_RANGES = {
    "examine_decay": "(0, 1]",
    "take_threshold": "[-100, 100]",
    "take_slope": "[-100, 100]",
    "base_quit": "(0, 1)",
    "quit_slope": "[-100, 100]",
    "content_level": "[-100, 100]",
    "patience_per_activity": "[-100, 100]",
    "satisfaction_memory": "[0, 1]",
}  # the wide ones keep the exponentials finite


@dataclass(frozen=True)
class Behaviour:
    """Parameters of the response model; rates are per place or per slate.

    A user looks at place j with probability ``examine_decay ** j`` (a cascade-free position bias),
    takes an examined item with a probability that is logistic in its expected stars around
    ``take_threshold``, and leaves with a probability that is logistic in how far the session's
    satisfaction fell below ``content_level``; active users are more patient.

    Raises:
        TypeError, ValueError: a number is none or lies outside its range.
    """

    examine_decay: float = 0.95
    take_threshold: float = 3.0
    take_slope: float = 1.5
    base_quit: float = 0.08
    quit_slope: float = 1.6
    content_level: float = 3.6
    patience_per_activity: float = 0.4
    satisfaction_memory: float = 0.7  # weight of the past in the running satisfaction

    def __post_init__(self) -> None:
        check_fields(self, _RANGES, "choose one in that range or keep the default")

    def act(
        self,
        probabilities: FloatArray,
        satisfaction: FloatArray,
        activity: IntArray,
        seeds: SeedArray,
    ) -> Feedback:
        """Turn distributions (n, k, 5) into feedback.

        Args:
            probabilities: (n, k, 5), each row sums to 1; NaN = no answer.
            satisfaction: (n,) running mean stars of the session so far.
            activity: (n,) trait level 1, 2 or 3.
            seeds: (n,) one per user and step.

        Returns:
            Feedback whose ``ratings`` are sampled from ``probabilities`` for taken items, else 0.
            What has no answer is not taken, and nobody leaves over a slate of which nothing has.
        """
        num_places = probabilities.shape[1]
        expected = expected_stars(probabilities)
        stars = sample_stars(probabilities, uniforms(seeds, Channel.RATING, num_places))
        takes = uniforms(seeds, Channel.TAKE, num_places) < self.take_chance(expected)
        after = self.update_satisfaction(satisfaction, expected)
        quits = uniforms(seeds, Channel.QUIT, 1)[:, 0] < self.quit_chance(after, activity)
        quits &= ~np.isnan(expected).all(axis=1)
        return Feedback(np.where(takes, stars, 0.0), probabilities, takes, quits)

    def take_chance(self, expected: FloatArray) -> FloatArray:
        """Chance (n, k) that an item shown at its place is watched."""
        looks = self.examine_decay ** np.arange(expected.shape[1])
        return np.asarray(looks * _logistic(self.take_slope * (expected - self.take_threshold)))

    def quit_chance(self, satisfaction: FloatArray, activity: IntArray) -> FloatArray:
        """Chance (n,) of leaving after this slate."""
        base = np.log(self.base_quit / (1 - self.base_quit))
        patience = self.patience_per_activity * (np.asarray(activity) - 1)
        return _logistic(base + self.quit_slope * (self.content_level - satisfaction) - patience)

    def update_satisfaction(self, satisfaction: FloatArray, expected: FloatArray) -> FloatArray:
        """Running satisfaction (n,) after seeing a slate whose expected stars are (n, k).

        Places without an answer (NaN) do not count; without any answer it stays as it was.
        """
        keep, seen = self.satisfaction_memory, mean_answered(expected)
        moved = keep * satisfaction + (1 - keep) * seen
        return np.asarray(np.where(np.isnan(seen), satisfaction, moved))


@runtime_checkable
class Behaves(Protocol):
    """User models whose users watch, rate and leave by a stated ``Behaviour``."""

    @property
    def behaviour(self) -> Behaviour:
        """How stars become watching, rating and leaving."""
        ...


def behaviour_of(user_model: UserModel) -> Behaviour:
    """How the users behave; the default where a user model does not say."""
    return user_model.behaviour if isinstance(user_model, Behaves) else Behaviour()


def sample_stars(probabilities: FloatArray, draws: FloatArray) -> FloatArray:
    """Inverse-CDF samples in {1..5}: probabilities (..., 5), draws (...) in [0, 1)."""
    edges = np.cumsum(probabilities, axis=-1)[..., :-1]
    return np.asarray(1.0 + (draws[..., None] >= edges).sum(axis=-1), dtype=np.float64)


def _logistic(x: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):  # far from the edge the chance is 0
        return np.asarray(1.0 / (1.0 + np.exp(-x)))
