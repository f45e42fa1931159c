"""Plays one session of every user under a policy and keeps what happened as padded arrays.

It knows policies only by their two verbs and imports no recommender. Letters: ``n`` users of the
roll-out, ``T`` steps at most, ``k`` slate places, ``m`` users whose session still runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode

from simenv.env.infos import Info
from simenv.env.vector_env import RecVectorEnv
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, Slates
from simenv.observation import Observation, take_rows
from simenv.policy import Policy

if TYPE_CHECKING:
    import pandas as pd

OnStep = Callable[[IntArray, Slates, Feedback], None]


@dataclass(frozen=True)
class Rollout:
    """Sessions of n users, padded to T steps; padding is -1 in items and 0 elsewhere."""

    users: IntArray  # (n,)
    items: IntArray  # (n, T, k)
    scores: FloatArray  # (n, T, k) of the policy
    propensities: FloatArray | None  # (n, T, k) None if the policy cannot say
    expected: FloatArray  # (n, T, k) expected stars, taken or not; NaN = the answer failed
    ratings: FloatArray  # (n, T, k) sampled stars, 0 = not taken
    taken: BoolArray  # (n, T, k)
    rewards: FloatArray  # (n, T) of the environment
    alive: BoolArray  # (n, T) the user was shown a slate at that step
    quits: BoolArray  # (n,) the user left before the step limit

    def lengths(self) -> IntArray:
        """(n,) slates that each user saw."""
        return np.asarray(self.alive.sum(axis=1), dtype=np.int64)

    @property
    def failed(self) -> BoolArray:
        """(n, T, k) shown, and no answer came; measures leave these places out."""
        return np.asarray(np.isnan(self.expected))

    @property
    def answered(self) -> BoolArray:
        """(n, T, k) shown, and answered for."""
        return np.asarray(self.alive[..., None] & ~self.failed)

    def to_frame(self) -> "pd.DataFrame":
        """One row an exposure: user, step, place, item, score, propensity (NaN if unknown),
        expected and rating (NaN if the answer failed), taken, quit (the user left after that
        slate), failed.
        """  # noqa: D205
        import pandas as pd  # heavy, and only reports need it

        rows, steps = np.nonzero(self.alive)
        num_places = self.items.shape[2]
        leaves = self.quits[rows] & (steps == self.lengths()[rows] - 1)
        propensities = self.propensities
        if propensities is None:
            propensities = np.full(self.items.shape, np.nan)

        def flat(values: Any) -> Any:
            return values[rows, steps].reshape(-1)

        return pd.DataFrame(
            {
                "user": np.repeat(self.users[rows], num_places),
                "step": np.repeat(steps, num_places),
                "place": np.tile(np.arange(num_places), len(rows)),
                "item": flat(self.items),
                "score": flat(self.scores),
                "propensity": flat(propensities),
                "expected": flat(self.expected),
                "rating": flat(np.where(self.failed, np.nan, self.ratings)),
                "taken": flat(self.taken),
                "quit": np.repeat(leaves, num_places),
                "failed": flat(self.failed),
            }
        )


def rollout(
    env: RecVectorEnv,
    policy: Policy,
    *,
    seed: int,
    users: IntArray,
    rng: np.random.Generator | None = None,
    on_step: OnStep | None = None,
    reset_users: bool = True,
) -> Rollout:
    """One session of every user, ``env.num_envs`` users at a time.

    The draws of user u at lifetime step t are the same under every policy (common random numbers):
    they hash (seed, u, t), whatever the batch is. Only rows whose session runs reach the policy.

    Args:
        env: built with ``autoreset_mode=AutoresetMode.DISABLED``.
        policy: shows the slates and sees the answers.
        seed: of the users' draws, and of ``rng`` if none is given.
        users: (n,) distinct ids; n may exceed ``env.num_envs``.
        rng: for policies that draw.
        on_step: called after every step with the users (m,) asked, their slates and feedback.
        reset_users: start with a seeded reset, which rolls all memories back. False keeps memories
            and step counters and only re-keys the draws with ``seed``.

    Raises:
        ValueError: the environment restarts sessions by itself, or users repeat or are unknown.
    """
    users = np.asarray(users, dtype=np.int64).reshape(-1)
    _check(env, users)
    tape = _Tape(users, env.max_episode_steps, env.slate_size)
    rng = np.random.default_rng(seed) if rng is None else rng
    for start in range(0, len(users), env.num_envs):
        chunk = np.arange(start, min(start + env.num_envs, len(users)))
        seats = np.full(env.num_envs, -1, dtype=np.int64)
        seats[: len(chunk)] = users[chunk]
        options: dict[str, Any] = {"users": seats}
        if start == 0 and not reset_users:
            options["root"] = seed
        reset_seed = seed if start == 0 and reset_users else None
        observation, _ = env.reset(seed=reset_seed, options=options)
        _play_chunk(env, policy, rng, observation, tape, chunk, on_step)
    return tape.rollout()


def _check(env: RecVectorEnv, users: IntArray) -> None:
    if env.autoreset_mode is not AutoresetMode.DISABLED:
        raise ValueError(
            "rollout wanted an environment that leaves ended sessions alone, got"
            f" {env.autoreset_mode}; build it with autoreset_mode=AutoresetMode.DISABLED"
        )
    if not len(users) or len(np.unique(users)) != len(users):
        raise ValueError(
            f"rollout wanted at least one user and each once, got {len(users)} ids of"
            f" {len(np.unique(users))} users; pass np.unique(users)"
        )


def _play_chunk(
    env: RecVectorEnv,
    policy: Policy,
    rng: np.random.Generator,
    observation: Observation,
    tape: "_Tape",
    chunk: IntArray,
    on_step: OnStep | None,
) -> None:
    actions = np.zeros((env.num_envs, env.slate_size), dtype=np.int64)
    for step in range(env.max_episode_steps):
        rows = np.flatnonzero(env.live)
        if not len(rows):
            return
        seen = take_rows(observation, rows)
        slates = policy.recommend(seen, env.slate_size, rng)
        actions[rows] = slates.items
        observation, rewards, terminated, _, info = env.step(actions)
        feedback = _feedback(info, terminated, rows)
        policy.update(seen, slates, feedback)
        tape.write(chunk[rows], step, slates, feedback, rewards[rows])
        if on_step is not None:
            on_step(info["user"][rows], slates, feedback)


def _feedback(info: Info, terminated: BoolArray, rows: IntArray) -> Feedback:
    return Feedback(
        ratings=info["ratings"][rows],
        probabilities=info["probabilities"][rows],
        taken=info["taken"][rows],
        quits=terminated[rows],
    )


class _Tape:
    """The arrays of a roll-out while they are written."""

    def __init__(self, users: IntArray, num_steps: int, num_places: int) -> None:
        shape = (len(users), num_steps, num_places)
        self.users = users.copy()
        self.items = np.full(shape, -1, dtype=np.int64)
        self.scores, self.expected, self.ratings = (np.zeros(shape) for _ in range(3))
        self.propensities: FloatArray | None = np.zeros(shape)
        self.taken = np.zeros(shape, dtype=np.bool_)
        self.rewards = np.zeros(shape[:2])
        self.alive = np.zeros(shape[:2], dtype=np.bool_)
        self.quits = np.zeros(shape[0], dtype=np.bool_)

    def write(
        self, rows: IntArray, step: int, slates: Slates, feedback: Feedback, rewards: FloatArray
    ) -> None:
        self.items[rows, step] = slates.items
        self.scores[rows, step] = slates.scores
        self.expected[rows, step] = feedback.expected
        self.ratings[rows, step] = feedback.ratings
        self.taken[rows, step] = feedback.taken
        self.rewards[rows, step] = rewards
        self.alive[rows, step] = True
        self.quits[rows] = feedback.quits
        if slates.propensities is None:
            self.propensities = None
        elif self.propensities is not None:
            self.propensities[rows, step] = slates.propensities

    def rollout(self) -> Rollout:
        return Rollout(**vars(self))
