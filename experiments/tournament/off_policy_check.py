"""The simulator's own log read by off-policy estimators: do they say what the users said?

One policy's slates are enough to value all others without asking anybody, if they overlap. The log
holds who was shown what at which place with which chance, so nothing else is needed.
"""

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from experiments.tournament.playing import Session
from experiments.tournament.setting import Setting
from recommenders.off_policy.by_user import UserValues, by_user
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.intervals import Estimate, OverlapWarning
from recommenders.off_policy.reward_models import cross_fitted_means
from recommenders.off_policy.weighing import Draws, LoggedSlates, UnknownChancesError, weigh
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
    failed: Mapping[str, str] = MappingProxyType({})  # policy -> why it could not be valued
    left_out: int = 0  # slates of the log that were not answered


def estimate_from_log(sessions: list[Session], setting: Setting) -> OffPolicy | None:
    """Value all policies from the simulated log of the first that draws; None if none does.

    The reward is the expected stars of every place. The reward model (item means) of one half of
    the users is learnt from the other half, so that no slate judges itself. A policy is valued as
    fitted, in the moments that the log holds: those which the logging policy led to. One that
    cannot say its chances is left out; one that fails otherwise is named in ``failed``.
    """
    logger = next((s for s in sessions if s.policy and s.policy.draws and _says(s.simulated)), None)
    if logger is None or logger.simulated is None:
        return None
    shown, left_out = _as_log(logger.simulated, setting)
    if shown is None:
        return None
    model = cross_fitted_means(
        shown.users, shown.slates.items, shown.rewards, setting.dataset.num_items
    )
    failed: dict[str, str] = {}
    found = OffPolicy(logger.name, {}, {"SNIPS": {}, "DR": {}}, failed, left_out)
    for session in sessions:
        if session.policy is None or session.simulated is None or session is logger:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)  # kept in the estimates' notes
            try:
                log = weigh(session.policy, shown, model, _DRAWS)
            except UnknownChancesError:
                continue
            except Exception as error:  # the policy's own code, or what it says: the rest goes on
                failed[session.name] = f"{type(error).__name__}: {error}"
                continue
            found.values[session.name] = estimate_weighted(log)
        for estimator, values in by_user(log).items():
            found.by_user[estimator][session.name] = values
    return found if found.values or failed else None


def _says(played: Rollout | None) -> bool:
    if played is None or played.propensities is None:
        return False
    return bool((played.propensities[played.alive] > 0).all())


def _as_log(played: Rollout, setting: Setting) -> tuple[LoggedSlates | None, int]:
    """The answered slates of the sessions with what the policy saw, and how many were not."""
    rows, steps = np.nonzero(played.alive)
    answered = np.asarray(np.isfinite(played.expected[rows, steps]).all(axis=1))
    if not answered.any():
        return None, len(rows)
    k = played.items.shape[2]
    whole_session = played.items.shape[1] * k
    observation = slate_observations(played, whole_session, setting.max_steps)
    assert played.propensities is not None
    observation = take_rows(observation, np.flatnonzero(answered))
    rows, steps = rows[answered], steps[answered]
    slates = Slates.of_items(played.items[rows, steps].reshape(-1, k))
    slates = slates._replace(propensities=played.propensities[rows, steps])
    log = LoggedSlates(observation, slates, played.expected[rows, steps])
    return log, int((~answered).sum())
