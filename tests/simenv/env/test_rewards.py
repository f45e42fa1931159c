from dataclasses import replace

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.env.pessimism import PessimisticRating
from simenv.env.rewards import REWARDS, Outcome, pay, resolve_reward
from simenv.events import Feedback
from simenv.users.scripted_users import LatentTruth

CATALOG = Catalog(tuple("abcd"), np.zeros(4, int), (("X",), ("X",), ("Y",), ("X", "Y")))
FEEDBACK = Feedback(
    ratings=np.array([[5.0, 0.0, 2.0], [0.0, 0.0, 0.0]]),
    probabilities=np.array([[[0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]], [[0.2] * 5] * 3]),
    taken=np.array([[True, False, True], [False, False, False]]),
    quits=np.array([False, True]),
)
OUTCOME = Outcome(
    FEEDBACK,
    users=np.array([3, 0]),
    items=np.array([[0, 1, 2], [0, 3, 1]]),
    catalog=CATALOG,
    days_away=np.array([0.0, 14.0]),
)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mean_rating", [(5 + 2) / 2, 0]),
        ("expected_rating", [(5 + 3 + 2) / 3, (1 + 2 + 3 + 4 + 5) / 5]),
        ("clicks", [2, 0]),
        ("survival", [1, 0]),
        ("retention", [1, 2 ** -(14 / 7)]),
        ("diversity", [(0 + 1 + 1) / 3, (2 * (1 - 2**-0.5) + 0) / 3]),
        ({"clicks": 2.0, "survival": 0.5}, [2 * 2 + 0.5, 0]),
    ],
)
def test_rewards_are_the_arithmetic_of_their_names(name, values):
    paid = pay(resolve_reward(name), OUTCOME)
    np.testing.assert_allclose(paid, values)
    assert paid.dtype == np.float64


def test_a_callable_is_a_reward():
    paid = pay(resolve_reward(lambda outcome: outcome.ratings.max(axis=1)), OUTCOME)
    assert paid.tolist() == [5, 0]


def test_an_unknown_reward_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'clicks', 'diversity', 'expected_rating', 'mean_ra"):
        resolve_reward("click")
    with pytest.raises(ValueError, match=r"wanted one of .* got 'click'; choose"):
        resolve_reward({"survival": 1.0, "click": 1.0})
    with pytest.raises(ValueError, match="at least one name with its weight, got an empty mapping"):
        resolve_reward({})
    assert len(REWARDS) == 6


def test_a_slate_of_one_item_has_no_diversity():
    assert resolve_reward("diversity")(replace(OUTCOME, items=OUTCOME.items[:, :1])).tolist() == [
        0,
        0,
    ]


def test_pessimism_takes_off_what_the_members_disagree_about():
    worlds = [LatentTruth.draw(4, 4, seed=seed) for seed in range(3)]
    users, items = OUTCOME.users, OUTCOME.items
    stars = np.stack([w.probabilities(users, items) @ np.arange(1, 6) for w in worlds])
    wanted = (stars.mean(axis=0) - 2 * stars.std(axis=0, ddof=1)).mean(axis=1)
    np.testing.assert_allclose(pay(PessimisticRating(worlds, penalty=2.0), OUTCOME), wanted)
    agreed = PessimisticRating([worlds[0], worlds[0]], penalty=5.0)
    np.testing.assert_allclose(pay(agreed, OUTCOME), stars[0].mean(axis=1))


@pytest.mark.parametrize(
    ("count", "penalty", "words"),
    [
        (1, 1.0, "at least two members, got 1; a single model"),
        (2, -1.0, "a penalty of at least 0, got -1.0; 0 is the mean"),
        (2, np.nan, "a penalty of at least 0 and finite, got nan"),
    ],
)
def test_pessimism_wants_several_members_and_no_bonus(count, penalty, words):
    with pytest.raises(ValueError, match=words):
        PessimisticRating([LatentTruth.draw(4, 4)] * count, penalty)


@pytest.mark.parametrize("wrong", [lambda f: f.ratings, lambda f: np.full(2, np.nan)])
def test_a_reward_must_be_one_finite_number_a_user(wrong):
    with pytest.raises(ValueError, match="reward wanted 2 finite numbers, one a user, got shape"):
        pay(wrong, OUTCOME)
