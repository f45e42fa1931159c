import itertools

import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.off_policy.cascade import estimate_cascade, weigh_cascade
from recommenders.off_policy.estimators import (
    doubly_robust,
    inverse_propensity,
    item_mean_model,
    self_normalised,
    weigh,
    with_model,
)
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import FloatArray, InteractionLog, Slates

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.estimators.OverlapWarning")

M, K = 4, 3
# Everybody has seen item 4; item 1 is more popular than the rest, so Popularity shows 1, 0, 2.
LOG = InteractionLog.from_columns(
    [*range(24), 24], [4] * 24 + [1], [4] * 25, num_users=25, num_items=M + 1
)
ALL_SLATES = np.array(list(itertools.permutations(range(M), K)))
WORTH = np.array([1.0, 4.0, 2.0, 8.0])


def reward(items: FloatArray) -> FloatArray:
    """An item is worth less the more was promised above it: a user who reads from the top."""
    above = np.cumsum(WORTH[items], axis=1) - WORTH[items]
    return WORTH[items] / (1 + above)


def every_slate_once() -> tuple[dict, Slates, FloatArray]:
    """A uniform log without noise: each of the 24 slates was shown to one user."""
    n = len(ALL_SLATES)
    slates = Slates.of_items(ALL_SLATES)._replace(propensities=np.full((n, K), 1 / M))
    prefixes = np.tile([1 / 4, 1 / 12, 1 / 24], (n, 1))
    return cold_observation(np.arange(n)), slates, prefixes


def truth(policy: Recommender) -> float:
    newcomer = cold_observation(np.zeros(len(ALL_SLATES), dtype=int))
    chances = policy.prefix_propensities(newcomer, ALL_SLATES)[:, -1]
    assert chances.sum() == pytest.approx(1)
    return float(chances @ reward(ALL_SLATES).mean(axis=1))


@pytest.mark.parametrize(
    "policy", [Popularity(), Random(), EpsilonGreedy(epsilon=0.3)], ids=lambda p: p.name
)
def test_it_is_exact_on_average_where_rewards_depend_on_what_stands_above(
    policy: Recommender,
) -> None:
    policy.fit(LOG)
    observation, slates, prefixes = every_slate_once()
    log = weigh_cascade(policy, observation, slates, reward(ALL_SLATES), prefixes)
    found = estimate_cascade(log)
    assert found["cascade-IPS"].value == pytest.approx(truth(policy))
    assert found["cascade-SNIPS"].value == pytest.approx(truth(policy))  # weights average 1 here


def test_independent_places_are_biased_there() -> None:
    policy = Popularity().fit(LOG)
    observation, slates, _ = every_slate_once()
    value = inverse_propensity(weigh(policy, observation, slates, reward(ALL_SLATES))).value
    # Popularity shows 1, 0, 2: worth 4, 1 / 5 and 2 / 6.
    assert truth(policy) == pytest.approx((4 + 1 / 5 + 2 / 6) / 3)
    # By place, items 0 and 2 are worth what they are below whatever the log showed above them.
    below = np.mean([1 / 5, 1 / 3, 1 / 9]) + np.mean([2 / 6, 2 / 10, 2 / 13])
    assert value == pytest.approx((4 + below) / 3)
    assert value < truth(policy)


def test_doubly_robust_needs_no_right_model() -> None:
    policy = Popularity().fit(LOG)
    observation, slates, prefixes = every_slate_once()
    wrong = item_mean_model(np.array([0, 1]), np.array([3.0, -1.0]), M + 1)
    log = weigh_cascade(policy, observation, slates, reward(ALL_SLATES), prefixes, wrong)
    assert estimate_cascade(log)["cascade-DR"].value == pytest.approx(truth(policy))


