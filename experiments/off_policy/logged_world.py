"""Plays policies before scripted users: logs for the estimators, and the truth they are held to."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from recommenders.base import Recommender
from recommenders.off_policy.logged_slates import Recorder, SimulatedLog
from simenv.data.dataset import Dataset
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator
from simenv.user_model import UserModel

_TRUTH = 10**9  # draws of the truth start here, far from those of the logs


@dataclass(frozen=True)
class LoggedWorld:
    """Where policies play: one slate for every user asked."""

    dataset: Dataset
    model: UserModel
    make_env: Any  # of (user_model, catalog, **sizes)
    slate_size: int
    seed: int


def play(policy: Recommender, world: LoggedWorld, users: IntArray, draw: int) -> SimulatedLog:
    """The slates (n, k) of users (n,) and their answers; the policy is not changed.

    Args:
        policy: fitted.
        world: as it is.
        users: distinct ids.
        draw: another number, other draws of users and policy.
    """
    env = _one_slate_each(world, len(users))
    recorder = Recorder(copy.deepcopy(policy))  # a learner learns from the log, and is thrown away
    seed = int(generator(world.seed, Stream.LOGGED_PLAY, draw).integers(2**31))
    rollout(env, recorder, seed=seed, users=users, rng=np.random.default_rng(seed))
    return recorder.log()


def true_value(
    policy: Recommender, world: LoggedWorld, users: IntArray, num_plays: int
) -> FloatArray:
    """Reward a place of each play (num_plays,) of all users; its mean is the on-policy truth."""
    plays = (play(policy, world, users, _TRUTH + number) for number in range(num_plays))
    return np.array([log.ratings.mean() for log in plays])


def _one_slate_each(world: LoggedWorld, num_users: int) -> RecVectorEnv:
    """The world for ``num_users`` users who see a single slate."""
    env: RecVectorEnv = world.make_env(
        world.model,
        world.dataset.catalog,
        num_envs=num_users,
        slate_size=world.slate_size,
        max_episode_steps=1,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    return env
