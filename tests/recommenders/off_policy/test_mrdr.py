import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import doubly_robust, estimate_policy
from recommenders.off_policy.reward_models import cross_fitted_means
from recommenders.off_policy.weighing import DRAWS, Draws, LoggedSlates, weigh, with_model
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity
from simenv.events import InteractionLog, Slates

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")
LOG = InteractionLog.from_columns([9, 9, 8], [1, 0, 1], [4, 4, 4], num_users=10, num_items=3)


def test_it_is_doubly_robust_with_the_published_weights() -> None:
    policy = Popularity().fit(LOG)  # shows item 1 first, then 0
    rng = np.random.default_rng(0)
    n = 8
    observation = cold_observation(np.arange(n))
    items = rng.permuted(np.tile(np.arange(3), (n, 1)), axis=1)[:, :2]
    slates = Slates.of_items(items)._replace(propensities=np.full((n, 2), 1 / 3))
    rewards = rng.normal(size=(n, 2))
    log = LoggedSlates(observation, slates, rewards)
    weighted = weigh(policy, log)
    published = (weighted.weights > 0) * (1 - 1 / 3) / (1 / 3) ** 2
    model = cross_fitted_means(log.users, items, rewards, 3, published)
    expected = doubly_robust(with_model(weighted, policy, log, model))
    assert estimate_policy(policy, log, ["MRDR"])["MRDR"] == expected


def test_rows_count_by_their_squared_weight_and_the_chance_of_another_item() -> None:
    """Weights and chances differ from row to row, and so do what draws and confidence are given."""
    policy = EpsilonGreedy(epsilon=0.5).fit(LOG)
    rng = np.random.default_rng(0)
    items = rng.permuted(np.tile(np.arange(3), (8, 1)), axis=1)[:, :2]
    slates = Slates.of_items(items)._replace(propensities=rng.uniform(0.1, 0.9, size=(8, 2)))
    log = LoggedSlates(cold_observation(np.arange(8)), slates, rng.normal(size=(8, 2)))
    weighted = weigh(policy, log)
    importance = weighted.weights * weighted.weights * (1 - slates.propensities)
    model = cross_fitted_means(log.users, items, log.rewards, 3, importance)
    for draws, confidence in ((DRAWS, 0.95), (Draws(3, 5), 0.5)):
        expected = doubly_robust(with_model(weighted, policy, log, model, draws), confidence)
        found = estimate_policy(policy, log, ["MRDR"], None, draws, confidence)
        assert found["MRDR"] == expected


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
    logged = LoggedSlates(observation, slates, rewards)
    model = cross_fitted_means(logged.users, shown, rewards, num_items)
    plain, robust = estimate_policy(policy, logged, ["DR", "MRDR"], model).values()
    assert robust.low <= 2.5 <= robust.high
    assert robust.high - robust.low < 0.5 * (plain.high - plain.low)
