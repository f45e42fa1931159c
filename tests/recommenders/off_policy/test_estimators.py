import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import (
    ESTIMATORS,
    direct_method,
    doubly_robust,
    estimate_policy,
    estimate_weighted,
    inverse_propensity,
    self_normalised,
    switch_doubly_robust,
)
from recommenders.off_policy.intervals import OverlapWarning, effective_size
from recommenders.off_policy.reward_models import item_mean_model
from recommenders.off_policy.weighing import Draws, LoggedSlates, WeightedLog, weigh
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from simenv.events import FloatArray, InteractionLog

# Two users, one place: weights 2 and 1 / 2, rewards 1 and 3, a model that says 2 and 1 for both.
TINY = WeightedLog(
    users=np.array([0, 1]),
    rewards=np.array([[1.0], [3.0]]),
    weights=np.array([[2.0], [0.5]]),
    logged_model=np.array([[2.0], [2.0]]),
    target_model=np.array([[1.0], [1.0]]),
)
NUM_ITEMS, K = 6, 2
TRUE_REWARD = np.array([0.2, 1.0, 0.4, 0.9, 0.1, 0.6])  # of item i at place 0; half at place 1


@pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")
def test_values_are_their_arithmetic() -> None:
    expected = {
        "IPS": (2 * 1 + 0.5 * 3) / 2,
        "SNIPS": (2 * 1 + 0.5 * 3) / (2 + 0.5),
        "DM": (1 + 1) / 2,
        "DR": ((1 + 2 * (1 - 2)) + (1 + 0.5 * (3 - 2))) / 2,
        "SWITCH-DR": ((1 + 2 * (1 - 2)) + (1 + 0.5 * (3 - 2))) / 2,
    }
    found = {name: estimate.value for name, estimate in estimate_weighted(TINY).items()}
    assert found == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")
def test_intervals_are_those_of_the_contributions_at_the_confidence_asked_for() -> None:
    """Two users: 1 degree of freedom, t(0.975) = 12.706205 and t(0.75) = 1; error |a - b| / 2."""
    snips = 1.4  # what every reward is compared with
    contributions = {
        "IPS": (2 * 1, 0.5 * 3),
        "SNIPS": (snips + 2 * (1 - snips) / 1.25, snips + 0.5 * (3 - snips) / 1.25),
        "DM": (1, 1),
        "DR": (1 + 2 * (1 - 2), 1 + 0.5 * (3 - 2)),
        "SWITCH-DR": (1 + 2 * (1 - 2), 1 + 0.5 * (3 - 2)),
    }
    for found, t in (
        (estimate_weighted(TINY), 12.706205),
        (estimate_weighted(TINY, confidence=0.5), 1),
    ):
        assert found.keys() == contributions.keys()
        for name, (a, b) in contributions.items():
            value, half = (a + b) / 2, t * abs(a - b) / 2
            assert found[name][:3] == pytest.approx((value, value - half, value + half))
    for estimate in (inverse_propensity, self_normalised, direct_method, doubly_robust):
        assert estimate(TINY) == estimate(TINY, confidence=0.95)
    assert switch_doubly_robust(TINY) == switch_doubly_robust(TINY, 0.95, 10.0)


def test_the_model_alone_rests_on_every_place() -> None:
    log = replace(TINY, target_model=np.array([[1.0], [2.0]]))
    half = 12.706205 * (2 - 1) / 2
    expected = (1.5, 1.5 - half, 1.5 + half, 2.0, 0.0)
    assert direct_method(log)[:5] == pytest.approx(expected)
    assert direct_method(log).notes == ()


@pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")
def test_switch_trusts_weights_up_to_10_unless_asked_otherwise() -> None:
    log = replace(TINY, weights=np.array([[10.0], [10.5]]))
    assert switch_doubly_robust(log).value == ((1 + 10 * (1 - 2)) + 1) / 2
    assert switch_doubly_robust(log).max_weight == 10.0


