"""Logs of wrong shapes, or of what is no number: refused by every estimator."""

import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import (
    ESTIMATORS,
    doubly_robust,
    estimate_policy,
    estimate_weighted,
    switch_doubly_robust,
)
from recommenders.off_policy.reward_models import cross_fitted_means, item_mean_model
from recommenders.off_policy.weighing import (
    Draws,
    LoggedSlates,
    UnknownChancesError,
    WeightedLog,
    weigh,
)
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import InteractionLog

N = K = 3  # as many slates as places, so that a number a slate could pass for one a place
LOG = InteractionLog.from_columns([0, 1, 2], [0, 1, 2], [5.0, 1.0, 3.0], num_users=N, num_items=8)
USERS = cold_observation(np.arange(N))
SHOWN = Random().fit(LOG).recommend(USERS, K, np.random.default_rng(0))
REWARDS = np.arange(9.0).reshape(N, K)
PREFIXES = Random().fit(LOG).prefix_propensities(USERS, SHOWN.items)
BY_PLACE = [name for name in ESTIMATORS if name != "PI"]


def model(users, items):
    return np.full(items.shape, 4.0)


def value(name, rewards=REWARDS, slates=SHOWN, prefixes=PREFIXES, policy=None):
    policy = policy or Random().fit(LOG)
    log = LoggedSlates(USERS, slates, rewards, prefixes)
    return estimate_policy(policy, log, [name], model)[name].value


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_logging_policy_is_worth_the_mean_of_what_it_earned(name):
    if name not in ("DM", "MRDR"):
        assert value(name) == pytest.approx(REWARDS.mean())
    assert np.isfinite(value(name))


@pytest.mark.parametrize("name", BY_PLACE)
def test_one_reward_a_slate_is_never_read_by_place(name):
    with pytest.raises(ValueError, match=r"wanted the reward of every place \(3, 3\), got one"):
        value(name, np.array([1.0, 2.0, 3.0]))


def test_one_reward_a_slate_is_that_of_the_slate():
    assert value("PI", np.array([1.0, 2.0, 6.0])) == pytest.approx(3.0)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    ("rewards", "words"),
    [
        (REWARDS[:2], r"wanted rewards of shape \(3, 3\) .*, got \(2, 3\)"),
        (REWARDS[None], r"wanted rewards of shape \(3, 3\) .*, got \(1, 3, 3\)"),
        (REWARDS[:, :1], r"wanted rewards of shape \(3, 3\) .*, got \(3, 1\)"),
        (5.0, r"wanted rewards of shape \(3, 3\) .*, got \(\)"),
        (np.where(REWARDS == 4, np.nan, REWARDS), r"got nan at \(1, 1\) and 1 such in all; leave"),
        (np.where(REWARDS == 8, np.inf, REWARDS), r"got inf at \(2, 2\) and 1 such in all; leave"),
        ([["a"] * 3] * 3, "wanted rewards that are numbers, got <U1 of shape"),
        ([[None] * 3] * 3, "wanted rewards that are numbers, got object of shape"),
        ([[1.0], [1.0, 2.0]], "wanted rewards that are numbers, got object of shape"),
        (REWARDS.astype("timedelta64[s]"), "wanted rewards that are numbers, got timedelta64"),
    ],
)
def test_rewards_that_are_none_are_refused(name, rewards, words):
    with pytest.raises(ValueError, match=words):
        value(name, rewards)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    ("chances", "words"),
    [
        (np.full(N, 0.1), r"of shape \(3, 3\) \(slates, places\), got \(3,\)"),
        (np.full((N, 1), 0.1), r"of shape \(3, 3\) \(slates, places\), got \(3, 1\)"),
        (np.full((N, K), np.nan), r"must lie in \(0, 1\], got nan\.\.nan"),
        (np.full((N, K), 0.0), r"must lie in \(0, 1\], got 0\.0"),
        (np.full((N, K), 1.5), r"must lie in \(0, 1\], got 1\.5"),
        (np.full((N, K), -0.5), r"must lie in \(0, 1\], got -0\.5"),
        ([["a"] * 3] * 3, "that are numbers, got <U1 of shape"),
    ],
)
def test_logged_chances_that_are_none_are_refused(name, chances, words):
    with pytest.raises(ValueError, match=f"propensities.* {words}"):
        value(name, slates=SHOWN._replace(propensities=chances))
    with pytest.raises(ValueError, match=f"prefix chances.* {words}"):
        value(name, prefixes=chances)


def test_as_many_users_as_slates_are_wanted():
    with pytest.raises(ValueError, match=r"user of each in the observation, got \(3, 3\) and 2"):
        LoggedSlates(cold_observation(np.arange(2)), SHOWN, REWARDS)
    nothing = SHOWN._replace(items=SHOWN.items[:0], propensities=None)
    with pytest.raises(ValueError, match=r"got \(0, 3\) and 0 users; log some slates"):
        LoggedSlates(cold_observation(np.arange(0)), nothing, REWARDS[:0])


