"""The laws of environments and of wrappers around them, as test classes to subclass.

class TestMyEnvironment(EnvironmentContract):
    @pytest.fixture
    def make_env(self):
        return my_package.make_env

    @pytest.fixture
    def make_batch(self):
        return my_package.make_vector_env
"""

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import check_env as check_gymnasium
from gymnasium.vector import AutoresetMode, VectorEnv

from simenv.events import IntArray
from simenv.observation import take_row

Env = gym.Env[Any, Any]
Batch = VectorEnv[Any, Any, Any]
MakeEnv = Callable[..., Env]
MakeBatch = Callable[..., Batch]
# Of wrappers, of environments that are not registered, and of spaces without bounds.
_EXPECTED = ("different from the unwrapped version", "not having a spec", "value is -?infinity")
PIECES = ("user", "ratings", "taken", "expected", "probabilities")


class WrapperContract:
    """What a ``RecEnv`` and a ``RecVectorEnv`` keep in any wrapper that shows dicts.

    Subclasses give two fixtures: ``make_env``, a callable ``(**settings)``, and ``make_batch``, a
    callable ``(num_envs, **settings)``, over worlds that are equal each time they are built and
    have at least three users. Settings are those of ``RecVectorEnv``.
    """

    def test_both_checkers_pass(self, make_env: MakeEnv) -> None:
        """Gymnasium's without a warning, Stable-Baselines3's too where it is installed."""
        check_checkers(make_env)

    def test_a_seed_replays_a_run_exactly(self, make_batch: MakeBatch) -> None:
        """Memories included; another seed is another run."""
        env = make_batch(3)
        first, second, other = (play(env, 6, seed=seed) for seed in (5, 5, 6))
        assert_equal_trees(first, second)
        assert any(not np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))

    def test_every_row_of_a_batch_is_the_single_environment(
        self, make_env: MakeEnv, make_batch: MakeBatch
    ) -> None:
        """With the same seed and user, over automatic resets too."""
        batch, singles = make_batch(3, autoreset_mode="NextStep"), [make_env() for _ in range(3)]
        observation, _ = batch.reset(seed=3, options={"users": np.arange(3)})
        for row, env in enumerate(singles):
            alone, _ = env.reset(seed=3, options={"users": row})
            assert_equal_trees(take_row(observation, row), alone)
        ended = np.zeros(3, dtype=np.bool_)
        for action in draw_actions(batch, 6):
            came = batch.step(action)
            ended = np.array(
                [_same_row(env, r, action, came, ended[r]) for r, env in enumerate(singles)]
            )

    def test_users_given_to_reset_come_back_at_automatic_resets(
        self, make_batch: MakeBatch
    ) -> None:
        """In both modes that restart rows on their own."""
        for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            env = make_batch(3, autoreset_mode=mode)
            env.reset(seed=0, options={"users": np.array([2, 0, 1])})
            for action in draw_actions(env, 12):
                assert env.step(action)[0]["user"].tolist() == [2, 0, 1]

    def test_what_a_caller_does_to_an_observation_changes_nothing(
        self, make_batch: MakeBatch
    ) -> None:
        """Observations and infos are copies."""
        env, twin = make_batch(2), make_batch(2)
        for each in (env, twin):
            observation, info = each.reset(seed=2)
            if each is env:
                for array in (*observation.values(), *info.values()):
                    array[...] = 0
        action = draw_actions(env, 1)[0]
        assert_equal_trees(env.step(action), twin.step(action))


class EnvironmentContract(WrapperContract):
    """What the environments themselves keep: ``make_batch`` builds a bare ``RecVectorEnv``."""

    def test_a_fork_goes_on_as_the_original(self, make_batch: MakeBatch) -> None:
        """From the middle of a session, in another object too."""
        env: Any = make_batch(2)
        twin: Any = make_batch(2)
        play(env, 3, seed=1)
        fork = env.snapshot()
        original = play(env, 3)
        assert env.snapshot() != fork
        env.restore(fork)
        assert env.snapshot() == fork
        assert_equal_trees(play(env, 3), original)
        twin.restore(fork)
        assert_equal_trees(play(twin, 3), original)

    def test_a_difference_to_an_earlier_snapshot_restores_exactly(
        self, make_batch: MakeBatch
    ) -> None:
        """``snapshot(since=…)`` and ``restore(…, base=…)`` are the plain pair."""
        env: Any = make_batch(2)
        env.reset(seed=1)
        earlier = env.snapshot()
        play(env, 3)
        later, changes = env.snapshot(), env.snapshot(since=earlier)
        env.restore(earlier)
        env.restore(changes, base=earlier)
        assert env.snapshot() == later


def check_checkers(make_env: MakeEnv) -> None:
    """Gymnasium's checker passes without a warning, Stable-Baselines3's too (if installed)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for expected in _EXPECTED:
            warnings.filterwarnings("ignore", message=f".*{expected}.*")
        check_gymnasium(make_env())
    try:
        from stable_baselines3.common.env_checker import check_env as check_sb3
    except ImportError:  # an optional extra
        return
    check_sb3(make_env())


def draw_actions(env: Batch, num_steps: int, seed: int = 0) -> list[Any]:
    """Random valid actions, the same for equal spaces."""
    space = deepcopy(env.action_space)
    space.seed(seed)
    return [space.sample() for _ in range(num_steps)]


def play(env: Batch, num_steps: int, seed: int | None = None) -> list[Any]:
    """What ``num_steps`` random actions return; starts with a reset if a seed is given."""
    if seed is not None:
        env.reset(seed=seed)
    return [env.step(action) for action in draw_actions(env, num_steps)]


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


def _same_row(env: Env, row: int, action: IntArray, came: Any, ended: bool) -> bool:
    """Check one row of a batched step against its single environment; true where it ended."""
    observation, rewards, terminated, truncated, info = came
    if ended:
        seen, _ = env.reset(options={"users": int(info["user"][row])})
        assert rewards[row] == 0
        assert not info["_ratings"][row]
    else:
        seen, *outcome, own = env.step(action[row])
        assert outcome == [rewards[row], terminated[row], truncated[row]]
        assert_equal_trees({k: info[k][row] for k in PIECES}, {k: own[k] for k in PIECES})
    assert_equal_trees(take_row(observation, row), seen)
    return bool(terminated[row] or truncated[row])
