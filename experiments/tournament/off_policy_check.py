"""The simulator's own log read by off-policy estimators: do they say what the users said?

One policy's slates are enough to value all others without asking anybody, if they overlap. The log
holds who was shown what at which place with which chance, so nothing else is needed.
"""

import warnings
from typing import NamedTuple

import numpy as np

from experiments.tournament.playing import Session
from experiments.tournament.setting import Setting
from recommenders.off_policy.by_user import UserValues, by_user
from recommenders.off_policy.estimate import Estimate, OverlapWarning
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.reward_models import cross_fitted_means
from recommenders.off_policy.weighing import Draws, LoggedSlates, weigh
from simenv.env.export import slate_observations
from simenv.env.rollout import Rollout
from simenv.events import Slates
from simenv.observation import take_rows

_DRAWS = Draws(8)


class OffPolicy(NamedTuple):
    """Estimates of every policy from the log of one of them."""

    logged_by: str
    values: dict[str, dict[str, Estimate]]  # policy -> estimator -> stars a place
    by_user: dict[str, dict[str, UserValues]]  # SNIPS and DR -> policy -> rows by ascending user


def estimate_from_log(sessions: list[Session], setting: Setting) -> OffPolicy | None:
    """Value all policies from the simulated log of the first that draws; None if none does.

    The reward is the expected stars of every place. The reward model (item means) of one half of
    the users is learnt from the other half, so that no slate judges itself. A policy is valued as
    fitted, in the moments that the log holds: those which the logging policy led to.
    """
    logger = next((s for s in sessions if s.policy and s.policy.draws and _says(s.simulated)), None)
    if logger is None or logger.simulated is None:
        return None
    shown = _as_log(logger.simulated, setting)
    model = cross_fitted_means(
        shown.users, shown.slates.items, shown.rewards, setting.dataset.num_items
    )
    found = OffPolicy(logger.name, {}, {"SNIPS": {}, "DR": {}})
    for session in sessions:
        if session.policy is None or session.simulated is None or session is logger:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)  # kept in the estimates' notes
            try:
                log = weigh(session.policy, shown, model, _DRAWS)
            except ValueError:  # a policy that draws and cannot say its chances
                continue
            found.values[session.name] = estimate_weighted(log)
        for estimator, values in by_user(log).items():
            found.by_user[estimator][session.name] = values
    return found if found.values else None


def _says(played: Rollout | None) -> bool:
    if played is None or played.propensities is None:
        return False
    return bool((played.propensities[played.alive] > 0).all())


def _as_log(played: Rollout, setting: Setting) -> LoggedSlates:
    """Every slate of the sessions with what the policy saw; those with a failed answer are out."""
    rows, steps = np.nonzero(played.alive)
    whole = np.flatnonzero(~played.failed[rows, steps].any(axis=1))
    k = played.items.shape[2]
    whole_session = played.items.shape[1] * k
    seen = slate_observations(played, whole_session, setting.max_steps)
    observation = take_rows(seen, whole)
    rows, steps = rows[whole], steps[whole]
    assert played.propensities is not None
    slates = Slates.of_items(played.items[rows, steps].reshape(-1, k))
    slates = slates._replace(propensities=played.propensities[rows, steps])
    return LoggedSlates(observation, slates, played.expected[rows, steps])
