"""What a slate was worth: functions from feedback to one number a user. No environment here."""

from collections.abc import Callable

import numpy as np

from simenv.events import Feedback, FloatArray

Reward = Callable[[Feedback], FloatArray]


def mean_rating(feedback: Feedback) -> FloatArray:
    """Mean sampled stars over the taken places, 0 where nothing was taken: (n,) in [0, 5]."""
    num_taken = feedback.taken.sum(axis=1)
    stars = np.where(feedback.taken, feedback.ratings, 0.0).sum(axis=1)
    return np.asarray(stars / np.maximum(num_taken, 1), dtype=np.float64)


def expected_rating(feedback: Feedback) -> FloatArray:
    """Mean expected stars over all places, taken or not: (n,) in [1, 5]; the least noisy one."""
    return np.asarray(feedback.expected.mean(axis=1), dtype=np.float64)


def clicks(feedback: Feedback) -> FloatArray:
    """Number of taken places: (n,) in [0, k]."""
    return np.asarray(feedback.taken.sum(axis=1), dtype=np.float64)


def survival(feedback: Feedback) -> FloatArray:
    """1 where the user stays, 0 where the user leaves: (n,); its sum is the session's length."""
    return (~feedback.quits).astype(np.float64)


REWARDS: dict[str, Reward] = {
    "mean_rating": mean_rating,
    "expected_rating": expected_rating,
    "clicks": clicks,
    "survival": survival,
}


def resolve_reward(reward: str | Reward) -> Reward:
    """The reward of that name, or the callable itself.

    Raises:
        ValueError: the name is not known.
    """
    if callable(reward):
        return reward
    if reward not in REWARDS:
        raise ValueError(
            f"reward wanted one of {sorted(REWARDS)} or a callable Feedback -> (n,), got"
            f" {reward!r}; choose a known name or pass your own function"
        )
    return REWARDS[reward]


def pay(reward: Reward, feedback: Feedback) -> FloatArray:
    """``reward(feedback)`` as (n,) float64.

    Raises:
        ValueError: a user-supplied reward returned another shape or a number that is not finite.
    """
    num_users = len(feedback.quits)
    values = np.asarray(reward(feedback), dtype=np.float64)
    if values.shape != (num_users,) or not np.isfinite(values).all():
        raise ValueError(
            f"reward wanted {num_users} finite numbers, one a user, got shape {values.shape}"
            f" from {getattr(reward, '__name__', reward)!r}; reduce over the places (axis 1)"
        )
    return values
