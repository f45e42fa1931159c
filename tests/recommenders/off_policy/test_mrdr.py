import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import doubly_robust, item_mean_model, weigh, with_model
from recommenders.off_policy.mrdr import cross_fitted_means, more_robust
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity
from simenv.events import InteractionLog, Slates

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.estimators.OverlapWarning")
LOG = InteractionLog.from_columns([9, 9, 8], [1, 0, 1], [4, 4, 4], num_users=10, num_items=3)


def test_importance_weighs_the_means() -> None:
    items, rewards = np.array([[0], [0], [1]]), np.array([[1.0], [4.0], [2.0]])
    weights = np.array([[3.0], [1.0], [0.0]])
    model = item_mean_model(items, rewards, 3, prior_rows=1, importance=weights)
    # The weights are scaled to sum to 3 rows: 9 / 4 and 3 / 4; the mean of all is 7 / 4.
    mean = 7 / 4
    expected = [(9 / 4 * 1 + 3 / 4 * 4 + mean) / (3 + 1), mean, mean]
    assert model(None, np.arange(3)).tolist() == pytest.approx(expected)
    equal = item_mean_model(items, rewards, 3, importance=np.full((3, 1), 0.2))
    plain = item_mean_model(items, rewards, 3)
    np.testing.assert_allclose(equal(None, np.arange(3)), plain(None, np.arange(3)))
    nothing = item_mean_model(items, rewards, 3, importance=np.zeros((3, 1)))
    np.testing.assert_allclose(nothing(None, np.arange(3)), plain(None, np.arange(3)))


def test_a_user_is_judged_by_what_the_other_half_said() -> None:
    users, items = np.array([0, 1]), np.array([[0], [0]])
    model = cross_fitted_means(users, items, np.array([[1.0], [5.0]]), 2)
    assert model(users, items).tolist() == [[5.0], [1.0]]
    alone = cross_fitted_means(np.array([0, 2]), items, np.array([[1.0], [5.0]]), 2)
    assert alone(users, items).tolist() == [[3.0], [3.0]]


def test_it_is_doubly_robust_with_the_published_weights() -> None:
    policy = Popularity().fit(LOG)  # shows item 1 first, then 0
    rng = np.random.default_rng(0)
    n = 8
    observation = cold_observation(np.arange(n))
    items = rng.permuted(np.tile(np.arange(3), (n, 1)), axis=1)[:, :2]
    slates = Slates.of_items(items)._replace(propensities=np.full((n, 2), 1 / 3))
    rewards = rng.normal(size=(n, 2))
    log = weigh(policy, observation, slates, rewards)
    published = (log.weights > 0) * (1 - 1 / 3) / (1 / 3) ** 2
    model = cross_fitted_means(log.users, items, rewards, 3, published)
    expected = doubly_robust(with_model(log, policy, observation, slates, model))
    assert more_robust(policy, log, observation, slates, 3) == expected


def test_rows_count_by_their_squared_weight_and_the_chance_of_another_item() -> None:
    """Weights and chances differ from row to row, and so do what draws and confidence are given."""
    policy = EpsilonGreedy(epsilon=0.5).fit(LOG)
    rng = np.random.default_rng(0)
    observation = cold_observation(np.arange(8))
    items = rng.permuted(np.tile(np.arange(3), (8, 1)), axis=1)[:, :2]
    slates = Slates.of_items(items)._replace(propensities=rng.uniform(0.1, 0.9, size=(8, 2)))
    rewards = rng.normal(size=(8, 2))
    log = weigh(policy, observation, slates, rewards)
    importance = log.weights * log.weights * (1 - slates.propensities)
    model = cross_fitted_means(log.users, items, rewards, 3, importance)
    for given, rng_seed, num_draws, confidence in (
        ({}, 0, 32, 0.95),
        ({"rng": np.random.default_rng(5), "num_draws": 3, "confidence": 0.5}, 5, 3, 0.5),
    ):
        draws = np.random.default_rng(rng_seed)
        modelled = with_model(log, policy, observation, slates, model, draws, num_draws)
        expected = doubly_robust(modelled, confidence)
        assert more_robust(policy, log, observation, slates, 3, **given) == expected


def test_one_half_alone_is_weighed_too_and_every_even_user_is_of_one_half() -> None:
    items, rewards = np.array([[0], [0]]), np.array([[1.0], [5.0]])
    alone = cross_fitted_means(np.array([0, 2]), items, rewards, 1, np.array([[3.0], [1.0]]))
    assert alone(np.array([0]), np.array([[0]])).tolist() == [[(3 * 1 + 1 * 5) / 4]]
    model = cross_fitted_means(np.array([0, 1]), items, rewards, 1)
    asked = model(np.arange(6), np.zeros((6, 1), dtype=int))
    assert asked.ravel().tolist() == [5.0, 1.0] * 3


def test_its_interval_is_no_wider_than_that_of_a_model_fitted_to_everything() -> None:
    """Two kinds of users: a policy for one kind must not be judged by the other kind's ratings."""
    rng = np.random.default_rng(3)
    n, num_items = 4_000, 2
    kind = np.arange(n) // 2 % 2  # even and odd users of both kinds
    log = InteractionLog.from_columns([n], [1], [4], num_users=n + 1, num_items=num_items)
    policy = Popularity().fit(log)  # shows item 1 to everybody
    observation = cold_observation(np.arange(n))
    chance = np.where(kind == 0, 0.05, 0.95)  # of item 1 in the log
    shown = (rng.random(n) < chance).astype(np.int64)[:, None]
    slates = Slates.of_items(shown)._replace(
        propensities=np.where(shown[:, 0] == 1, chance, 1 - chance)[:, None]
    )
    rewards = np.where(kind == 0, 4.0, 1.0)[:, None] + 0.1 * rng.normal(size=(n, 1))
    found = weigh(policy, observation, slates, rewards)
    plain = doubly_robust(
        with_model(
            found,
            policy,
            observation,
            slates,
            cross_fitted_means(found.users, shown, rewards, num_items),
        )
    )
    robust = more_robust(policy, found, observation, slates, num_items)
    assert robust.low <= 2.5 <= robust.high
    assert robust.high - robust.low < 0.5 * (plain.high - plain.low)
