import gymnasium as gym
import numpy as np
import pytest

from simenv.env.scripted_env import make_env
from simenv.testing.environments import assert_equal_trees

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
SLATE = np.array([0, 1, 2])


def make(**settings):
    return make_env(**(SMALL | settings))


@pytest.mark.parametrize("user", [7, [7], np.array([7])])
def test_the_user_can_be_chosen(user):
    observation, info = make().reset(seed=0, options={"users": user})
    assert observation["user"] == info["user"] == 7
    assert np.isscalar(observation["user"])


def test_a_list_is_an_action():
    env = make()
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step([0, 1, 2])
    assert observation in env.observation_space
    assert isinstance(reward, float)
    assert isinstance(terminated, bool)
    assert isinstance(truncated, bool)
    assert info["probabilities"].shape == (3, 5)
    assert not any(key.startswith("_") for key in info)


def test_a_session_ends_and_reset_starts_the_next_one():
    env = make(session_steps=1)
    env.reset(seed=0)
    env.step(SLATE)
    with pytest.raises(RuntimeError, match=r"every session has ended; call reset\(\)"):
        env.step(SLATE)
    observation, _ = env.reset()
    assert observation["progress"] == 0
    env.step(SLATE)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([0, 1], r"shape \(num_envs, slate_size\) = \(1, 3\), got \(1, 2\)"),
        ([0.0, 1.0, 2.0], "integer item ids, got dtype float64"),
        ([0, 1, 20], r"item ids in \[0, 20\), got 20 in row 0, place 2"),
        ([0, 1, 1], r"distinct items within a slate, got \[0, 1, 1\] in row 0"),
    ],
)
def test_the_errors_are_those_of_the_batch(action, message):
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(action)


def test_calls_out_of_order_are_refused():
    env = make()
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        env.step(SLATE)
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match="got a closed one; build another"):
        env.reset()


def test_rendering_is_one_text():
    env = gym.make("ScriptedRec-v0", render_mode="ansi", **SMALL)
    env.reset(seed=0)
    assert "nothing shown yet" in env.render()
    env.step(SLATE)
    assert env.render().count("\n") == 3
    with pytest.warns(UserWarning, match="pass render_mode='ansi'"):
        assert make().render() is None


def test_a_session_can_be_forked_in_the_middle():
    env, twin = make(), make()
    env.reset(seed=0)
    env.step(SLATE)
    twin.restore(env.snapshot())
    assert_equal_trees(twin.next_seeds, env.next_seeds)
    assert_equal_trees(twin.step(SLATE + 3), env.step(SLATE + 3))
    assert twin.user_model.num_ratings.tolist() == env.user_model.num_ratings.tolist()


@pytest.mark.parametrize("user", [-1, [-1], np.array(-3)])
def test_the_only_row_cannot_be_left_idle(user):
    with pytest.raises(ValueError, match=r"wanted the id of one user, at least 0, got \[?-\d"):
        make().reset(seed=0, options={"users": user})