class Saying(EpsilonGreedy):
    """Says what it is given."""

    said = None

    def propensities(self, observation, items):
        return self.said

    prefix_propensities = propensities


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    ("said", "words"),
    [
        (np.full(N, 0.1), r"propensities of shape \(3, 3\) .*, got \(3,\); say the chance"),
        ([0.1, 0.2, 0.3], r"propensities of shape \(3, 3\) .*, got \(3,\); say the chance"),
        (np.full((N, K), np.nan), r"propensities in \[0, 1\], got float64 in nan\.\.nan"),
        (np.full((N, K), 1.2), r"propensities in \[0, 1\], got float64 in 1\.2\.\.1\.2; say"),
        (np.full((N, K), -0.1), r"propensities in \[0, 1\], got float64 in -0\.1\.\.-0\.1"),
    ],
)
def test_chances_of_a_policy_that_are_none_are_refused(name, said, words):
    policy = Saying().fit(LOG)
    policy.said = said
    with pytest.raises(ValueError, match=f"policy .* wanted {words}") as caught:
        value(name, policy=policy)
    assert not isinstance(caught.value, UnknownChancesError)


@pytest.mark.parametrize("name", ["IPS", "SNIPS", "DR", "cascade-IPS", "PI"])
def test_a_policy_that_cannot_say_its_chances_is_told_apart(name):
    with pytest.raises(UnknownChancesError, match="LinTS draws and cannot say its propensities"):
        value(name, policy=LinTS().fit(LOG))


def test_a_weighted_log_wants_numbers_of_one_shape():
    good = {"users": np.arange(N), "rewards": REWARDS, "weights": np.ones((N, K))}
    assert WeightedLog(**{k: v.tolist() for k, v in good.items()}).rewards.shape == (N, K)
    for wrong, words in (
        ({"rewards": REWARDS[0]}, r"users \(n,\) and rewards \(n, k\), got \(3,\) and \(3,\)"),
        ({"users": np.arange(2)}, r"users \(n,\) and rewards \(n, k\), got \(2,\) and \(3, 3\)"),
        ({"weights": np.ones(N)}, r"weights of the rewards' shape \(3, 3\), got \(3,\)"),
        ({"weights": np.full((N, K), np.nan)}, r"weights that are numbers, got nan at \(0, 0\)"),
        ({"logged_model": np.ones(N)}, r"logged_model of the rewards' shape \(3, 3\), got \(3,\)"),
        ({"target_model": [["a"] * 3] * 3}, "target_model that are numbers, got <U1"),
        ({"users": [], "rewards": np.ones((0, 3)), "weights": np.ones((0, 3))}, "at least one"),
    ):
        with pytest.raises(ValueError, match=words):
            WeightedLog(**good | wrong)


@pytest.mark.parametrize("wrong", [np.nan, 0, 1, -1, 95, "0.95", None, np.inf])
def test_a_confidence_is_a_share(wrong):
    log = weigh(Random().fit(LOG), LoggedSlates(USERS, SHOWN, REWARDS), model)
    for name in ("IPS", "SNIPS", "DM", "DR", "SWITCH-DR"):
        with pytest.raises((ValueError, TypeError), match=r"wanted confidence in \(0, 1\).*got"):
            estimate_weighted(log, [name], wrong)


@pytest.mark.parametrize("wrong", [np.nan, -1, "10", None])
def test_a_largest_weight_is_a_number(wrong):
    log = weigh(Random().fit(LOG), LoggedSlates(USERS, SHOWN, REWARDS), model)
    with pytest.raises((ValueError, TypeError), match="SWITCH-DR wanted max_weight of at least 0"):
        switch_doubly_robust(log, max_weight=wrong)
    assert switch_doubly_robust(log, max_weight=np.inf) == doubly_robust(log)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, np.nan])
def test_a_number_of_draws_counts(wrong):
    with pytest.raises(ValueError, match=r"Draws wanted num of at least 1.*; try 32"):
        weigh(Random().fit(LOG), LoggedSlates(USERS, SHOWN, REWARDS), model, Draws(wrong))


def test_a_reward_model_learns_from_numbers_only():
    items = SHOWN.items
    holey = np.where(REWARDS == 0, np.nan, REWARDS)
    for wrong in ((holey, None), (REWARDS, -REWARDS), (REWARDS, holey)):
        with pytest.raises(ValueError, match="finite rewards and importance of at least 0, got"):
            item_mean_model(items, wrong[0], 8, importance=wrong[1])
        with pytest.raises(ValueError, match="finite rewards and importance of at least 0, got"):
            cross_fitted_means(np.arange(N), items, wrong[0], 8, wrong[1])
    for prior in (0, -1, np.nan, "5"):
        with pytest.raises((ValueError, TypeError), match="item_mean_model wanted prior_rows"):
            item_mean_model(items, REWARDS, 8, prior)
