import gymnasium as gym
import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.testing.environments import WrapperContract, assert_equal_trees
from simenv.wrappers.candidates import CandidateSet, VectorCandidateSet, most_rated, resolve_source

SMALL = {"num_users": 12, "num_items": 50, "slate_size": 3, "history_length": 8}
POSITIONS = np.array([0, 5, 9])


def make(num_candidates=10, source="uniform"):
    return CandidateSet(make_env(**SMALL), num_candidates, source)


def make_batch(num_envs, source="uniform", **settings):
    return VectorCandidateSet(make_vector_env(num_envs, **SMALL, **settings), 10, source)


class TestCandidates(WrapperContract):
    @pytest.fixture
    def make_env(self):
        return make

    @pytest.fixture
    def make_batch(self):
        return make_batch


def test_a_policy_chooses_positions_in_the_candidates_it_sees():
    env = make()
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    assert env.action_space == gym.spaces.MultiDiscrete([10, 10, 10])
    after, *_ = env.step(POSITIONS)
    assert after["history_items"][-3:].tolist() == observation["candidates"][POSITIONS].tolist()
    assert after["candidates"].tolist() != observation["candidates"].tolist()


def test_repeated_positions_give_way_to_the_next_free_ones():
    env = make()
    observation, _ = env.reset(seed=0)
    after, *_ = env.step([9, 9, 9])
    assert after["history_items"][-3:].tolist() == observation["candidates"][[9, 0, 1]].tolist()


def test_stable_baselines_accepts_the_wrapped_environment():
    check = pytest.importorskip("stable_baselines3.common.env_checker").check_env
    check(make())


def test_a_row_of_the_batch_is_the_single_wrapper():
    batch, single = make_batch(3), make()
    seen, _ = batch.reset(seed=4, options={"users": np.arange(3)})
    own, _ = single.reset(seed=4, options={"users": 2})
    assert seen in batch.observation_space
    for _ in range(3):
        assert_equal_trees({key: values[2] for key, values in seen.items()}, own)
        seen, _, terminated, truncated, _ = batch.step(np.tile(POSITIONS, (3, 1)))
        own, _, terminated, truncated, _ = single.step(POSITIONS)
        if terminated or truncated:
            assert terminated[2] or truncated[2]
            break


def test_final_observations_hold_the_last_candidates():
    env = make_batch(2, autoreset_mode="SameStep", session_steps=1)
    before, _ = env.reset(seed=0)
    after, *_, info = env.step(np.tile(POSITIONS, (2, 1)))
    for row in range(2):
        assert info["final_obs"][row] in env.single_observation_space
        assert_equal_trees(info["final_obs"][row]["candidates"], before["candidates"][row])
    assert after in env.observation_space


def test_rows_that_restart_may_hold_anything():
    env = make_batch(2, session_steps=1)
    env.reset(seed=0)
    env.step(np.tile(POSITIONS, (2, 1)))
    observation, rewards, *_ = env.step(np.full((2, 3), -4))
    assert rewards.tolist() == [0, 0]
    assert (observation["history_items"] == -1).all(), "a new session has seen nothing"
    assert observation in env.observation_space


def test_uniform_candidates_are_distinct_and_equally_likely():
    catalog = make_env(**SMALL).catalog
    draw = resolve_source("uniform", catalog)
    seeds = np.random.default_rng(0).integers(0, 2**63, 20_000).astype(np.uint64)
    items = draw(np.arange(20_000), seeds, 7)
    assert (np.diff(np.sort(items, axis=1), axis=1) > 0).all()
    counts = np.bincount(items.ravel(), minlength=50)
    assert np.abs(counts / counts.mean() - 1).max() < 0.1
    assert np.sort(draw(np.arange(2), seeds[:2], 50)).tolist() == [list(range(50))] * 2


def test_popular_candidates_are_the_most_rated():
    env = make(source=most_rated(np.arange(50) % 7))
    observation, _ = env.reset(seed=0)
    assert observation["candidates"][:4].tolist() == [6, 13, 20, 27]


def test_a_callable_offers_what_it_likes():
    env = make(source=lambda users, seeds, c: users[:, None] + np.arange(c))
    observation, _ = env.reset(seed=0, options={"users": 5})
    assert observation["candidates"].tolist() == list(range(5, 15))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: make(2), ValueError, r"from 3 \(slate_size\) to 50 \(items\), got 2; choose"),
        (lambda: make(51), ValueError, r"to 50 \(items\), got 51"),
        (lambda: make(source="best"), ValueError, r"wanted 'uniform' or a callable"),
        (lambda: make(source="popular"), ValueError, r"pass most_rated\(averages.counts\)"),
        (
            lambda: make(source=lambda *_: np.zeros((1, 4))).reset(),
            ValueError,
            r"source wanted to return item ids of shape \(1, 10\), got float64 of shape \(1, 4\)",
        ),
        (
            lambda: make(source=lambda users, seeds, c: np.full((1, c), 3)).reset(),
            ValueError,
            r"distinct item ids in \[0, 50\)",
        ),
        (lambda: make().step(POSITIONS), RuntimeError, r"call reset\(\) first"),
        (lambda: make_batch(2).step([POSITIONS] * 2), RuntimeError, r"call reset\(\) first"),
        (
            lambda: CandidateSet(gym.make("CartPole-v1"), 5),
            TypeError,
            "CandidateSet wanted a RecEnv, got CartPoleEnv; use VectorCandidateSet",
        ),
        (
            lambda: VectorCandidateSet(gym.make_vec("CartPole-v1"), 5),
            TypeError,
            "VectorCandidateSet wanted a RecVectorEnv, got CartPoleVectorEnv; use CandidateSet",
        ),
    ],
)
def test_wrong_candidates_are_refused_with_the_cure(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_wrong_positions_are_refused():
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"positions of candidates in \[0, 10\), got 10 in row 0"):
        env.step([0, 1, 10])


def test_the_same_seed_offers_the_same_candidates():
    assert_equal_trees(make().reset(seed=1), make().reset(seed=1))