def test_what_it_is_given_reaches_the_model_and_the_intervals() -> None:
    policy = Random().fit(LOG)
    observation, slates, prefixes = every_slate_once()
    rewards = reward(ALL_SLATES)
    model = item_mean_model(np.arange(M), WORTH, M + 1)
    bare = weigh_cascade(policy, observation, slates, rewards, prefixes)
    drawn = weigh_cascade(policy, observation, slates, rewards, prefixes, model)
    expected = with_model(bare, policy, observation, slates, model, np.random.default_rng(0), 32)
    np.testing.assert_array_equal(drawn.target_model, expected.target_model)
    drawn = weigh_cascade(
        policy, observation, slates, rewards, prefixes, model, np.random.default_rng(7), 3
    )
    expected = with_model(bare, policy, observation, slates, model, np.random.default_rng(7), 3)
    np.testing.assert_array_equal(drawn.target_model, expected.target_model)
    assert estimate_cascade(drawn) == {
        "cascade-IPS": inverse_propensity(drawn, 0.95),
        "cascade-SNIPS": self_normalised(drawn, 0.95),
        "cascade-DR": doubly_robust(drawn, 0.95),
    }
    assert estimate_cascade(drawn, 0.5) == {
        "cascade-IPS": inverse_propensity(drawn, 0.5),
        "cascade-SNIPS": self_normalised(drawn, 0.5),
        "cascade-DR": doubly_robust(drawn, 0.5),
    }


def test_rewards_and_users_may_be_whole_numbers_of_any_kind() -> None:
    observation, slates, prefixes = every_slate_once()
    observation = observation | {"user": observation["user"].astype(np.int32)}
    whole = np.ones(ALL_SLATES.shape, dtype=int)
    found = weigh_cascade(Random().fit(LOG), observation, slates, whole, prefixes)
    assert found.users.dtype == np.int64
    assert found.rewards.dtype == np.float64


def test_a_log_that_could_show_nothing_else_has_prefix_chances_of_1() -> None:
    observation, slates, prefixes = every_slate_once()
    policy = Random().fit(LOG)
    found = weigh_cascade(policy, observation, slates, reward(ALL_SLATES), np.ones_like(prefixes))
    np.testing.assert_allclose(found.weights, prefixes)


def test_prefix_chances_are_those_of_draws_without_repeats() -> None:
    newcomer = cold_observation(np.array([0]))
    uniform = Random().fit(LOG).prefix_propensities(newcomer, np.array([[2, 3, 0]]))
    np.testing.assert_allclose(uniform, [[1 / 4, 1 / 12, 1 / 24]])
    again = Random().fit(LOG).prefix_propensities(newcomer, np.array([[2, 2, 0]]))
    np.testing.assert_allclose(again, [[1 / 4, 0, 0]])
    seen = Random().fit(LOG).prefix_propensities(newcomer, np.array([[2, 4, 0]]))
    np.testing.assert_allclose(seen, [[1 / 4, 0, 0]])
    greedy = EpsilonGreedy(epsilon=0.5, value="popularity").fit(LOG)
    found = greedy.prefix_propensities(newcomer, np.array([[1, 0, 3]]))
    np.testing.assert_allclose(found, [[0.5 / 4 + 0.5, 0.5 / 12 + 0.5, 0.5 / 24]])


def test_what_cannot_be_weighed_names_the_cure() -> None:
    observation, slates, prefixes = every_slate_once()
    rewards, policy = reward(ALL_SLATES), Popularity().fit(LOG)
    with pytest.raises(ValueError, match=r"want the prefix chances .* got None; log with one"):
        weigh_cascade(policy, observation, slates, rewards, None)
    with pytest.raises(ValueError, match=r"prefix chances must lie in \(0, 1\], got 0.0..0.0"):
        weigh_cascade(policy, observation, slates, rewards, 0 * prefixes)
    with pytest.raises(ValueError, match=r"prefix chances must lie in \(0, 1\], got 2.0..2.0"):
        weigh_cascade(policy, observation, slates, rewards, 0 * prefixes + 2)
    with pytest.raises(ValueError, match=r"LinTS draws and cannot say its prefix propensities"):
        weigh_cascade(LinTS().fit(LOG), observation, slates, rewards, prefixes)