def test_switch_leaves_large_weights_to_the_model_and_says_so() -> None:
    with pytest.warns(OverlapWarning, match=r"80% of what the policy shows is left to the reward"):
        found = switch_doubly_robust(TINY, max_weight=1.0)
    assert found.value == ((1 + 0) + (1 + 0.5 * (3 - 2))) / 2
    assert found.max_weight == 0.5


@pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")
def test_switch_lies_between_the_model_and_doubly_robust() -> None:
    assert switch_doubly_robust(TINY, max_weight=0.0).value == direct_method(TINY).value
    assert switch_doubly_robust(TINY, max_weight=9.0).value == doubly_robust(TINY).value


@given(
    rewards=hnp.arrays(np.float64, (7, 3), elements=st.floats(-2, 2)),
    users=hnp.arrays(np.int64, 7, elements=st.integers(0, 3)),
)
def test_on_policy_the_weighted_values_are_the_plain_mean(rewards, users) -> None:
    log = WeightedLog(users, rewards, np.ones((7, 3)))
    assert inverse_propensity(log).value == pytest.approx(rewards.mean())
    assert self_normalised(log).value == pytest.approx(rewards.mean())
    assert inverse_propensity(log).effective_size == pytest.approx(21)
    assert inverse_propensity(log).notes == ()


def test_the_interval_is_student_t_over_users() -> None:
    log = WeightedLog(np.array([0, 1, 2]), np.array([[3.0], [4.0], [5.0]]), np.ones((3, 1)))
    found = inverse_propensity(log)
    half = 4.302653 * 1 / np.sqrt(3)  # t(0.975, 2 degrees) · standard deviation / √n
    assert (found.value, found.low, found.high) == pytest.approx((4, 4 - half, 4 + half))


def test_slates_of_one_user_are_no_further_evidence() -> None:
    once = WeightedLog(np.array([0, 1, 2]), np.array([[3.0], [4.0], [5.0]]), np.ones((3, 1)))
    thrice = WeightedLog(
        *(np.repeat(a, 3, axis=0) for a in (once.users, once.rewards, once.weights))
    )
    assert inverse_propensity(thrice)[:3] == pytest.approx(inverse_propensity(once)[:3])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_one_user_has_no_interval() -> None:
    found = inverse_propensity(WeightedLog(np.zeros(2, int), np.ones((2, 1)), np.ones((2, 1))))
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()
    assert found.notes == ()


def test_effective_size_of_equal_and_of_one_sided_weights() -> None:
    assert effective_size(np.full((2, 3), 0.7)) == pytest.approx(6)
    assert effective_size(np.array([5.0, 0, 0])) == 1
    assert effective_size(np.zeros(3)) == 0


NEWCOMERS = np.arange(60, 210)


