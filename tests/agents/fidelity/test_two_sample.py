"""Trajectories that are the same cannot be told apart, those of people without any spread can."""

import numpy as np
import pytest

from agents.fidelity import two_sample as two_samples
from agents.fidelity.two_sample import FEATURES, features, sampled_ratings, two_sample

USERS = np.repeat(np.arange(40), 10)
KNOWN = np.random.default_rng(1).standard_normal((400, 3))


def ratings(seed):
    return np.random.default_rng(seed).integers(1, 6, 400).astype(float)


def test_features_of_one_trajectory_by_hand():
    """Ratings 1, 3, 5, 3: changes 2, 2, 2; the average of the items rises with the ratings."""
    known = np.array([[1.0, 0, 5], [2.0, 0, 4], [3.0, 0, 3], [2.0, 0, 4]])
    found, owners = features(np.array([1.0, 3, 5, 3]), np.zeros(4, dtype=int), known, 4)
    table = dict(zip(FEATURES, found[0], strict=True))
    assert owners.tolist() == [0]
    assert [table[f"share of {star} stars"] for star in range(1, 6)] == [0.25, 0, 0.5, 0, 0.25]
    assert table["mean"] == 3
    assert table["standard deviation"] == pytest.approx(np.sqrt(8 / 4))
    assert table["mean change to the next rating, without its sign"] == 2
    assert table["correlation with the rating before"] == pytest.approx(0.0, abs=1e-9)
    assert table["correlation with the item's average"] == pytest.approx(1)
    assert table["correlation with the item's popularity"] == 0
    assert table["correlation with the year of the item"] == pytest.approx(-1)


def test_a_rest_shorter_than_a_trajectory_is_left_out_and_people_are_not_mixed():
    users = np.array([0] * 5 + [1] * 3)
    found, owners = features(np.arange(8.0) % 5 + 1, users, np.zeros((8, 3)), 3)
    assert owners.tolist() == [0, 1]
    assert len(found) == 2


def test_draws_follow_the_chances():
    chances = np.tile([0.1, 0.2, 0.3, 0.0, 0.4], (20_000, 1))
    drawn = sampled_ratings(chances, np.arange(20_000).astype(np.uint64))
    shares = [(drawn == star).mean() for star in range(1, 6)]
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.0, 0.4], abs=0.015)


def test_people_of_one_kind_cannot_be_told_apart():
    found = two_sample(ratings(2), ratings(3), USERS, KNOWN, num_resamples=50)
    assert found.num_trajectories == 40
    assert found.ci95[0] - 0.05 < 0.5 < found.ci95[1] + 0.05


def test_people_who_always_give_three_stars_are_found_out():
    found = two_sample(ratings(2), np.full(400, 3.0), USERS, KNOWN, num_resamples=50)
    assert found.auc > 0.99


def test_fewer_than_ten_people_are_not_judged():
    found = two_sample(ratings(2)[:90], ratings(3)[:90], USERS[:90], KNOWN[:90])
    assert np.isnan(found.auc)
    assert np.isnan(found.ci95).all()


def test_nobody_is_in_training_and_test(monkeypatch):
    """A forest that keeps whom it learnt from: a column of the table says who somebody is."""
    people = np.repeat(np.arange(10), 4)
    table = np.column_stack([people, np.zeros(40)]).astype(float)

    class Forest:
        def __init__(self, *sizes, **settings):
            pass

        def fit(self, learnt, wanted):
            self.known = set(learnt[:, 0])

        def predict_proba(self, asked):
            assert not self.known & set(asked[:, 0])
            return np.column_stack([1 - asked[:, 0] / 10, asked[:, 0] / 10])

    monkeypatch.setattr("sklearn.ensemble.RandomForestClassifier", Forest)
    scores = two_samples._out_of_fold(table, np.arange(40) < 20, people)
    assert scores.tolist() == pytest.approx((people / 10).tolist())  # everybody was asked once
