import numpy as np
import pytest

from simenv.events import Feedback
from simenv.rewards import REWARDS, pay, resolve_reward

FEEDBACK = Feedback(
    ratings=np.array([[5.0, 0.0, 2.0], [0.0, 0.0, 0.0]]),
    probabilities=np.array([[[0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]], [[0.2] * 5] * 3]),
    taken=np.array([[True, False, True], [False, False, False]]),
    quits=np.array([False, True]),
)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mean_rating", [(5 + 2) / 2, 0]),
        ("expected_rating", [(5 + 3 + 2) / 3, (1 + 2 + 3 + 4 + 5) / 5]),
        ("clicks", [2, 0]),
        ("survival", [1, 0]),
    ],
)
def test_rewards_are_the_arithmetic_of_their_names(name, values):
    paid = pay(resolve_reward(name), FEEDBACK)
    np.testing.assert_allclose(paid, values)
    assert paid.dtype == np.float64


def test_a_callable_is_a_reward():
    paid = pay(resolve_reward(lambda feedback: feedback.ratings.max(axis=1)), FEEDBACK)
    assert paid.tolist() == [5, 0]


def test_an_unknown_reward_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'clicks', 'expected_rating', 'mean_rating', 'survival'"):
        resolve_reward("click")
    assert len(REWARDS) == 4


@pytest.mark.parametrize("wrong", [lambda f: f.ratings, lambda f: np.full(2, np.nan)])
def test_a_reward_must_be_one_finite_number_a_user(wrong):
    with pytest.raises(ValueError, match="reward wanted 2 finite numbers, one a user, got shape"):
        pay(wrong, FEEDBACK)
