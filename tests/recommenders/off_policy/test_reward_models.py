import numpy as np
import pytest

from recommenders.off_policy.reward_models import cross_fitted_means, item_mean_model


def test_importance_weighs_the_means() -> None:
    items, rewards = np.array([[0], [0], [1]]), np.array([[1.0], [4.0], [2.0]])
    weights = np.array([[3.0], [1.0], [0.0]])
    model = item_mean_model(items, rewards, 3, prior_rows=1, importance=weights)
    # The weights are scaled to sum to 3 rows: 9 / 4 and 3 / 4; the mean of all is 7 / 4.
    mean = 7 / 4
    expected = [(9 / 4 * 1 + 3 / 4 * 4 + mean) / (3 + 1), mean, mean]
    assert model(None, np.arange(3)).tolist() == pytest.approx(expected)
    equal = item_mean_model(items, rewards, 3, importance=np.full((3, 1), 0.2))
    plain = item_mean_model(items, rewards, 3)
    np.testing.assert_allclose(equal(None, np.arange(3)), plain(None, np.arange(3)))
    nothing = item_mean_model(items, rewards, 3, importance=np.zeros((3, 1)))
    np.testing.assert_allclose(nothing(None, np.arange(3)), plain(None, np.arange(3)))


def test_a_user_is_judged_by_what_the_other_half_said() -> None:
    users, items = np.array([0, 1]), np.array([[0], [0]])
    model = cross_fitted_means(users, items, np.array([[1.0], [5.0]]), 2)
    assert model(users, items).tolist() == [[5.0], [1.0]]
    alone = cross_fitted_means(np.array([0, 2]), items, np.array([[1.0], [5.0]]), 2)
    assert alone(users, items).tolist() == [[3.0], [3.0]]


def test_one_half_alone_is_weighed_too_and_every_even_user_is_of_one_half() -> None:
    items, rewards = np.array([[0], [0]]), np.array([[1.0], [5.0]])
    alone = cross_fitted_means(np.array([0, 2]), items, rewards, 1, np.array([[3.0], [1.0]]))
    assert alone(np.array([0]), np.array([[0]])).tolist() == [[(3 * 1 + 1 * 5) / 4]]
    model = cross_fitted_means(np.array([0, 1]), items, rewards, 1)
    asked = model(np.arange(6), np.zeros((6, 1), dtype=int))
    assert asked.ravel().tolist() == [5.0, 1.0] * 3


def test_item_means_are_shrunk_by_five_rows_unless_asked_otherwise() -> None:
    model = item_mean_model(np.array([0, 0, 1]), np.array([1.0, 2.0, 6.0]), 3)
    expected = [(1 + 2 + 5 * 3) / (2 + 5), (6 + 5 * 3) / (1 + 5), 3]
    assert model(None, np.arange(3)).tolist() == pytest.approx(expected)


def test_rows_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of one shape, got \(2, 1\), \(2,\) and \(2,\)"):
        item_mean_model(np.zeros((2, 1), int), np.ones(2), 3)
