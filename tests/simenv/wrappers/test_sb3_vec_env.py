import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.wrappers.sb3_vec_env import SB3VecEnv
from simenv.wrappers.slate_codes import MoreLikeThis, VectorCodedSlates
from simenv.wrappers.views import Embedded, Flat, VectorSeen

SMALL = {"num_users": 40, "num_items": 20, "slate_size": 3, "history_length": 8}


def make(num_envs=4, **settings):
    settings = SMALL | {"repeats": "replace", "autoreset_mode": "SameStep"} | settings
    return SB3VecEnv(make_vector_env(num_envs, **settings))


def test_rows_equal_sb3s_own_batch_of_single_environments():
    native = make(4, session_steps=2)
    users = np.array([3, 10, 21, 36])
    singles = DummyVecEnv(
        [lambda: make_env(**SMALL, repeats="replace", session_steps=2) for _ in range(4)]
    )
    native.set_options({"users": users})
    singles.set_options([{"users": user} for user in users.tolist()])
    native.seed(7)
    singles._seeds = [7] * 4  # SB3 would seed them 7, 8, 9, 10: four different worlds
    ours, theirs = native.reset(), singles.reset()
    for key in theirs:
        np.testing.assert_array_equal(ours[key], theirs[key])
    rng = np.random.default_rng(0)
    over = np.zeros(4, bool)
    for _ in range(2):
        actions = rng.integers(0, 20, (4, 3))
        _, our_rewards, our_dones, our_infos = native.step(actions)
        _, their_rewards, their_dones, their_infos = singles.step(actions)
        for row in np.flatnonzero(~over):
            assert our_rewards[row] == pytest.approx(their_rewards[row], rel=1e-6)
            assert our_dones[row] == their_dones[row]
            ours, theirs = our_infos[row], their_infos[row]
            np.testing.assert_array_equal(ours["ratings"], theirs["ratings"])
            if our_dones[row]:
                assert ours["TimeLimit.truncated"] == theirs["TimeLimit.truncated"]
                for key, values in theirs["terminal_observation"].items():
                    np.testing.assert_array_equal(ours["terminal_observation"][key], values)
        over |= our_dones
    assert over.all()


def test_sb3s_wrappers_and_evaluation_take_it():
    env = VecMonitor(make(4))
    model = PPO("MultiInputPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0)
    model.learn(128)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=8)
    assert 1 <= mean <= 50
    assert model.ep_info_buffer[0]["l"] >= 1
    normalised = VecNormalize(make(4), norm_obs=False)
    PPO("MultiInputPolicy", normalised, n_steps=8, batch_size=32, n_epochs=1).learn(32)


def test_dqn_learns_on_flat_observations_and_single_items():
    world = make_vector_env(4, **SMALL, autoreset_mode="SameStep")
    vectors = world.catalog.genre_matrix
    env = VectorSeen(VectorCodedSlates(world, MoreLikeThis(vectors)), Embedded(vectors), Flat())
    model = DQN("MlpPolicy", SB3VecEnv(env), learning_starts=8, train_freq=4, seed=0)
    model.learn(64)
    assert model.num_timesteps == 64


def test_the_same_seed_trains_the_same_policy():
    weights = []
    for _ in range(2):
        model = PPO("MultiInputPolicy", make(4), n_steps=8, batch_size=32, n_epochs=1, seed=3)
        model.learn(64)
        weights.append([p.detach().numpy().copy() for p in model.policy.parameters()])
    for left, right in zip(*weights, strict=True):
        np.testing.assert_array_equal(left, right)


def test_attributes_and_methods_are_those_of_the_batch():
    env = make(4)
    env.reset()
    assert env.get_attr("slate_size", [0, 2]) == [3, 3]
    env.set_attr("repeats", "raise")
    assert env.world.repeats == "raise"
    assert len(env.env_method("snapshot")) == 4
    assert env.env_is_wrapped(gym.Wrapper, 1) == [False]
    with pytest.raises(ValueError, match=r"env_method\('reset'\) wanted all 4 rows, got \[0\]"):
        env.env_method("reset", indices=[0])
    with pytest.raises(ValueError, match="wanted all 4 rows, got 1: they are one native batch"):
        env.set_attr("repeats", "raise", indices=1)


def test_pictures_reach_sb3():
    env = make(2, render_mode="rgb_array")
    env.reset()
    assert env.get_images()[0].ndim == 3
    assert env.render().ndim == 3
    env.close()
    with pytest.raises(RuntimeError, match="wanted an open environment, got a closed one"):
        env.reset()


def test_other_environments_and_modes_are_refused_with_the_cure():
    with pytest.raises(ValueError, match="wanted autoreset_mode='SameStep', got 'NextStep'; pass"):
        SB3VecEnv(make_vector_env(2, **SMALL))
    with pytest.raises(TypeError, match="wanted a RecVectorEnv, got SyncVectorEnv; build one with"):
        SB3VecEnv(gym.make_vec("CartPole-v1", 2, vectorization_mode="sync"))


def test_each_row_gets_the_user_of_its_own_options():
    env = make(4)
    env.seed(0)
    env.set_options([{"users": user} for user in (3, 10, 21, 36)])
    assert env.reset()["user"].tolist() == [3, 10, 21, 36]
    env.set_options([{"users": [user], "root": 5} for user in (4, 11, 22, 37)])
    assert env.reset()["user"].tolist() == [4, 11, 22, 37]
    env.set_options({"users": np.array([1, 2, 5, 8])})
    assert env.reset()["user"].tolist() == [1, 2, 5, 8]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([{"root": row} for row in range(4)], r"differ in \['root'\]; give all rows the same"),
        ([{"users": 1}, {}, {}, {}], r"differ in \['users'\]; give all rows the same or one"),
        ([{"users": 1}], "wanted one dict or one for each of 4 rows, got 1; give as many"),
        ([{"users": [1, 2]}] + [{"users": 3}] * 3, "wanted one user a row, got several; give"),
    ],
)
def test_options_that_one_batch_cannot_serve_are_refused(options, words):
    env = make(4)
    env.set_options(options)
    with pytest.raises(ValueError, match=words):
        env.reset()
