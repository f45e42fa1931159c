"""The simulator's own log read by off-policy estimators: do they say what the users said?

One policy's slates are enough to value all others without asking anybody, if they overlap. The log
holds who was shown what at which place with which chance, so nothing else is needed.
"""

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from experiments.tournament.sessions import Session
from experiments.tournament.setting import Setting
from recommenders.off_policy.by_user import UserValues, by_user
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.intervals import Estimate, OverlapWarning
from recommenders.off_policy.reward_models import cross_fitted_means
from recommenders.off_policy.weighing import Draws, LoggedSlates, UnknownChancesError, weigh
from simenv.env.export import slate_observations
from simenv.env.rollout import Rollout
from simenv.events import IntArray, Slates
from simenv.observation import take_rows

_DRAWS = Draws(8)


class OffPolicy(NamedTuple):
    """Estimates of every policy from the log of one of them."""

    logged_by: str
    values: dict[str, dict[str, Estimate]]  # policy -> estimator -> stars a place
    by_user: dict[str, dict[str, UserValues]]  # SNIPS and DR -> policy -> all users, ascending
    failed: Mapping[str, str] = MappingProxyType({})  # policy -> why it could not be valued
    left_out: int = 0  # slates of the log that were not answered


def estimate_from_logs(sessions: list[Session], setting: Setting) -> OffPolicy | None:
    """``estimate_from_log`` of every view as one; None where one view has none.

    A value is the mean over the views, and so are its ends; a user's own value counts both logs by
    what each weighs.
    """
    found = [
        estimate_from_log([session.views[number] for session in sessions], view)
        for number, view in enumerate(setting.views)
    ]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return known[0] if len(known) == 1 else _pooled(known)


def _pooled(views: Sequence[OffPolicy]) -> OffPolicy:
    """Policies that one view could not value are left out."""
    failed = {name: why for view in views for name, why in view.failed.items()}
    names = [name for name in views[0].values if all(name in view.values for view in views)]
    first = views[0].by_user
    return OffPolicy(
        views[0].logged_by,
        {
            name: {kind: _mean_estimate([view.values[name][kind] for view in views])
                   for kind in views[0].values[name]}
            for name in names
        },
        {
            kind: {
                name: _counted([view.by_user[kind][name] for view in views])
                for name in first[kind]
                if all(name in view.by_user[kind] for view in views)
            }
            for kind in first
        },
        failed,
        sum(view.left_out for view in views),
    )  # fmt: skip


def _mean_estimate(found: Sequence[Estimate]) -> Estimate:
    """Sizes are added up: the logs are distinct."""
    value, low, high = (float(np.mean([one[i] for one in found])) for i in range(3))
    return Estimate(
        value, low, high,
        sum(one.effective_size for one in found),
        max(one.max_weight for one in found),
        tuple(note for one in found for note in one.notes),
    )  # fmt: skip


def _counted(found: Sequence[UserValues]) -> UserValues:
    """Each user's mean over the logs, by what each counts; NaN where none says anything."""
    counts = np.sum([own.counts for own in found], axis=0)
    sums = np.sum([np.nan_to_num(own.values) * own.counts for own in found], axis=0)
    values = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return UserValues(values, counts)


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
            users = np.searchsorted(logger.simulated.users, np.unique(log.users))
            everybody = _among(values, users, len(logger.simulated.users))
            found.by_user[estimator][session.name] = everybody
    return found if found.values or failed else None


def _among(values: UserValues, rows: IntArray, num_users: int) -> UserValues:
    """Values of users in some ``rows`` among those of all; the others have none."""
    known, counts = np.full(num_users, np.nan), np.zeros(num_users)
    known[rows], counts[rows] = values
    return UserValues(known, counts)


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
