import numpy as np
import pytest

from agents.interviews.instruments import Item
from agents.interviews.reliability import (
    acquiescence,
    cronbach_alpha,
    order_sensitivity,
    rates,
    retest_correlation,
    traits_of_both_keys,
)
from tests.agents.interviews.small_instruments import ITEMS, E, small


def test_cronbachs_alpha_by_hand():
    points = np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 5.0]])
    # variances 1 and 3; sums 3, 4, 8 have mean 5 and variance (4 + 1 + 9) / 2 = 7
    assert cronbach_alpha(points) == pytest.approx(2 / 1 * (1 - (1 + 3) / 7))


def test_alpha_is_one_for_equal_items_and_leaves_incomplete_rows_out():
    points = np.array([[1.0, 1.0, 1.0], [2, 2, 2], [5, 5, 5], [9, np.nan, 0]])
    assert cronbach_alpha(points) == pytest.approx(1.0)


@pytest.mark.parametrize("points", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 3.0], [3.0, 1.0]]])
def test_alpha_is_nan_where_it_does_not_exist(points):
    assert np.isnan(cronbach_alpha(np.array(points)))


def test_retest_is_pearsons_r_of_two_administrations():
    first, second = np.array([1.0, 2, 3, np.nan]), np.array([2.0, 1, 3, 5])
    # deviations -1 0 1 and 0 -1 1: products 0 + 0 + 1, both sums of squares 2
    assert retest_correlation(first, second) == pytest.approx(1 / 2)
    assert np.isnan(retest_correlation(first, np.ones(4)))


def test_who_agrees_with_everything_is_acquiescent_and_who_follows_the_trait_is_not():
    instrument = small(items=ITEMS[:2], traits=(E,))
    assert acquiescence(instrument, np.array([[3.0, 3.0]])) == 1
    assert acquiescence(instrument, np.array([[1.0, 1.0]])) == -1
    assert acquiescence(instrument, np.array([[3.0, 1.0]])) == 0
    # one "yes" of 3 and one "maybe" of 2: (1 + 0) / 2
    assert acquiescence(instrument, np.array([[3.0, 2.0]])) == 1 / 2


def test_acquiescence_is_in_halves_of_the_range_of_points_whatever_these_are():
    # 0, 1 and 4 points: the middle is 2 and half the range 2, so "maybe" is half a no
    instrument = small(items=ITEMS[:2], traits=(E,), values=(0.0, 1.0, 4.0))
    assert acquiescence(instrument, np.array([[1.0, 1.0]])) == -1 / 2
    assert acquiescence(instrument, np.array([[4.0, 4.0]])) == 1


def test_acquiescence_weighs_both_keys_and_all_traits_alike():
    more = (*ITEMS, Item("e3", "I shout.", "E", 1), Item("n2", "I rest.", "N", -1))
    # E: two yes and one no: (1 - 1) / 2, though two of three say yes; N: yes and maybe: (1 + 0) / 2
    found = acquiescence(small(items=more), np.array([[3.0, 1.0, 3.0, 3.0, 2.0]]))
    assert found == (0 + 1 / 2) / 2


def test_acquiescence_needs_items_of_both_keys():
    assert traits_of_both_keys(small(items=ITEMS[::2])) == ()
    assert np.isnan(acquiescence(small(items=ITEMS[::2]), np.array([[3.0, 3.0]])))
    assert traits_of_both_keys(small()) == ("E",)
    assert acquiescence(small(), np.array([[3.0, 3.0, 1.0]])) == 1  # n1 has no counterpart


def test_order_sensitivity_is_the_mean_distance_to_the_mean_of_the_rounds():
    with np.errstate(divide="ignore"):
        logs = np.log(np.array([[[[1.0, 0.0], [0.0, 1.0]]]]))
        same = np.log(np.array([[[[0.5, 0.5], [0.5, 0.5]]]]))
    assert order_sensitivity(logs) == 0.5  # each round is 1/2 away from (1/2, 1/2)
    assert order_sensitivity(same) == 0
    with np.errstate(divide="ignore"):
        three = np.log(np.array([[[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]]))
    # the mean is (2/3, 1/3), from which they are 1/3, 1/3 and 2/3 away
    assert order_sensitivity(three) == pytest.approx((1 / 3 + 1 / 3 + 2 / 3) / 3)
    assert np.isnan(order_sensitivity(same[:, :, :1]))


def test_rates_are_shares_of_all_that_was_asked():
    options, refused = np.array([0, -1, -1, 2]), np.array([False, True, False, False])
    found = rates(options, refused, np.array([1, 3, 3, 2]))
    assert found == (2 / 4, 1 / 4, 3 / 4)
