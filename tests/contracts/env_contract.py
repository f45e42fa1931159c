"""What every registered environment must keep; run over each id.

Factories: ``make_env(**settings) -> RecEnv`` and ``make_batch(num_envs, **settings) ->
RecVectorEnv`` over worlds that are equal each time they are built.
"""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import check_env as check_gymnasium
from gymnasium.vector import AutoresetMode

from simenv.env.single_env import RecEnv
from simenv.env.spaces import SlateSpace
from simenv.env.vector_env import RecVectorEnv

MakeEnv = Callable[..., RecEnv]
MakeBatch = Callable[..., RecVectorEnv]
PIECES = ("user", "ratings", "taken", "expected", "probabilities")


def check_checkers(make_env: Callable[[], gym.Env[Any, Any]]) -> None:
    """Gymnasium's checker passes without a warning, Stable-Baselines3's too (if installed)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version.*")
        warnings.filterwarnings("ignore", message=".*not having a spec.*")
        check_gymnasium(make_env().unwrapped)
    try:
        from stable_baselines3.common.env_checker import check_env as check_sb3
    except ImportError:  # an optional extra
        return
    check_sb3(make_env())


def check_replays_with_a_seed(make_batch: MakeBatch, num_steps: int = 6) -> None:
    """reset(seed) replays a run exactly, memories included; another seed is another run."""
    env = make_batch(3)
    first, second, other = (play(env, num_steps, seed=seed) for seed in (5, 5, 6))
    assert_equal_trees(first, second)
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def check_batch_equals_singles(
    make_env: MakeEnv, make_batch: MakeBatch, num_envs: int = 3, num_steps: int = 6
) -> None:
    """Every row of a batch is the single environment with the same seed and user."""
    batch = make_batch(num_envs, autoreset_mode=AutoresetMode.NEXT_STEP)
    singles = [make_env() for _ in range(num_envs)]
    slates = draw_slates(batch, num_steps)
    users = np.arange(num_envs)  # each row's own residue class, so no two rows share a user
    observation, _ = batch.reset(seed=3, options={"users": users})
    alone = [env.reset(seed=3, options={"users": u}) for env, u in zip(singles, users, strict=True)]
    ended = np.zeros(num_envs, dtype=np.bool_)
    for row in range(num_envs):
        assert_equal_trees(_row(observation, row), alone[row][0])
    for items in slates:
        observation, rewards, terminated, truncated, info = batch.step(items)
        for row, env in enumerate(singles):
            if ended[row]:
                seen, _ = env.reset(options={"users": int(info["user"][row])})
                assert rewards[row] == 0
                assert not info["_ratings"][row]
                ended[row] = False
            else:
                seen, reward, left, cut, own = env.step(items[row])
                assert (reward, left, cut) == (rewards[row], terminated[row], truncated[row])
                assert_equal_trees({k: info[k][row] for k in PIECES}, {k: own[k] for k in PIECES})
                ended[row] = left or cut
            assert_equal_trees(_row(observation, row), seen)


def check_snapshot_forks(make_batch: MakeBatch, num_steps: int = 3) -> None:
    """A run forked in the middle of a session goes on as the original, in another object too."""
    env, twin = make_batch(2), make_batch(2)
    play(env, num_steps, seed=1)
    fork = env.snapshot()
    original = play(env, num_steps)
    assert env.snapshot() != fork
    env.restore(fork)
    assert env.snapshot() == fork
    assert_equal_trees(play(env, num_steps), original)
    twin.restore(fork)
    assert_equal_trees(play(twin, num_steps), original)


def check_observations_are_copies(make_batch: MakeBatch) -> None:
    """What a caller does to an observation changes nothing."""
    env, twin = make_batch(2), make_batch(2)
    for each in (env, twin):
        observation, info = each.reset(seed=2)
        if each is env:
            for array in (*observation.values(), *info.values()):
                array[...] = 0
    items = draw_slates(env, 1)[0]
    assert_equal_trees(env.step(items), twin.step(items))


def check_env_contract(make_env: MakeEnv, make_batch: MakeBatch) -> None:
    """All of the contract but the checkers, which want a registered environment."""
    check_replays_with_a_seed(make_batch)
    check_batch_equals_singles(make_env, make_batch)
    check_snapshot_forks(make_batch)
    check_observations_are_copies(make_batch)


def draw_slates(env: RecVectorEnv, num_steps: int, seed: int = 0) -> list[np.ndarray]:
    """Random valid actions, the same for equal spaces."""
    space = SlateSpace(len(env.catalog), (env.num_envs, env.slate_size), seed=seed)
    return [space.sample() for _ in range(num_steps)]


def play(env: RecVectorEnv, num_steps: int, seed: int | None = None) -> list[Any]:
    """What ``num_steps`` random slates return; starts with a reset if a seed is given."""
    if seed is not None:
        env.reset(seed=seed)
    return [env.step(items) for items in draw_slates(env, num_steps)]


def assert_equal_trees(left: Any, right: Any) -> None:
    """Equality through dicts, lists and tuples, exact in every number."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal_trees(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_equal_trees(a, b)
    elif isinstance(left, np.ndarray) and left.dtype == object:
        assert_equal_trees(left.tolist(), right.tolist())
    else:
        np.testing.assert_array_equal(left, right)


def _row(observation: dict[str, Any], row: int) -> dict[str, Any]:
    return {key: values[row] for key, values in observation.items()}
