"""What Gymnasium users expect of several environments in one process, and of forgetting."""

import gymnasium as gym
import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.testing.environments import assert_equal_trees, draw_actions, play
from simenv.users.visit_effects import VisitEffects

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}


def test_two_environments_in_one_process_do_not_touch_each_other():
    alone = play(make_vector_env(3, **SMALL), 8, seed=1)
    first, second = make_vector_env(3, **SMALL), make_vector_env(2, **SMALL, world_seed=4)
    first.reset(seed=1)
    second.reset(seed=2)
    seen = []
    for items, others in zip(draw_actions(first, 8), draw_actions(second, 8), strict=True):
        second.step(others)
        seen.append(first.step(items))
    assert_equal_trees(seen, alone)
    second.close()
    first.step(draw_actions(first, 1)[0])


def test_gymnasiums_wrappers_take_the_environment():
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("ScriptedRec-v0", **SMALL))
    env.reset(seed=0)
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        over = terminated or truncated
    assert info["episode"]["l"] >= 1
    batch = gym.wrappers.vector.TransformReward(make_vector_env(3, **SMALL), lambda r: r - 3)
    plain = make_vector_env(3, **SMALL)
    batch.reset(seed=0), plain.reset(seed=0)
    items = draw_actions(plain, 1)[0]
    np.testing.assert_allclose(batch.step(items)[1], plain.step(items)[1] - 3)


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_gymnasiums_episode_statistics_are_the_sums_in_every_autoreset_mode(mode):
    env = gym.wrappers.vector.RecordEpisodeStatistics(
        gym.make_vec(
            "ScriptedRec-v0", num_envs=3, autoreset_mode=mode, max_episode_steps=4, **SMALL
        )
    )
    env.reset(seed=0)
    paid, slates, num_ended = np.zeros(3), np.zeros(3, dtype=int), 0
    for items in draw_actions(env.unwrapped, 30):
        *_, rewards, terminated, truncated, info = env.step(items)
        asked = info["_ratings"] | info.get("final_info", info)["_ratings"]
        paid, slates, ended = paid + rewards, slates + asked, terminated | truncated
        if not ended.any():
            continue
        num_ended += ended.sum()
        assert (info["_episode"] == ended).all()
        np.testing.assert_allclose(info["episode"]["r"][ended], paid[ended])
        np.testing.assert_array_equal(info["episode"]["l"][ended], slates[ended])
        paid, slates = np.where(ended, 0, paid), np.where(ended, 0, slates)
        if mode == "Disabled":
            env.reset(options={"reset_mask": ended})
    assert num_ended > 10


@pytest.mark.parametrize("effects", [None, VisitEffects()])
def test_forgetting_takes_memories_back_and_keeps_the_draws_going(effects):
    env = make_vector_env(3, **SMALL, effects=effects)
    users = env.user_model.inner if effects else env.user_model
    play(env, 5, seed=0)
    assert users.num_ratings.sum() > 0
    kept, _ = env.reset()
    assert users.num_ratings.sum() > 0
    seeds = env.next_seeds
    env.reset(options={"forget": True, "users": kept["user"]})
    assert users.num_ratings.sum() == 0
    np.testing.assert_array_equal(env.next_seeds, seeds)


@pytest.mark.parametrize(
    ("options", "seed", "error", "message"),
    [
        ({"forget": 1}, None, TypeError, "'forget' wanted True or False, got 1"),
        (
            {"forget": True, "reset_mask": np.array([True, False, False])},
            None,
            ValueError,
            "'forget' wanted all rows to restart, got a partial 'reset_mask'",
        ),
        ({"forget": False}, 3, ValueError, "wanted either a seed or forget=False, got both"),
    ],
)
def test_wrong_forgetting_is_refused_with_the_cure(options, seed, error, message):
    env = make_vector_env(3, **SMALL, autoreset_mode="Disabled")
    env.reset(seed=0)
    with pytest.raises(error, match=message):
        env.reset(seed=seed, options=options)


def test_a_closed_environment_says_so_and_another_can_be_built():
    env = make_env(**SMALL)
    env.reset(seed=0)
    env.close()
    with pytest.raises(RuntimeError, match="step wanted an open environment, got a closed one"):
        env.step(np.array([0, 1, 2]))
    make_env(**SMALL).reset(seed=0)
