"""Plays the sessions: fit, offline metrics, simulated and true users, one policy after the other.

It measures and keeps per-user values; what they mean is said in ``summary``.
"""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from gymnasium.vector import AutoresetMode

from experiments.progress import Tick
from recommenders.base import Recommender
from recommenders.metrics import UserMetrics, user_metrics
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import FloatArray, IntArray
from simenv.rollout import OnStep, Rollout, rollout
from simenv.user_model import UserModel
from simenv.vector_env import RecVectorEnv

PHASES = ("fit", "offline", "simulated", "true")


@dataclass(frozen=True)
class Setting:
    """What every policy meets alike."""

    dataset: Dataset
    users: IntArray  # (n,) who plays, ascending
    make_env: Callable[..., RecVectorEnv]  # of (user_model, catalog, **sizes)
    max_steps: int
    simulated: UserModel
    true: UserModel | None
    seed: int
    top: int
    min_rating: float


@dataclass
class Session:
    """What one policy got; entries stay empty after a failure."""

    name: str
    fit_seconds: float = np.nan
    offline: dict[str, FloatArray] = field(default_factory=dict)  # metric -> (n,), NaN: no target
    simulated: Rollout | None = None
    true: Rollout | None = None
    error: dict[str, str] | None = None  # {phase, message}


def evaluation_users(dataset: Dataset, num_users: int, min_rating: float, seed: int) -> IntArray:
    """At most ``num_users`` users with training rows and a relevant held-out row, ascending.

    Raises:
        ValueError: there is no such user.
    """
    liked = dataset.test.users[dataset.test.ratings >= min_rating]
    users = np.intersect1d(liked, dataset.train.users)
    if not len(users):
        raise ValueError(
            f"{dataset.name!r} has no user with training rows and a held-out rating of at least"
            f" {min_rating}; lower experiment.min_rating or data.fraction"
        )
    rng = np.random.default_rng([seed, 29])
    chosen = rng.permutation(users)[:num_users]
    return np.sort(chosen).astype(np.int64)


def play(
    policies: Mapping[str, Callable[[], Recommender]], setting: Setting, tick: Tick
) -> list[Session]:
    """Every policy through every phase; one that fails is recorded and the others go on.

    The users' state at the start is the same for every policy, and is brought back at the end.
    """
    start = setting.simulated.snapshot()
    sessions = []
    for name, make in policies.items():
        sessions.append(_play_one(name, make, setting, tick))
        setting.simulated.restore(start)
    return sessions


def ticks_per_policy(setting: Setting) -> int:
    """By how much one policy moves the bar: one for each quick phase, one for each slate."""
    return sum(_ticks(phase, setting) for phase in PHASES)


def _ticks(phase: str, setting: Setting) -> int:
    if phase in ("fit", "offline"):
        return 1
    return setting.max_steps if phase == "simulated" or setting.true is not None else 0


def _play_one(name: str, make: Callable[[], Recommender], setting: Setting, tick: Tick) -> Session:
    session = Session(name)
    policy: list[Recommender] = []  # made in the first phase: a bad constructor is recorded too
    steps: dict[str, Callable[[OnStep], None]] = {
        "fit": lambda _: policy.append(_fit(session, make, setting)),
        "offline": lambda _: _measure_offline(session, policy[0], setting),
        "simulated": lambda on_step: _simulate(session, policy[0], setting, on_step),
        "true": lambda on_step: _simulate_truth(session, policy[0], setting, on_step),
    }
    for phase in PHASES:
        done = 0

        def on_step(*_: object, phase: str = phase) -> None:
            nonlocal done
            done += 1
            tick(f"{name}: {phase}", advance=1)

        tick(f"{name}: {phase}")
        try:
            if session.error is None:
                steps[phase](on_step)
        except Exception as error:  # whatever a policy does wrong, the others must be measured
            session.error = {"phase": phase, "message": f"{type(error).__name__}: {error}"}
        tick(f"{name}: {phase}", advance=_ticks(phase, setting) - done)
    return session


def _fit(session: Session, make: Callable[[], Recommender], setting: Setting) -> Recommender:
    policy = make()
    log = stacked(setting.dataset.train, setting.dataset.background)
    before = time.perf_counter()
    policy.fit(log)
    session.fit_seconds = time.perf_counter() - before
    return policy


def _measure_offline(session: Session, policy: Recommender, setting: Setting) -> None:
    found = user_metrics(policy, setting.dataset, setting.top, setting.min_rating, setting.users)
    rows = np.searchsorted(setting.users, found.users)
    for metric in UserMetrics._fields:
        if metric not in ("users", "items"):
            values = np.full(len(setting.users), np.nan)
            values[rows] = getattr(found, metric)
            session.offline[f"{metric}@{setting.top}"] = values


def _simulate(session: Session, policy: Recommender, setting: Setting, on_step: OnStep) -> None:
    session.simulated = _sessions_with(setting.simulated, policy, setting, on_step)


def _simulate_truth(
    session: Session, policy: Recommender, setting: Setting, on_step: OnStep
) -> None:
    if setting.true is not None:
        session.true = _sessions_with(setting.true, policy, setting, on_step)


def _sessions_with(
    users: UserModel, policy: Recommender, setting: Setting, on_step: OnStep
) -> Rollout:
    """One session of everybody; a policy that learns does so on a copy, afresh each time."""
    env = setting.make_env(
        users,
        setting.dataset.catalog,
        num_envs=len(setting.users),
        max_episode_steps=setting.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    learner = copy.deepcopy(policy)
    return rollout(env, learner, seed=setting.seed, users=setting.users, on_step=on_step)