def world() -> InteractionLog:
    """Item 5 is the most popular, then 0; sixty users have two rows each, the newcomers none."""
    users = np.repeat(np.arange(60), 2)
    items = np.where(np.arange(120) % 2 == 0, 5, np.arange(120) // 2 % 2 * 4)
    return InteractionLog.from_columns(
        users, items, np.full(120, 4.0), num_users=210, num_items=NUM_ITEMS
    )


UNIFORM = Random().fit(world())


def logged(rng: np.random.Generator, num_users: int) -> LoggedSlates:
    """Uniform slates for newcomers, with noisy rewards that halve at the second place."""
    observation = cold_observation(NEWCOMERS[:num_users])
    slates = UNIFORM.recommend(observation, K, rng)
    means = TRUE_REWARD[slates.items] * [1.0, 0.5]
    return LoggedSlates(observation, slates, means + rng.normal(0, 0.3, means.shape))


def test_intervals_cover_the_known_truth_at_their_rate() -> None:
    rng = np.random.default_rng(11)
    policy = EpsilonGreedy(epsilon=0.4).fit(world())
    newcomer = cold_observation(NEWCOMERS[:1])
    chance = np.array(
        [policy.propensities(newcomer, np.full((1, K), item))[0] for item in range(NUM_ITEMS)]
    )
    truth = float((chance * TRUE_REWARD[:, None] * [1.0, 0.5]).sum() / K)
    wrong = item_mean_model(np.array([0, 1]), np.array([0.5, 0.1]), NUM_ITEMS)
    inside = dict.fromkeys(("IPS", "SNIPS", "DR", "SWITCH-DR"), 0)
    for repetition in range(200):
        log = logged(rng, len(NEWCOMERS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)
            found = estimate_policy(policy, log, inside, wrong, Draws(2, repetition))
        for name in inside:
            inside[name] += found[name].low <= truth <= found[name].high
    # 95% of 200 is 190; the standard error of a count is 3.1.
    assert all(count >= 177 for count in inside.values()), inside


def test_the_model_term_is_what_the_policy_would_show() -> None:
    shown = logged(np.random.default_rng(0), 3)
    model = item_mean_model(np.array([[0, 5]]), np.array([[1.0, 3.0]]), NUM_ITEMS, prior_rows=1)
    log = weigh(Popularity().fit(world()), shown, model)
    # A newcomer is shown 5 and 0: (3 + 2) / 2 and (1 + 2) / 2.
    np.testing.assert_allclose(log.target_model, [[2.5, 1.5]] * 3)
    np.testing.assert_allclose(log.logged_model, model(None, shown.slates.items))
    drawn = weigh(UNIFORM, shown, model, Draws(400))
    np.testing.assert_allclose(drawn.target_model.mean(), (2.5 + 1.5 + 4 * 2) / 6, atol=0.05)


def test_a_policy_that_draws_is_drawn_from_32_times_and_another_once() -> None:
    log = logged(np.random.default_rng(0), 3)
    model = item_mean_model(np.arange(NUM_ITEMS), TRUE_REWARD, NUM_ITEMS)
    for draws, (num, seed) in ((None, (32, 0)), (Draws(2, 8), (2, 8))):
        rng = np.random.default_rng(seed)
        shown = [model(None, UNIFORM.recommend(log.observation, K, rng).items) for _ in range(num)]
        given = {} if draws is None else {"draws": draws}
        drawn = weigh(UNIFORM, log, model, **given)
        np.testing.assert_array_equal(drawn.target_model, np.mean(shown, axis=0))
    asked = []

    def counting(users, items):
        asked.append(items)
        return model(users, items)

    weigh(Popularity().fit(world()), log, counting)
    assert len(asked) == 2, "once about its own slates, once about those of the log"


def test_a_log_that_does_not_cover_the_policy_warns() -> None:
    policy = Popularity().fit(world())
    observation = cold_observation(np.arange(75))
    slates = policy.recommend(observation, K, np.random.default_rng(0))
    turned = slates._replace(items=slates.items[:, ::-1])
    log = weigh(policy, LoggedSlates(observation, turned, np.ones((75, K))))
    with pytest.warns(OverlapWarning) as caught:
        found = inverse_propensity(log)
    assert tuple(str(w.message) for w in caught) == found.notes
    assert found.notes[0].startswith("weights average 0.00 instead of 1: the log does not cover")
    assert found.notes[1].startswith("the estimate rests on 0.0 of 150 shown places")
    with pytest.warns(OverlapWarning):
        assert np.isnan(self_normalised(log).value)


def notes_of(weights: FloatArray, **settings: float) -> tuple[str, ...]:
    """The notes of an estimate on slates of one place, each of another user."""
    num = len(weights)
    log = WeightedLog(
        np.arange(num), np.ones((num, 1)), weights[:, None], np.ones((num, 1)), np.ones((num, 1))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        return switch_doubly_robust(log, **settings).notes


@pytest.mark.parametrize(("mean", "warns"), [(0.957, True), (1.043, True), (1.035, False)])
def test_a_mean_weight_four_standard_errors_from_1_warns(mean, warns) -> None:
    """Half of 100 weights lie 0.1 above and half 0.1 below: the standard error is 0.1 / 10."""
    notes = notes_of(mean + np.tile([-0.1, 0.1], 50))
    text = (
        f"weights average {mean:.2f} instead of 1: the log does not cover what the policy shows;"
        " log with more exploration"
    )
    assert notes == ((text,) if warns else ())


@pytest.mark.parametrize(("mean", "warns"), [(0.975, True), (1.025, True), (1.015, False)])
def test_a_mean_weight_within_2_of_100_warns_of_nothing_however_sure_it_is(mean, warns) -> None:
    assert (len(notes_of(mean + np.tile([-0.001, 0.001], 50))) == 1) == warns


@pytest.mark.parametrize(("large", "warns"), [(4.5, False), (5.5, True)])
def test_a_tenth_of_the_weights_left_to_the_model_warns(large, warns) -> None:
    """One weight of 50 above the limit; all of them average 1."""
    weights = np.append(np.full(49, (50 - large) / 49), large)
    notes = notes_of(weights, max_weight=2.0)
    assert [note[:3] for note in notes] == (["11%"] if warns else [])


@pytest.mark.parametrize(("places", "warns"), [(4, True), (5, False), (6, False)])
def test_resting_on_less_than_a_twentieth_of_the_places_warns(places, warns) -> None:
    weights = np.zeros(100)
    weights[:places] = 100 / places
    text = (
        f"the estimate rests on {places}.0 of 100 shown places; log more slates or with a policy"
        " closer to this one"
    )
    assert notes_of(weights, max_weight=np.inf) == ((text,) if warns else ())


def test_small_weights_are_judged_like_any() -> None:
    """Two of 0.6 and 0.1: the larger, 6 of 7, is left to the model."""
    notes = notes_of(np.array([0.6, 0.1]), max_weight=0.5)
    assert any(note.startswith("86% of what the policy shows") for note in notes)
    assert effective_size(np.array([0.1, 0.1])) == pytest.approx(2)


def test_an_estimate_on_a_handful_of_places_warns() -> None:
    weights = np.zeros((100, 1))
    weights[:2] = 50.0
    log = WeightedLog(np.arange(100), np.ones((100, 1)), weights)
    with pytest.warns(OverlapWarning, match=r"rests on 2.0 of 100 shown places; log more slates"):
        inverse_propensity(log)


def test_every_estimator_of_the_table_values_the_logging_policy_by_what_it_earned() -> None:
    log = logged(np.random.default_rng(0), len(NEWCOMERS))
    prefixes = UNIFORM.prefix_propensities(log.observation, log.slates.items)
    log = LoggedSlates(log.observation, log.slates, log.rewards, prefixes)
    model = item_mean_model(log.slates.items, log.rewards, NUM_ITEMS)
    found = estimate_policy(UNIFORM, log, model=model, draws=Draws(400))
    assert list(found) == list(ESTIMATORS)
    for name, estimate in found.items():
        tolerance = 0.02 if "D" in name else 1e-9  # DM and DR draw the slates of their model term
        assert estimate.value == pytest.approx(log.rewards.mean(), abs=tolerance), name


def test_an_unknown_estimator_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no estimator 'ips'; ESTIMATORS holds IPS, SNIPS, DM"):
        estimate_weighted(TINY, ["ips"])


def test_another_confidence_is_another_width() -> None:
    log = WeightedLog(np.array([0, 1, 2]), np.array([[3.0], [4.0], [5.0]]), np.ones((3, 1)))
    found = inverse_propensity(log, 0.8)
    half = 1.885618 * 1 / np.sqrt(3)  # t(0.9, 2 degrees)
    assert (found.low, found.high) == pytest.approx((4 - half, 4 + half))


def test_a_model_that_is_missing_names_the_cure() -> None:
    log = logged(np.random.default_rng(0), 3)
    with pytest.raises(ValueError, match=r"DM wants a reward model; call weigh"):
        direct_method(weigh(Popularity().fit(world()), log))
    for lacking in ("logged_model", "target_model"):
        with pytest.raises(ValueError, match=r"^DR wants a reward model; call weigh"):
            doubly_robust(replace(TINY, **{lacking: None}))
