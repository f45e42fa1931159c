import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from recommenders.base import cold_observation
from recommenders.policies.neighbours import ItemKNN, UserKNN, nearest_rows
from simenv.events import InteractionLog

RNG = np.random.default_rng(0)
# Users 0 and 1 like items 0 and 1, user 1 item 2 too, user 2 likes item 3 and dislikes 0.
LOG = InteractionLog.from_columns(
    users=[0, 0, 1, 1, 1, 2, 2],
    items=[0, 1, 0, 1, 2, 3, 0],
    ratings=[5, 4, 5, 5, 4, 5, 1],
    num_users=4,
    num_items=5,
)


def test_item_knn_sums_the_cosines_of_liked_items() -> None:
    slates = ItemKNN(shrinkage=0).fit(LOG).recommend(cold_observation(np.array([0])), 3, RNG)
    # Item 2 shares one liker with each of items 0 and 1, which have two likers each.
    assert slates.items[0, 0] == 2
    assert slates.scores[0, 0] == pytest.approx(2 * 1 / np.sqrt(2 * 1))
    assert slates.scores[0, 1:].tolist() == [0.0, 0.0]


def test_shrinkage_is_added_to_the_denominator() -> None:
    slates = ItemKNN(shrinkage=3).fit(LOG).recommend(cold_observation(np.array([0])), 1, RNG)
    assert slates.scores[0, 0] == pytest.approx(2 * 1 / (np.sqrt(2 * 1) + 3))


def test_item_knn_follows_the_session() -> None:
    observation = cold_observation(np.array([3]), history_length=2)
    observation["history_items"][0] = [0, 3]
    observation["history_ratings"][0] = [5.0, 3.0]  # 3 stars are no positive
    slates = ItemKNN(shrinkage=0).fit(LOG).recommend(observation, 2, RNG)
    assert slates.items.tolist() == [[1, 2]]
    np.testing.assert_allclose(slates.scores, [[2 / np.sqrt(2 * 2), 1 / np.sqrt(2 * 1)]])


def test_user_knn_sums_the_cosines_of_those_who_liked_it() -> None:
    slates = UserKNN(shrinkage=0).fit(LOG).recommend(cold_observation(np.array([0])), 1, RNG)
    assert slates.items.tolist() == [[2]]
    assert slates.scores[0, 0] == pytest.approx(2 / np.sqrt(2 * 3))


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_without_positives_the_most_rated_unseen_items_are_shown(kind: type) -> None:
    slates = kind().fit(LOG).recommend(cold_observation(np.array([3])), 3, RNG)
    assert slates.items.tolist() == [[0, 1, 2]]  # 3, 2 and 1 rows; item 3 ties with 2
    assert slates.scores.tolist() == [[0.0, 0.0, 0.0]]


@given(
    dense=hnp.arrays(np.int8, (5, 6), elements=st.integers(0, 1)),
    num_neighbours=st.integers(1, 6),
)
def test_nearest_rows_equal_the_definition(dense: np.ndarray, num_neighbours: int) -> None:
    found = nearest_rows(sparse.csr_matrix(dense.astype(float)), num_neighbours, 1.0).toarray()
    for i in range(5):
        similarity = np.zeros(5)
        for j in set(range(5)) - {i}:
            dot = float(dense[i] @ dense[j])
            similarity[j] = dot / (np.sqrt(float(dense[i].sum() * dense[j].sum())) + 1.0)
        kept = np.argsort(-similarity, kind="stable")[:num_neighbours]
        expected = np.zeros(5)
        expected[kept] = similarity[kept]
        np.testing.assert_allclose(found[i], expected, atol=1e-12)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_arguments_out_of_range_are_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="wanted num_neighbours of at least 1, got 0"):
        kind(num_neighbours=0, shrinkage=1)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_a_log_without_positives_names_the_cure(kind: type) -> None:
    with pytest.raises(ValueError, match=r"no row with at least 5.5 stars among 7; lower min_r"):
        kind(min_rating=5.5).fit(LOG)
