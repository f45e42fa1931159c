import gymnasium as gym
import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.wrappers.candidates import CandidateSet, VectorCandidateSet
from simenv.wrappers.slate_codes import (
    CodedSlates,
    MoreLikeThis,
    NearestItems,
    TopK,
    VectorCodedSlates,
)

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
VECTORS = np.random.default_rng(0).normal(size=(20, 4))
CODES = {
    "top_k": lambda: TopK(20),
    "nearest": lambda: NearestItems(VECTORS, 3),
    "more_like_this": lambda: MoreLikeThis(VECTORS),
}


def shown(env):
    return env.unwrapped._batch._sessions.history.items[:, -3:]


def test_the_highest_scores_are_shown_best_first_and_ties_go_to_the_lower_number():
    scores = np.array([[0.1, 0.9, -1, 0.9], [0, 0, 0, 1.0]])
    assert TopK(4).decode(scores, 3, 4).tolist() == [[1, 3, 0], [3, 0, 1]]


def test_vectors_find_the_nearest_free_items():
    vectors = np.array([[1.0, 0], [0.9, 0.1], [0, 1.0], [-1, 0]])
    code = NearestItems(vectors, 2)
    actions = np.array([[1.0, 0, 1.0, 0], [0, 0.5, -0.5, 0.1]])
    assert code.decode(actions, 2, 4).tolist() == [[0, 1], [2, 3]]


def test_one_item_brings_those_most_like_it():
    vectors = np.array([[1.0, 0], [0.9, 0.1], [0, 1.0], [-1, 0]])
    assert MoreLikeThis(vectors).decode(np.array([1, 3]), 2, 4).tolist() == [[1, 0], [3, 2]]


@pytest.mark.parametrize("make_code", CODES.values(), ids=CODES)
def test_a_batch_of_coded_slates_equals_singles(make_code):
    batch = VectorCodedSlates(make_vector_env(3, **SMALL, autoreset_mode="Disabled"), make_code())
    batch.action_space.seed(0)
    batch.reset(seed=5, options={"users": np.arange(3)})
    actions = batch.action_space.sample()
    assert actions in batch.action_space
    _, rewards, *_ = batch.step(actions)
    for row in range(3):
        single = CodedSlates(make_env(**SMALL), make_code())
        single.reset(seed=5, options={"users": row})
        assert actions[row] in single.action_space
        assert single.step(actions[row])[1] == rewards[row]
        assert len(set(shown(single)[0].tolist())) == 3


def test_codes_go_around_candidates():
    env = CodedSlates(CandidateSet(make_env(**SMALL), 6), TopK(6))
    offered = env.reset(seed=0)[0]["candidates"]
    env.step(np.array([-1, 1, 0, -1, 0.5, -1]))
    assert shown(env)[0].tolist() == offered[[1, 4, 2]].tolist()
    batch = VectorCodedSlates(VectorCandidateSet(make_vector_env(2, **SMALL), 6), TopK(6))
    offered = batch.reset(seed=0)[0]["candidates"]
    observation, *_ = batch.step(np.tile([-1, 1, 0, -1, 0.5, -1], (2, 1)))
    assert observation["history_items"][:, -3:].tolist() == offered[:, [1, 4, 2]].tolist()


@pytest.mark.parametrize("make_code", CODES.values(), ids=CODES)
def test_both_checkers_pass_on_plain_spaces(make_code):
    from stable_baselines3.common.env_checker import check_env

    env = CodedSlates(gym.make("ScriptedRec-v0", **SMALL), make_code())
    assert isinstance(env.action_space, gym.spaces.Box | gym.spaces.Discrete)
    check_env(env, warn=False)


@pytest.mark.parametrize(
    ("code", "action", "message"),
    [
        (TopK(20), np.zeros(19), r"finite actions of shape \(rows, 20\), got \(1, 19\)"),
        (TopK(20), np.full(20, np.nan), "finite actions of shape"),
        (TopK(6), np.zeros(6), "knows 6 items but the environment offers 20; build it with as man"),
        (NearestItems(VECTORS[:5], 3), np.zeros(12), "knows 5 items but the environment offers 20"),
        (MoreLikeThis(VECTORS), 20, r"integer items in \[0, 20\), got int64 in 20..20; give one"),
        (MoreLikeThis(VECTORS), 0.5, r"integer items in \[0, 20\), got float64"),
    ],
)
def test_wrong_actions_are_refused_with_the_cure(code, action, message):
    env = CodedSlates(make_env(**SMALL), code)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(action)


def test_a_batch_wants_one_action_a_row():
    env = VectorCodedSlates(make_vector_env(3, **SMALL), TopK(20))
    env.reset(seed=0)
    with pytest.raises(ValueError, match="step wanted 3 actions, one a row, got 2; give a batch"):
        env.step(np.zeros((2, 20)))


def test_a_code_goes_around_slates_only():
    with pytest.raises(TypeError, match="wanted an environment that takes slates of item ids, got"):
        CodedSlates(CodedSlates(make_env(**SMALL), TopK(20)), TopK(20))
