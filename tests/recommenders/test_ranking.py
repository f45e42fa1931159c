import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommenders.ranking import top_slates

USERS = np.array([40, 41])


def test_ties_go_to_the_lower_id_without_a_priority() -> None:
    scores = np.array([[0.0, 1.0, 1.0, 0.0]])
    slates = top_slates("P", USERS[:1], scores, np.zeros((1, 4), bool), 3)
    assert slates.items.tolist() == [[1, 2, 0]]
    assert slates.scores.tolist() == [[1.0, 1.0, 0.0]]


def test_ties_follow_the_priority() -> None:
    scores = np.array([[0.0, 1.0, 1.0, 0.0]])
    order = np.array([3, 2, 1, 0])
    slates = top_slates("P", USERS[:1], scores, np.zeros((1, 4), bool), 4, order)
    assert slates.items.tolist() == [[2, 1, 3, 0]]


def test_differences_below_float32_are_ties() -> None:
    scores = np.array([[1.0, 1.0 + 1e-12, 1.0 - 1e-12]])
    slates = top_slates("P", USERS[:1], scores, np.zeros((1, 3), bool), 3)
    assert slates.items.tolist() == [[0, 1, 2]]


def test_minus_zero_is_zero() -> None:
    slates = top_slates("P", USERS[:1], np.array([[-0.0, 0.0]]), np.zeros((1, 2), bool), 2)
    assert slates.items.tolist() == [[0, 1]]


@given(
    scores=hnp.arrays(
        np.float32, (3, 8), elements=st.floats(-(2.0**90), 2.0**90, width=32, allow_subnormal=False)
    ),
    excluded=hnp.arrays(np.bool_, (3, 8)),
    priority=st.permutations(list(range(8))),
)
def test_the_fast_sort_equals_a_plain_one(scores, excluded, priority) -> None:
    excluded[:, :4] = False
    order = np.array(priority)
    slates = top_slates("P", np.arange(3), scores.astype(float), excluded, 4, order)
    place = np.argsort(order)
    for row in range(3):
        allowed = [i for i in range(8) if not excluded[row, i]]
        expected = sorted(allowed, key=lambda i: (-scores[row, i], place[i]))[:4]
        assert slates.items[row].tolist() == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_scores_that_are_not_finite_name_policy_user_and_item(bad: float) -> None:
    scores = np.zeros((2, 3))
    scores[1, 2] = bad
    with pytest.raises(ValueError, match=r"policy P gave score .* for user 41, item 2; .*finite"):
        top_slates("P", USERS, scores, np.zeros((2, 3), bool), 1)


def test_too_few_items_name_policy_user_and_cure() -> None:
    excluded = np.array([[False, False], [True, False]])
    with pytest.raises(ValueError, match=r"P has 1 unseen items left for user 41 .* wants 2; use"):
        top_slates("P", USERS, np.zeros((2, 2)), excluded, 2)


def test_a_slate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"slate of 0 items; use a slate_size >= 1"):
        top_slates("P", USERS, np.zeros((2, 2)), np.zeros((2, 2), bool), 0)
