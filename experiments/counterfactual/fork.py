"""One run, forked: the same users from the same moment under several policies.

It knows policies by their two verbs and the environment by its public face. Letters: ``n`` users,
``k`` slate places.
"""

import copy
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from simenv.env.vector_env import RecVectorEnv
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, mean_answered
from simenv.observation import Observation, take_rows
from simenv.policy import Policy
from simenv.seeding import Stream, generator


class Branch(NamedTuple):
    """What happened after the switch."""

    stars: FloatArray  # (n,) mean expected stars of the slates after it; NaN = was gone already
    slates: FloatArray  # (n,) slates seen after it; NaN = was gone already


class Fork(NamedTuple):
    """The branches and who could be in them."""

    there: BoolArray  # (n,) the user was still there at the switch
    branches: dict[str, Branch]


def fork(
    env: RecVectorEnv,
    before: str,
    policies: Mapping[str, Policy],
    users: IntArray,
    *,
    switch_at: int,
    seed: int,
    on_branch: Callable[[str], object] = str,
) -> Fork:
    """Play ``before``, keep the moment, and go on from it with every policy.

    Policies are copied: those given are not changed. ``before`` goes on with what it has learnt;
    the others begin as they are.

    Args:
        env: one seat a user, with ``autoreset_mode=AutoresetMode.DISABLED``.
        before: name of the policy that everybody has first.
        policies: name → fitted policy.
        users: (n,) distinct ids.
        switch_at: slates before the switch.
        seed: of all draws.
        on_branch: is told what begins: the stretch before the switch, then every branch.

    Raises:
        ValueError: ``before`` is unknown, or the switch does not fall inside a session.
    """
    if before not in policies:
        raise ValueError(f"a fork wanted before to be one of {sorted(policies)}, got {before!r}")
    if not 0 < switch_at < env.max_episode_steps:
        raise ValueError(
            f"a fork wanted switch_at between 1 and {env.max_episode_steps - 1} slates, got"
            f" {switch_at}; lengthen env.max_episode_steps or switch earlier"
        )
    on_branch(f"{before} until the switch")
    observation, _ = env.reset(seed=seed, options={"users": np.asarray(users)})
    stayer, rng = copy.deepcopy(policies[before]), np.random.default_rng(seed)
    observation, _ = _play(env, stayer, rng, observation, switch_at)
    moment, there = env.snapshot(), env.live.copy()
    branches = {}
    for name, policy in policies.items():
        on_branch(name)
        env.restore(moment)
        own = copy.deepcopy(stayer if name == before else policy)
        later = generator(seed, Stream.BRANCHES)
        _, branch = _play(env, own, later, observation, env.max_episode_steps - switch_at)
        branches[name] = branch
    env.restore(moment)
    return Fork(there, branches)


def _play(
    env: RecVectorEnv,
    policy: Policy,
    rng: np.random.Generator,
    observation: Observation,
    num_steps: int,
) -> tuple[Observation, Branch]:
    """At most so many slates from where the environment stands."""
    sums, rated, slates = (np.zeros(env.num_envs) for _ in range(3))
    was_there = env.live.copy()
    for _ in range(num_steps):
        rows = np.flatnonzero(env.live)
        if not len(rows):
            break
        seen = take_rows(observation, rows)
        chosen = policy.recommend(seen, env.slate_size, rng)
        actions = np.zeros((env.num_envs, env.slate_size), dtype=np.int64)
        actions[rows] = chosen.items
        observation, _, terminated, _, info = env.step(actions)
        feedback = Feedback(
            info["ratings"][rows],
            info["probabilities"][rows],
            info["taken"][rows],
            terminated[rows],
        )
        policy.update(seen, chosen, feedback)
        means = mean_answered(feedback.expected)
        sums[rows] += np.nan_to_num(means)
        rated[rows] += ~np.isnan(means)
        slates[rows] += 1
    stars = np.divide(sums, rated, out=np.full(len(sums), np.nan), where=rated > 0)
    return observation, Branch(stars, np.where(was_there, slates, np.nan))
