"""The ridge of tastes, against its closed form."""

import numpy as np
import pytest

from simenv.events import InteractionLog
from training.tastes import taste_ridge


def log_of(users, items, num_users):
    ratings = np.full(len(users), 3.0)
    return InteractionLog.from_columns(users, items, ratings, num_users=num_users, num_items=3)


def test_one_attribute_is_a_mean_drawn_to_nothing_by_the_prior():
    """Σ x·residual / (Σ x² + 4): two ratings of items with x = 1 and 2."""
    log = log_of([0, 0], [0, 1], 1)
    found = taste_ridge(log, np.array([[1.0], [2.0], [9.0]]), np.array([0.5, -1.0]), 4.0)
    assert found == pytest.approx(np.array([[(1 * 0.5 + 2 * -1.0) / (1 + 4 + 4)]]))


def test_two_attributes_are_kept_apart():
    """The normal equations [[1+1+2, 1], [1, 1+2]] w = [1+3, 3], by Cramer's rule."""
    log = log_of([0, 0], [0, 1], 1)
    attributes = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    found = taste_ridge(log, attributes, np.array([1.0, 3.0]), 2.0)
    determinant = 4 * 3 - 1 * 1
    expected = [(4 * 3 - 1 * 3) / determinant, (4 * 3 - 1 * 4) / determinant]
    assert found[0] == pytest.approx(expected)


def test_the_prior_may_expect_a_taste():
    """(x·residual + 4·centre) / (x² + 4)."""
    log = log_of([0], [1], 1)
    found = taste_ridge(
        log, np.array([[0.0], [2.0], [0.0]]), np.array([1.0]), 4.0, centre=np.array([[0.5]])
    )
    assert found == pytest.approx(np.array([[(2 * 1 + 4 * 0.5) / (4 + 4)]]))


def test_users_are_fitted_apart_and_one_without_rows_keeps_the_centre():
    attributes, centre = np.eye(3), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.0, 0.0, 0.0]])
    log = log_of([0, 2, 2], [0, 0, 1], 3)
    residuals = np.array([1.0, -1.0, 2.0])
    found = taste_ridge(log, attributes, residuals, 1.0, centre)
    assert found[0] == pytest.approx([(1 + 0.1) / 2, 0.2, 0.3])
    assert found[1].tolist() == [0.4, 0.5, 0.6]
    assert found[2] == pytest.approx([-1 / 2, 2 / 2, 0.0])
    assert taste_ridge(log, attributes, residuals, 1.0)[1].tolist() == [0.0, 0.0, 0.0]
    assert centre[0].tolist() == [0.1, 0.2, 0.3], "what is expected is not changed"
