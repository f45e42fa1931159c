"""Exposure on data one can hold in the head."""

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.exposure import coverage, exposures_of, gini, slate_diversity


def test_gini_of_equal_of_one_sided_and_of_no_exposure() -> None:
    assert gini(np.full(4, 7)) == 0
    assert gini(np.array([0, 0, 9, 0])) == 1 - 1 / 4
    assert gini(np.zeros(3)) == 0


def test_gini_is_the_mean_difference_over_twice_the_mean() -> None:
    x = np.array([2.0, 0.0, 1.0, 5.0])
    mean_difference = np.abs(x[:, None] - x[None, :]).mean()
    assert gini(x) == pytest.approx(mean_difference / (2 * x.mean()))


def test_coverage_counts_items_not_exposures() -> None:
    assert coverage(exposures_of(np.array([[0, 1], [0, 0]]), 5)) == 2 / 5


def test_diversity_is_one_minus_the_mean_cosine_of_the_pairs() -> None:
    catalog = Catalog(tuple("abcd"), np.zeros(4, int), (("X",), ("X",), ("Y",), ("X", "Y")))
    slates = catalog.genre_directions[np.array([[0, 1, 2], [0, 3, 1]])]
    half = 2**-0.5  # cosine of one genre to both
    expected = [1 - (1 + 0 + 0) / 3, 1 - (half + 1 + half) / 3]
    np.testing.assert_allclose(slate_diversity(slates), expected)
    np.testing.assert_allclose(slate_diversity(slates[None]), [expected])  # any leading shape


def test_one_item_is_not_diverse_and_an_item_without_genres_is_unlike_every_other() -> None:
    assert slate_diversity(np.eye(2)[[[0]]]).tolist() == [0]
    nothing = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    assert slate_diversity(nothing).tolist() == [1]


def test_genre_shares_sum_to_1_and_directions_have_length_1() -> None:
    catalog = Catalog(tuple("abc"), np.zeros(3, int), (("X", "Y"), ("Y",), ()))
    assert catalog.genre_shares.tolist() == [[1 / 2, 1 / 2], [0, 1], [0, 0]]
    np.testing.assert_allclose(catalog.genre_directions, [[2**-0.5, 2**-0.5], [0, 1], [0, 0]])
