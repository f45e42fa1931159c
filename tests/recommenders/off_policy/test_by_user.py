"""Estimates split over users, on a log one can hold in the head."""

import numpy as np
import pytest

from recommenders.off_policy.by_user import by_user
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.weighing import WeightedLog

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")


def test_estimates_split_over_users_add_up_to_the_estimate():
    rng = np.random.default_rng(0)
    users = np.array([0, 0, 1, 2, 2, 2])
    columns = (rng.random((6, 3)) for _ in range(4))
    log = WeightedLog(users, *columns)
    log.weights[2] = 0.0  # user 1 has no weight, so no SNIPS of their own
    estimates = estimate_weighted(log)
    for name, found in by_user(log).items():
        known = found.counts > 0
        value = np.average(found.values[known], weights=found.counts[known])
        assert value == pytest.approx(estimates[name].value)
    assert np.isnan(by_user(log)["SNIPS"].values[1])


def test_each_user_has_the_arithmetic_of_the_own_places() -> None:
    """User 7 has two slates of one place, user 3 has one; the model says 2, and 1 of the policy."""
    log = WeightedLog(
        users=np.array([7, 3, 7]),
        rewards=np.array([[1.0], [3.0], [5.0]]),
        weights=np.array([[2.0], [0.5], [1.0]]),
        logged_model=np.full((3, 1), 2.0),
        target_model=np.full((3, 1), 1.0),
    )
    found = by_user(log)  # user 3, then user 7
    assert found["SNIPS"].values.tolist() == [3, (2 * 1 + 1 * 5) / (2 + 1)]
    assert found["SNIPS"].counts.tolist() == [0.5, 2 + 1]
    seven = ((1 + 2 * (1 - 2)) + (1 + 1 * (5 - 2))) / 2
    assert found["DR"].values.tolist() == [1 + 0.5 * (3 - 2), seven]
    assert found["DR"].counts.tolist() == [1, 2]


def test_a_log_without_a_model_names_the_cure() -> None:
    log = WeightedLog(np.array([0]), np.ones((1, 1)), np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"by_user wants a reward model for DR; call weigh"):
        by_user(log)
