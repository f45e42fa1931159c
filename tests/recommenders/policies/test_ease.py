import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.policies.ease import EASE
from simenv.events import InteractionLog

RNG = np.random.default_rng(0)
# One user likes both items, one likes item 0, one has no row: gram = [[2, 1], [1, 1]].
LOG = InteractionLog.from_columns(
    users=[0, 0, 1], items=[0, 1, 0], ratings=[5, 5, 5], num_users=3, num_items=3
)


def test_weights_are_the_closed_form_on_two_items() -> None:
    policy = EASE(l2=1.0).fit(LOG)
    # P = inv([[3, 1], [1, 2]]) = [[2, -1], [-1, 3]] / 5; B_ij = -P_ij / P_jj.
    expected = [[0, 1 / 3, 0], [1 / 2, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(policy._weights, expected, atol=1e-7)
    slates = policy.recommend(cold_observation(np.array([1])), 2, RNG)
    assert slates.items.tolist() == [[1, 2]]
    np.testing.assert_allclose(slates.scores, [[1 / 3, 0]], atol=1e-7)


def test_each_column_is_the_ridge_regression_of_that_item_on_the_others() -> None:
    rng = np.random.default_rng(3)
    users, items = np.nonzero(rng.random((30, 6)) < 0.4)
    log = InteractionLog.from_columns(
        users, items, np.full(len(users), 5.0), num_users=30, num_items=6
    )
    x = log.to_csr().toarray() > 0
    policy = EASE(l2=2.0).fit(log)
    for j in range(6):
        others = np.delete(np.arange(6), j)
        left = x[:, others].astype(float)
        ridge = np.linalg.solve(left.T @ left + 2.0 * np.eye(5), left.T @ x[:, j])
        np.testing.assert_allclose(policy._weights[others, j], ridge, atol=1e-6)


def test_too_many_items_name_the_memory_they_would_take() -> None:
    with pytest.raises(ValueError, match=r"at most 2 items, got 3; .*use ItemKNN or raise max_"):
        EASE(max_items=2).fit(LOG)


def test_the_penalty_must_be_positive() -> None:
    with pytest.raises(ValueError, match="EASE wanted l2 above 0, got 0; try 200"):
        EASE(l2=0)
