import pickle
from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest

import simenv
from simenv.env.scripted_env import make_env, make_vector_env
from simenv.testing.environments import (
    EnvironmentContract,
    assert_equal_trees,
    check_checkers,
    draw_actions,
)

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}


def small_env(**settings):
    return make_env(**(SMALL | settings))


def small_batch(num_envs, **settings):
    return make_vector_env(num_envs, **(SMALL | settings))


def test_scripted_rec_passes_both_checkers():
    check_checkers(lambda: gym.make("ScriptedRec-v0", **SMALL))


def test_scripted_rec_passes_both_checkers_with_repeats_replaced():
    check_checkers(lambda: gym.make("ScriptedRec-v0", repeats="replace", **SMALL))


class TestScriptedRec(EnvironmentContract):
    @pytest.fixture
    def make_env(self):
        return small_env

    @pytest.fixture
    def make_batch(self):
        return small_batch


def test_make_vec_builds_the_native_batch_with_its_time_limit():
    env = gym.make_vec("ScriptedRec-v0", num_envs=4, max_episode_steps=2, **SMALL)
    assert type(env).__name__ == "RecVectorEnv"
    assert env.max_episode_steps == 2
    assert env.metadata["autoreset_mode"] is gym.vector.AutoresetMode.NEXT_STEP
    env.reset(seed=0)
    for items in draw_actions(env, 2):
        _, _, terminated, truncated, _ = env.step(items)
    assert truncated.any()
    assert not (terminated & truncated).any()


def test_gym_make_reaches_the_time_limit_by_session_steps():
    env = gym.make("ScriptedRec-v0", session_steps=2, **SMALL)
    assert env.unwrapped.reset(seed=1)[0]["progress"] == 0
    assert env.unwrapped.step(np.array([0, 1, 2]))[0]["progress"] == pytest.approx(1 / 2)


def test_gymnasiums_own_batch_of_singles_works_too():
    env = gym.make_vec("ScriptedRec-v0", num_envs=2, vectorization_mode="sync", **SMALL)
    env.reset(seed=0)
    observation, *_ = env.step(env.action_space.sample())
    assert observation in env.observation_space


def test_one_world_seed_is_one_world():
    first, same, other = (small_env(world_seed=seed) for seed in (0, 0, 1))
    assert first.catalog.titles == same.catalog.titles
    assert first.catalog.titles != other.catalog.titles
    assert set(first.catalog.genre_names) <= {title[:-5] for title in first.catalog.titles}


def test_an_empty_world_is_refused():
    with pytest.raises(ValueError, match="num_users wanted a number of at least 1, got 0"):
        make_env(num_users=0)


def test_environments_can_be_copied_and_pickled():
    env = small_batch(2)
    env.reset(seed=0)
    items = draw_actions(env, 1)[0]
    twins = deepcopy(env), pickle.loads(pickle.dumps(env))
    expected = env.step(items)
    for twin in twins:
        assert_equal_trees(twin.step(items), expected)


def test_the_tests_run_our_own_packages():
    assert simenv.__file__.endswith("simenv/__init__.py")
    assert "tests" not in simenv.__file__
