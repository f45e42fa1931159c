import itertools

import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.off_policy.cascade import weigh_cascade
from recommenders.off_policy.estimators import (
    doubly_robust,
    estimate_policy,
    inverse_propensity,
    self_normalised,
)
from recommenders.off_policy.reward_models import item_mean_model
from recommenders.off_policy.weighing import DRAWS, Draws, LoggedSlates, with_model
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import FloatArray, InteractionLog, Slates

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")

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


def every_slate_once() -> LoggedSlates:
    """A uniform log without noise: each of the 24 slates was shown to one user."""
    n = len(ALL_SLATES)
    slates = Slates.of_items(ALL_SLATES)._replace(propensities=np.full((n, K), 1 / M))
    prefixes = np.tile([1 / 4, 1 / 12, 1 / 24], (n, 1))
    return LoggedSlates(cold_observation(np.arange(n)), slates, reward(ALL_SLATES), prefixes)


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
    found = estimate_policy(policy, every_slate_once(), ["cascade-IPS", "cascade-SNIPS"])
    assert found["cascade-IPS"].value == pytest.approx(truth(policy))
    assert found["cascade-SNIPS"].value == pytest.approx(truth(policy))  # weights average 1 here


def test_independent_places_are_biased_there() -> None:
    policy = Popularity().fit(LOG)
    value = estimate_policy(policy, every_slate_once(), ["IPS"])["IPS"].value
    # Popularity shows 1, 0, 2: worth 4, 1 / 5 and 2 / 6.
    assert truth(policy) == pytest.approx((4 + 1 / 5 + 2 / 6) / 3)
    # By place, items 0 and 2 are worth what they are below whatever the log showed above them.
    below = np.mean([1 / 5, 1 / 3, 1 / 9]) + np.mean([2 / 6, 2 / 10, 2 / 13])
    assert value == pytest.approx((4 + below) / 3)
    assert value < truth(policy)


def test_doubly_robust_needs_no_right_model() -> None:
    policy = Popularity().fit(LOG)
    wrong = item_mean_model(np.array([0, 1]), np.array([3.0, -1.0]), M + 1)
    found = estimate_policy(policy, every_slate_once(), ["cascade-DR"], wrong)
    assert found["cascade-DR"].value == pytest.approx(truth(policy))


def test_what_it_is_given_reaches_the_model_and_the_intervals() -> None:
    policy, log = Random().fit(LOG), every_slate_once()
    model = item_mean_model(np.arange(M), WORTH, M + 1)
    bare = weigh_cascade(policy, log)
    names = ["cascade-IPS", "cascade-SNIPS", "cascade-DR"]
    for draws in (DRAWS, Draws(3, 7)):
        drawn = weigh_cascade(policy, log, model, draws)
        expected = with_model(bare, policy, log, model, draws)
        np.testing.assert_array_equal(drawn.target_model, expected.target_model)
        for confidence in (0.95, 0.5):
            assert estimate_policy(policy, log, names, model, draws, confidence) == {
                "cascade-IPS": inverse_propensity(drawn, confidence),
                "cascade-SNIPS": self_normalised(drawn, confidence),
                "cascade-DR": doubly_robust(drawn, confidence),
            }


def test_a_log_that_could_show_nothing_else_has_prefix_chances_of_1() -> None:
    log = every_slate_once()
    sure = LoggedSlates(log.observation, log.slates, log.rewards, np.ones(ALL_SLATES.shape))
    np.testing.assert_allclose(weigh_cascade(Random().fit(LOG), sure).weights, log.prefix_chances)


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
    log = every_slate_once()
    parts = log.observation, log.slates, log.rewards
    with pytest.raises(ValueError, match=r"want the prefix chances .* got None; log with one"):
        estimate_policy(Popularity().fit(LOG), LoggedSlates(*parts), ["cascade-IPS"])
    with pytest.raises(ValueError, match=r"prefix chances must lie in \(0, 1\], got 0.0..0.0"):
        LoggedSlates(*parts, prefix_chances=np.zeros((len(ALL_SLATES), K)))
    with pytest.raises(ValueError, match=r"prefix chances must lie in \(0, 1\], got 2.0..2.0"):
        LoggedSlates(*parts, prefix_chances=np.full((len(ALL_SLATES), K), 2.0))
    with pytest.raises(ValueError, match=r"LinTS draws and cannot say its propensities"):
        estimate_policy(LinTS().fit(LOG), log, ["cascade-IPS"])
