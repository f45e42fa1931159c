"""The panel against kind, equal and choosy people, by arithmetic on a handful of rows."""

import numpy as np
import pytest

from agents.fidelity.utopian_bias import utopian_bias, variance_ratio

GENRES = np.array([[1.0, 0.0], [0.0, 1.0]])  # item 0 is a comedy, item 1 a war film


def certain(*stars):
    return np.eye(5)[np.array(stars) - 1]


def panel(chances, ratings, users=(0, 0, 1, 1), items=(0, 1, 0, 1)):
    arrays = np.array(ratings, dtype=float), np.array(users), np.array(items)
    return utopian_bias(chances, *arrays, GENRES)


def test_people_who_answer_as_the_real_ones_differ_in_nothing():
    found = panel(certain(1, 5, 4, 2), [1, 5, 4, 2])
    assert (found.ks, found.wasserstein, found.mean_shift, found.genre_gap) == (0, 0, 0, 0)
    assert found.low_share == found.real_low_share == 0.5


def test_one_star_too_many_for_one_of_four():
    """Real 2, 3, 4, 5; simulated 3, 3, 4, 5: a quarter of the ratings moves by one star."""
    found = panel(certain(3, 3, 4, 5), [2, 3, 4, 5])
    assert found.ks == pytest.approx(1 / 4)
    assert found.wasserstein == pytest.approx(1 / 4)
    assert found.mean_shift == pytest.approx(1 / 4)
    assert (found.low_share, found.real_low_share) == (0, 0.25)


def test_ks_and_wasserstein_of_always_five():
    """Real 1, 2, 4, 5: below five lie 3/4, and the stars to move are (4 + 3 + 1 + 0) / 4."""
    found = panel(certain(5, 5, 5, 5), [1, 2, 4, 5])
    assert found.ks == pytest.approx(3 / 4)
    assert found.wasserstein == pytest.approx(found.mean_shift) == pytest.approx(8 / 4)


def test_genre_gap_is_what_liked_genres_share_too_much():
    """Real people like two comedies, the simulated ones a comedy and a war film: half too much."""
    found = panel(certain(4, 1, 1, 4), [4, 1, 4, 1])
    assert found.genre_gap == pytest.approx(1 / 2)
    assert np.isnan(panel(certain(1, 1, 1, 1), [4, 1, 4, 1]).genre_gap)


def test_variance_between_people_by_hand():
    """Means 1 and 5, expected 2 and 4: variance 2 of 8. Answers that are draws add their noise."""
    users, ratings = np.array([0, 1]), np.array([1.0, 5.0])
    assert variance_ratio(certain(2, 4), ratings, users) == pytest.approx(2 / 8)
    unsure = np.array([[0.5, 0, 0.5, 0, 0], [0, 0, 0.5, 0, 0.5]])  # means 2 and 4, variance 1 each
    assert variance_ratio(unsure, ratings, users) == pytest.approx((2 + 1) / 8)
    assert np.isnan(variance_ratio(certain(2), ratings[:1], users[:1]))


def test_agreement_is_one_for_the_same_structure_and_unknown_for_two_people():
    """Persons 0 and 1 like comedies better, 2 and 3 war films, the more so the further apart."""
    users, items = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    stars = np.array([5, 1, 4, 2, 1, 5, 2, 4])
    same = panel(certain(*stars), stars, users, items)
    assert same.agreement == pytest.approx(1)
    other = panel(certain(*stars.reshape(4, 2)[[0, 2, 1, 3]].ravel()), stars, users, items)
    # Of six pairs two are alike (1) and four opposite (-1), in both; none of the alike is shared:
    # deviations 4/3 and -2/3 from the mean -1/3, products in sum -24/9 of 48/9.
    assert other.agreement == pytest.approx(-0.5)
    assert np.isnan(panel(certain(1, 5, 4, 2), [1, 5, 4, 2]).agreement)


def test_the_noise_of_two_answers_is_half_that_of_one_in_their_mean():
    """Means 2 and 4 of two answers each, whose variance is 1: (1 + 1) / 2² in a person's mean."""
    unsure = np.array([[0.5, 0, 0.5, 0, 0]] * 2 + [[0, 0, 0.5, 0, 0.5]] * 2)
    ratings, users = np.array([1.0, 1, 5, 5]), np.array([0, 0, 1, 1])
    assert variance_ratio(unsure, ratings, users) == pytest.approx((2 + 0.5) / 8)
