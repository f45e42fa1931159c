import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.policies.heuristics import Popularity, Random
from simenv.events import InteractionLog

DAY = 86_400
# Item 0 is rated on days 0 and 1, item 1 on days 9 and 10, item 2 on day 10 alone.
LOG = InteractionLog.from_columns(
    users=[0, 1, 0, 1, 2],
    items=[0, 0, 1, 1, 2],
    ratings=[5, 5, 1, 1, 3],
    timestamps=[0, DAY, 9 * DAY, 10 * DAY, 10 * DAY],
    num_users=4,
    num_items=5,
)
NEWCOMER = cold_observation(np.array([3]))
RNG = np.random.default_rng(0)


def test_popularity_counts_rows_whatever_their_stars() -> None:
    slates = Popularity().fit(LOG).recommend(NEWCOMER, 3, RNG)
    assert slates.items.tolist() == [[0, 1, 2]]
    assert slates.scores.tolist() == [[2.0, 2.0, 1.0]]


def test_a_window_counts_only_recent_rows() -> None:
    slates = Popularity(recent_days=0.5).fit(LOG).recommend(NEWCOMER, 3, RNG)
    assert slates.items.tolist() == [[1, 2, 0]]
    assert slates.scores.tolist() == [[1.0, 1.0, 0.0]]


def test_a_half_life_halves() -> None:
    slates = Popularity(half_life_days=1).fit(LOG).recommend(NEWCOMER, 3, RNG)
    assert slates.items.tolist() == [[1, 2, 0]]
    assert slates.scores.tolist() == [[2.0**0 + 2.0**-1, 2.0**0, 2.0**-9 + 2.0**-10]]


@pytest.mark.parametrize("name", ["recent_days", "half_life_days"])
def test_a_window_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=rf"Popularity wanted {name} above 0, got 0; or null"):
        Popularity(**{name: 0})


def test_random_is_uniform_over_unseen_items_at_every_place() -> None:
    users = np.arange(2_000)  # each of them saw item 2
    log = InteractionLog.from_columns(
        users, 0 * users + 2, 0 * users + 3.0, num_users=2_000, num_items=5
    )
    draws = Random().fit(log).recommend(cold_observation(users), 2, RNG).items
    for place in range(2):
        share = np.bincount(draws[:, place], minlength=5) / 2_000
        # Four standard errors of a share of 1/4.
        assert np.abs(share - [0.25, 0.25, 0, 0.25, 0.25]).max() < 4 * np.sqrt(0.25 * 0.75 / 2_000)


def test_random_says_its_propensities() -> None:
    policy = Random().fit(LOG)
    observation = cold_observation(np.array([0, 3]))  # user 0 has 3 unseen items, user 3 all 5
    slates = policy.recommend(observation, 2, RNG)
    np.testing.assert_array_equal(slates.propensities, [[1 / 3, 1 / 3], [1 / 5, 1 / 5]])
    assert policy.propensities(observation, np.array([[0], [0]])).tolist() == [[0.0], [1 / 5]]
