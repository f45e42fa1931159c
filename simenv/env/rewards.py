"""What a slate was worth: functions from an outcome to one number a user. No environment here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from simenv.catalog import Catalog
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, mean_answered
from simenv.exposure import slate_diversity
from simenv.ranges import as_array, check_number


@dataclass(frozen=True)
class Outcome:
    """What n users did with their slates, and what a reward may want to know beside it."""

    feedback: Feedback
    users: IntArray  # (n,) who was asked
    items: IntArray  # (n, k) what they were shown
    catalog: Catalog
    days_away: FloatArray  # (n,) 0 = still here; days until the next visit; inf = gone for good

    @property
    def ratings(self) -> FloatArray:
        """Sampled stars (n, k), 0 = not taken."""
        return self.feedback.ratings

    @property
    def expected(self) -> FloatArray:
        """Expected stars (n, k), taken or not; NaN where ``failed``."""
        return self.feedback.expected

    @property
    def probabilities(self) -> FloatArray:
        """Distributions over stars (n, k, 5); NaN where ``failed``."""
        return self.feedback.probabilities

    @property
    def failed(self) -> BoolArray:
        """(n, k) no answer came; a reward leaves these places out."""
        return self.feedback.failed

    @property
    def taken(self) -> BoolArray:
        """(n, k) watched."""
        return self.feedback.taken

    @property
    def quits(self) -> BoolArray:
        """(n,) left after this slate, perhaps to come back."""
        return self.feedback.quits


Reward = Callable[[Outcome], FloatArray]
RewardChoice = str | Mapping[str, float] | Reward


def mean_rating(outcome: Outcome) -> FloatArray:
    """Mean sampled stars over the taken places, 0 where nothing was taken: (n,) in [0, 5]."""
    num_taken = outcome.taken.sum(axis=1)
    stars = np.where(outcome.taken, outcome.ratings, 0.0).sum(axis=1)
    return np.asarray(stars / np.maximum(num_taken, 1), dtype=np.float64)


def expected_rating(outcome: Outcome) -> FloatArray:
    """Mean expected stars over all places, taken or not: (n,) in [1, 5]; the least noisy one.

    Over the answered places; 0 where no answer came at all.
    """
    return np.nan_to_num(mean_answered(outcome.expected))


def clicks(outcome: Outcome) -> FloatArray:
    """Number of taken places: (n,) in [0, k]."""
    return np.asarray(outcome.taken.sum(axis=1), dtype=np.float64)


def survival(outcome: Outcome) -> FloatArray:
    """1 where the user stays, 0 where the user leaves: (n,); its sum is the session's length."""
    return (~outcome.quits).astype(np.float64)


def retention(outcome: Outcome) -> FloatArray:
    """1 where the user stays, halved for every week until the next visit, 0 for good: (n,)."""
    return np.asarray(np.exp2(-outcome.days_away / 7.0))


def diversity(outcome: Outcome) -> FloatArray:
    """Mean distance (1 - cosine) of the genres of each two places: (n,) in [0, 1]."""
    return slate_diversity(outcome.catalog.genre_directions[outcome.items])


REWARDS: dict[str, Reward] = {
    "mean_rating": mean_rating,
    "expected_rating": expected_rating,
    "clicks": clicks,
    "survival": survival,
    "retention": retention,
    "diversity": diversity,
}


def resolve_reward(reward: RewardChoice) -> Reward:
    """The reward of that name, the weighted sum of several names, or the callable itself.

    Raises:
        ValueError: a name is not known, a weight is not finite, or there is nothing to sum.
        TypeError: a weight is no number.
    """
    if callable(reward):
        return reward
    if isinstance(reward, Mapping):
        if not reward:
            raise ValueError(
                "reward wanted at least one name with its weight, got an empty mapping;"
                " write {'expected_rating': 1.0}"
            )
        for name, weight in reward.items():
            check_number("reward", f"the weight of {name!r}", weight, "[-1e9, 1e9]", "try 1.0")
        return partial(_weighted_sum, {resolve_reward(n): float(w) for n, w in reward.items()})
    if not isinstance(reward, str) or reward not in REWARDS:
        raise ValueError(
            f"reward wanted one of {sorted(REWARDS)}, weights of some of them, or a callable"
            f" Outcome -> (n,), got {reward!r}; choose a known name or pass your own function"
        )
    return REWARDS[reward]


def pay(reward: Reward, outcome: Outcome) -> FloatArray:
    """``reward(outcome)`` as (n,) float64.

    Raises:
        ValueError: a user-supplied reward returned another shape or a number that is not finite.
    """
    num_users = len(outcome.quits)
    came = as_array(reward(outcome))
    is_good = came.shape == (num_users,) and came.dtype.kind in "biuf" and np.isfinite(came).all()
    if not is_good:
        raise ValueError(
            f"reward wanted {num_users} finite numbers, one a user, got shape {came.shape} of"
            f" {came.dtype} from {getattr(reward, '__name__', reward)!r}; reduce over the places"
            " (axis 1) that are not outcome.failed"
        )
    return came.astype(np.float64)


def _weighted_sum(weights: Mapping[Reward, float], outcome: Outcome) -> FloatArray:
    return np.asarray(sum(weight * reward(outcome) for reward, weight in weights.items()))
