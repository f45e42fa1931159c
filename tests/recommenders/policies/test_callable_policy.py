import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.policies.callable_policy import CallablePolicy
from recommenders.testing import NUM_ITEMS, MakePolicy, RecommenderContract
from simenv.events import FloatArray, IntArray, InteractionLog

RNG = np.random.default_rng(0)
LOG = InteractionLog.from_columns([0], [1], [5.0], num_users=2, num_items=3)


def zigzag(users: IntArray, observation: dict) -> FloatArray:
    return np.sin(users[:, None] * 7.0 + np.arange(NUM_ITEMS))


class TestCallablePolicy(RecommenderContract):
    @pytest.fixture
    def make_policy(self) -> MakePolicy:
        return lambda: CallablePolicy(zigzag)


def test_a_function_is_a_policy() -> None:
    policy = CallablePolicy(lambda users, observation: np.array([[3.0, 2.0, 1.0]]), label="mine")
    slates = policy.fit(LOG).recommend(cold_observation(np.array([0])), 2, RNG)
    assert policy.name == "mine"
    assert slates.items.tolist() == [[0, 2]]  # item 1 is in the log


def test_scores_of_another_shape_name_both_shapes() -> None:
    policy = CallablePolicy(lambda users, observation: np.zeros(3), label="flat").fit(LOG)
    with pytest.raises(ValueError, match=r"flat wanted scores of shape \(1, 3\) .* got \(3,\)"):
        policy.recommend(cold_observation(np.array([0])), 1, RNG)


def test_a_lambda_cannot_be_saved(tmp_path) -> None:
    policy = CallablePolicy(lambda users, observation: np.zeros((1, 3))).fit(LOG)
    with pytest.raises(ValueError, match=r"cannot be saved: .* is no function of a module; define"):
        policy.save(tmp_path / "p.npz")


def test_a_file_cannot_name_a_function_that_is_not_imported(tmp_path) -> None:
    policy = CallablePolicy(zigzag).fit(LOG)
    policy.save(tmp_path / "p.npz")
    data = (tmp_path / "p.npz").read_bytes()
    assert b"pickle" not in data
    assert isinstance(Recommender.load(tmp_path / "p.npz"), CallablePolicy)
    with pytest.raises(ValueError, match=r"got 'antigravity:fly'; import antigravity first"):
        CallablePolicy("antigravity:fly")
