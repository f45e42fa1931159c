import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.policies.bandits import EpsilonGreedy, star_rewards
from recommenders.policies.heuristics import Random
from recommenders.policies.linear_bandits import LinTS, LinUCB
from simenv.catalog import Catalog
from simenv.events import Feedback, InteractionLog, Slates

RNG = np.random.default_rng(0)
GENRES = ("Comedy", "Drama", "War")
NUM_USERS, NUM_ITEMS = 15, 90
CATALOG = Catalog(
    tuple(str(i) for i in range(NUM_ITEMS)),
    np.zeros(NUM_ITEMS, int),
    tuple((GENRES[i % 3],) for i in range(NUM_ITEMS)),
)


def flat_log(num_users: int = NUM_USERS, num_items: int = NUM_ITEMS) -> InteractionLog:
    """Every user gave item 0 three stars: nothing to learn from."""
    users = np.arange(num_users)
    return InteractionLog.from_columns(
        users, 0 * users, 0 * users + 3.0, num_users=num_users, num_items=num_items
    )


def feedback(ratings: list[list[float]]) -> Feedback:
    stars = np.array(ratings)
    return Feedback(stars, np.full((*stars.shape, 5), 0.2), stars > 0, np.zeros(len(stars), bool))


def play_lovers_of_one_genre(policy: Recommender, steps: int = 12, k: int = 2) -> float:
    """Mean stars per place where user u gives 5 stars to genre u % 3 and 2 to the others."""
    policy.meet_catalog(CATALOG).fit(flat_log())
    users, rng = np.arange(NUM_USERS), np.random.default_rng(5)
    observation = cold_observation(users, history_length=steps * k)
    total = 0.0
    for step in range(steps):
        slates = policy.recommend(observation, k, rng)
        stars = np.where(slates.items % 3 == users[:, None] % 3, 5.0, 2.0)
        policy.update(observation, slates, feedback(stars.tolist()))
        place = slice(step * k, step * k + k)
        observation["history_items"][:, place] = slates.items
        observation["history_ratings"][:, place] = stars
        total += stars.mean() / steps
    return total


@pytest.mark.parametrize("policy", [LinUCB(), LinTS()], ids=lambda p: p.name)
def test_a_linear_bandit_finds_the_loved_genre(policy: Recommender) -> None:
    uniform = play_lovers_of_one_genre(Random())
    assert uniform == pytest.approx(3.0, abs=0.4)  # (5 + 2 + 2) / 3
    assert play_lovers_of_one_genre(policy) > uniform + 1.0


def test_one_regression_for_everybody_cannot_tell_users_apart() -> None:
    shared = play_lovers_of_one_genre(LinUCB(per_user=False))
    assert shared < play_lovers_of_one_genre(LinUCB()) - 0.5


def test_rewards_are_stars_minus_3_and_a_price_for_skips() -> None:
    assert star_rewards(feedback([[5, 0, 1]]), -0.1).tolist() == [[2.0, -0.1, -2.0]]


def test_epsilon_greedy_means_are_their_arithmetic() -> None:
    log = InteractionLog.from_columns([0, 0], [0, 1], [5, 3], num_users=2, num_items=4)
    policy = EpsilonGreedy(epsilon=0, prior_rows=1, skip_reward=-1).fit(log)
    # Rewards 2 and 0, mean 1, and one imagined row of it.
    np.testing.assert_allclose(policy._values(1), [[(2 + 1) / 2, (0 + 1) / 2, 1 / 1, 1 / 1]])
    slates = Slates.of_items(np.array([[2, 3]]))
    policy.update(cold_observation(np.array([1])), slates, feedback([[4, 0]]))
    np.testing.assert_allclose(policy._values(1), [[1.5, 0.5, (1 + 1) / 2, (-1 + 1) / 2]])


def test_epsilon_greedy_on_popularity_counts_what_was_taken() -> None:
    log = InteractionLog.from_columns([0, 1], [0, 0], [1, 1], num_users=2, num_items=3)
    policy = EpsilonGreedy(epsilon=0, value="popularity").fit(log)
    slates = Slates.of_items(np.array([[1, 2]]))
    policy.update(cold_observation(np.array([1])), slates, feedback([[4, 0]]))
    assert policy._values(1).tolist() == [[2.0, 1.0, 0.0]]


def test_epsilon_greedy_says_its_propensities() -> None:
    policy = EpsilonGreedy(epsilon=0.2).fit(flat_log(num_users=1, num_items=5))
    items = np.array([[1, 3]])  # 1 is greedy at place 1 (a tie, lowest id), 3 is not at place 2
    chances = policy.propensities(cold_observation(np.array([0])), items)
    np.testing.assert_allclose(chances, [[0.2 / 4 + 0.8, 0.2 / 4]])


def test_epsilon_greedy_shows_what_its_propensities_say() -> None:
    policy = EpsilonGreedy(epsilon=0.5).fit(flat_log(num_users=2_000, num_items=5))
    draws = policy.recommend(cold_observation(np.arange(2_000)), 2, RNG).items
    share = np.bincount(draws[:, 1], minlength=5) / 2_000
    expected = [0, 0.5 / 4, 0.5 / 4 + 0.5, 0.5 / 4, 0.5 / 4]
    assert np.abs(share - expected).max() < 4 * np.sqrt(0.25 / 2_000)


def test_optimism_is_the_standard_error_times_alpha() -> None:
    log = flat_log(num_users=1, num_items=3)
    plain = LinUCB(alpha=0).fit(log)
    bold = LinUCB(alpha=2).fit(log)
    observation = cold_observation(np.array([0]))
    difference = (
        bold._score(np.array([0]), observation, RNG) - plain._score(np.array([0]), observation, RNG)
    )[0]
    # Features: 1, mean reward 0, log share of rows (1 for item 0, 0 for the others).
    x = np.array([[1.0, 0, 1], [1, 0, 0], [1, 0, 0]])
    covariance = np.linalg.inv(np.eye(3) + np.outer(x[0], x[0]))
    np.testing.assert_allclose(difference, 2 * np.sqrt([v @ covariance @ v for v in x]))


def test_thompson_draws_have_the_posterior_spread() -> None:
    policy = LinTS(scale=1.5).fit(flat_log(num_users=2_000, num_items=3))
    users = np.arange(2_000)
    scores = policy._score(users, cold_observation(users), RNG)[:, 1]
    x = np.array([1.0, 0, 0])
    covariance = np.linalg.inv(np.eye(3) + np.outer([1.0, 0, 1], [1.0, 0, 1]))
    assert scores.std() == pytest.approx(1.5 * np.sqrt(x @ covariance @ x), rel=0.08)
    assert scores.mean() == pytest.approx(0, abs=0.15)


def test_a_bandit_without_a_catalogue_uses_the_log_alone() -> None:
    policy = LinUCB().fit(flat_log())
    assert policy._features.shape == (NUM_ITEMS, 3)
    assert LinUCB().meet_catalog(CATALOG).fit(flat_log())._features.shape == (NUM_ITEMS, 3 + 3)


def test_a_catalogue_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"met a catalogue of 90 items but the log has 7; call"):
        LinUCB().meet_catalog(CATALOG).fit(flat_log(num_items=7))


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"EpsilonGreedy wanted epsilon in \[0, 1\], got 2"):
        EpsilonGreedy(epsilon=2)
    with pytest.raises(ValueError, match=r"value mean or popularity, got 'best'"):
        EpsilonGreedy(value="best")
    with pytest.raises(ValueError, match="LinTS wanted l2 above 0, got 0; try 1"):
        LinTS(l2=0)
