"""Logged slates are refused unless every number stands at its own place; then they are weighed."""

import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import ESTIMATORS, estimate_policy
from recommenders.off_policy.weighing import DRAWS, LoggedSlates, WeightedLog, weigh
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import InteractionLog

NUM_ITEMS, K = 6, 2
# Item 1 is the most popular, then 0, so Popularity shows users 3 to 74, who have no rows, 1 and 0.
LOG = InteractionLog.from_columns(
    [0, 1, 2], [1, 1, 0], [4, 4, 4], num_users=75, num_items=NUM_ITEMS
)


def shown(n: int = K, rewards: object = None) -> LoggedSlates:
    """Slates of n newcomers by ``Random``; a reward of 1 a place if none are given."""
    observation = cold_observation(np.arange(3, 3 + n))
    slates = Random().fit(LOG).recommend(observation, K, np.random.default_rng(0))
    return LoggedSlates(observation, slates, np.ones((n, K)) if rewards is None else rewards)


def test_weights_divide_the_chances_of_the_two_policies() -> None:
    policy, log = Popularity().fit(LOG), shown(72)
    found = weigh(policy, log)
    own = log.slates.items == [1, 0]
    np.testing.assert_allclose(found.weights, own / (1 / NUM_ITEMS))
    assert found.logged_model is None


def test_one_reward_a_slate_is_never_read_by_place_even_where_n_is_k() -> None:
    """Read by place, rewards 1 and 0 of two slates would give .515 instead of .500."""
    log = shown(n=K, rewards=np.array([1.0, 0.0]))
    assert log.slate_rewards().tolist() == [1, 0]
    for name, row in ESTIMATORS.items():
        if name == "PI":
            continue
        prefixes = np.full((K, K), 0.5)
        full = LoggedSlates(log.observation, log.slates, log.rewards, prefixes)
        with pytest.raises(ValueError, match=r"every place \(2, 2\), got one a slate \(2,\)"):
            row.weigh(Random().fit(LOG), full, None, DRAWS)
    assert estimate_policy(Random().fit(LOG), log, ["PI"])["PI"].value == pytest.approx(0.5)


def test_slates_are_worth_the_mean_of_their_places_where_places_are_known() -> None:
    log = shown(rewards=np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert log.slate_rewards().tolist() == [1 / 2, 1]


@pytest.mark.parametrize(
    ("name", "kind"), [("propensities", "propensities"), ("prefix_chances", "prefix chances")]
)
def test_one_chance_a_slate_is_refused_even_where_n_is_k(name: str, kind: str) -> None:
    log, flat = shown(n=K), np.array([0.5, 0.5])
    slates = log.slates._replace(propensities=flat) if name == "propensities" else log.slates
    prefixes = flat if name == "prefix_chances" else None
    with pytest.raises(ValueError, match=rf"logged {kind} of shape \(2, 2\) .* got \(2,\)"):
        LoggedSlates(log.observation, slates, log.rewards, prefixes)


def test_a_policy_that_says_one_chance_a_slate_is_refused_even_where_n_is_k() -> None:
    class Flat(Popularity):
        def propensities(self, observation, items):
            return np.ones(len(items))

    with pytest.raises(
        ValueError, match=r"Flat wanted propensities of shape \(2, 2\).* got \(2,\)"
    ):
        weigh(Flat().fit(LOG), shown(n=K))


def test_a_model_that_says_one_reward_a_slate_is_refused_even_where_n_is_k() -> None:
    with pytest.raises(
        ValueError, match=r"wanted logged_model of the rewards' shape \(2, 2\), got"
    ):
        weigh(Popularity().fit(LOG), shown(n=K), lambda users, items: np.ones(len(users)))


def test_rewards_and_users_may_be_whole_numbers_of_any_kind() -> None:
    log = shown(3, np.ones((3, K), dtype=int))
    observation = {**log.observation, "user": log.users.astype(np.int32)}
    found = weigh(Random().fit(LOG), LoggedSlates(observation, log.slates, log.rewards))
    assert found.users.dtype == np.int64
    assert found.rewards.dtype == np.float64


def test_a_chance_of_1_is_a_chance_and_more_is_none() -> None:
    log, policy = shown(3), Popularity().fit(LOG)
    sure = log.slates._replace(propensities=np.ones((3, K)))
    np.testing.assert_array_equal(
        weigh(policy, LoggedSlates(log.observation, sure, log.rewards)).weights,
        policy.propensities(log.observation, log.slates.items),
    )
    too_sure = log.slates._replace(propensities=np.full((3, K), 1.5))
    with pytest.raises(ValueError, match=r"propensities must lie in \(0, 1\], got 1.5..1.5"):
        LoggedSlates(log.observation, too_sure, log.rewards)


@pytest.mark.parametrize("shape", [(3, 1), (K,), (1, K), ()])
def test_rewards_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"wanted rewards of shape \(3, 2\) .* got \("):
        shown(3, np.ones(shape))


@pytest.mark.parametrize("shape", [(3, K), (3,)])
def test_one_reward_that_is_no_number_is_refused_with_its_place(shape: tuple[int, ...]) -> None:
    rewards = np.ones(shape)
    rewards[1] = np.nan
    with pytest.raises(ValueError, match=r"rewards that are numbers, got nan at \(1,.* leave out"):
        shown(3, rewards)


def test_a_weighted_log_made_by_hand_keeps_the_same_rules() -> None:
    users, ones = np.arange(2), np.ones((2, 2))
    bad = np.array([[1.0, np.nan], [1.0, 1.0]])
    with pytest.raises(
        ValueError, match=r"wanted users \(n,\) and rewards \(n, k\), got \(2,\) and"
    ):
        WeightedLog(users, np.ones(2), ones)
    with pytest.raises(ValueError, match=r"wanted weights of the rewards' shape \(2, 2\), got"):
        WeightedLog(users, ones, np.ones(2))
    for columns in ((bad, ones), (ones, bad), (ones, ones, bad, ones), (ones, ones, ones, bad)):
        with pytest.raises(ValueError, match=r"that are numbers, got nan at \(0, 1\) and 1 such"):
            WeightedLog(users, *columns)


def test_what_cannot_be_weighed_names_the_cure() -> None:
    log, policy = shown(3), Popularity().fit(LOG)
    silent = LoggedSlates(log.observation, log.slates._replace(propensities=None), log.rewards)
    with pytest.raises(ValueError, match=r"want slates with propensities, got None; log with"):
        weigh(policy, silent)
    never = log.slates._replace(propensities=np.zeros((3, K)))
    with pytest.raises(ValueError, match=r"propensities must lie in \(0, 1\], got 0.0..0.0; log"):
        LoggedSlates(log.observation, never, log.rewards)
    with pytest.raises(ValueError, match=r"LinTS draws and cannot say its propensities"):
        weigh(LinTS().fit(LOG), log)
