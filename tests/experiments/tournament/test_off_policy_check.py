"""Estimates split over users, so that resampling users resamples the estimate."""

import numpy as np
import pytest

from experiments.tournament.off_policy_check import _by_user
from experiments.tournament.summary import distinct_notes
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.weighing import WeightedLog


def test_estimates_split_over_users_add_up_to_the_estimate():
    rng = np.random.default_rng(0)
    users = np.array([0, 0, 1, 2, 2, 2])
    columns = (rng.random((6, 3)) for _ in range(4))
    log = WeightedLog(users, *columns)
    log.weights[2] = 0.0  # user 1 has no weight, so no SNIPS of their own
    estimates = estimate_weighted(log)
    for name, found in _by_user(log).items():
        known = found.counts > 0
        value = np.average(found.values[known], weights=found.counts[known])
        assert value == pytest.approx(estimates[name].value)
    assert np.isnan(_by_user(log)["SNIPS"].values[1])


def test_warnings_that_differ_by_numbers_alone_are_listed_once():
    asked = ["rests on 2.0 of 7,020 places", "rests on 0.5 of 7,020 places", "weights are off"]
    assert distinct_notes(asked) == ["rests on 0.5 of 7,020 places", "weights are off"]
