"""Would off-policy estimates from one policy's log have told what asking the users tells?

The sessions of a policy that draws are a log with propensities: every other policy is valued from
them alone, and then compared with what the users said when that policy really played.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from experiments.policy_ranking.sessions import Session, Setting
from recommenders.base import Observation
from recommenders.off_policy import (
    Estimate,
    OverlapWarning,
    RewardModel,
    estimate_all,
    item_mean_model,
    weigh,
)
from simenv.events import FloatArray, IntArray, Slates
from simenv.rollout import Rollout

ESTIMATORS = ("IPS", "SNIPS", "DM", "DR", "SWITCH-DR")


class OffPolicy(NamedTuple):
    """Estimates of every policy from the log of one of them."""

    logged_by: str
    values: dict[str, dict[str, Estimate]]  # policy -> estimator -> stars a place


def estimate_from_log(sessions: list[Session], setting: Setting) -> OffPolicy | None:
    """Value all policies from the simulated log of the first that draws; None if none does.

    The reward is the expected stars of every place. The reward model (item means) of one half of
    the users is learnt from the other half, so that no slate judges itself.
    """
    logger = next((s for s in sessions if s.policy and s.policy.draws and _says(s.simulated)), None)
    if logger is None or logger.simulated is None:
        return None
    observation, slates, rewards = _as_log(logger.simulated, setting)
    model = _crossed_model(observation["user"], slates.items, rewards, setting.dataset.num_items)
    values: dict[str, dict[str, Estimate]] = {}
    for session in sessions:
        if session.policy is None or session.simulated is None or session is logger:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)  # kept in the estimates' notes
            try:
                log = weigh(session.policy, observation, slates, rewards, model, num_draws=8)
                values[session.name] = estimate_all(log)
            except ValueError:  # a policy that draws and cannot say its chances
                continue
    return OffPolicy(logger.name, values) if values else None


def _says(played: Rollout | None) -> bool:
    if played is None or played.propensities is None:
        return False
    return bool((played.propensities[played.alive] > 0).all())


def _as_log(played: Rollout, setting: Setting) -> tuple[Observation, Slates, FloatArray]:
    """Every slate of the sessions with what the policy saw when it chose it."""
    rows, steps = np.nonzero(played.alive)
    k = played.items.shape[2]
    before = np.arange(played.items.shape[1])[None, :] < steps[:, None]  # (s, T)
    items = np.where(before[..., None], played.items[rows], -1).reshape(len(rows), -1)
    stars = np.where(before[..., None], played.ratings[rows], 0.0).reshape(len(rows), -1)
    observation: dict[str, Any] = {
        "user": played.users[rows],
        "history_items": items,
        "history_ratings": stars,
        "progress": (steps[:, None] / setting.max_steps),
    }
    assert played.propensities is not None
    slates = Slates.of_items(played.items[rows, steps].reshape(-1, k))
    slates = slates._replace(propensities=played.propensities[rows, steps])
    return observation, slates, played.expected[rows, steps]


def _crossed_model(
    users: IntArray, items: IntArray, rewards: FloatArray, num_items: int
) -> RewardModel:
    half = users % 2 == 0
    if half.all() or not half.any():
        return item_mean_model(items, rewards, num_items)
    of_even = item_mean_model(items[half], rewards[half], num_items)
    of_odd = item_mean_model(items[~half], rewards[~half], num_items)

    def crossed(asked: IntArray, shown: IntArray) -> FloatArray:
        even = (np.asarray(asked) % 2 == 0)[:, None]
        return np.where(even, of_odd(asked, shown), of_even(asked, shown))

    return crossed
