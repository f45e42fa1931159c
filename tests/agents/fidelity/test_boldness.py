"""Timid and bold people are told apart by numbers small enough to check by hand."""

import numpy as np
import pytest

from agents.fidelity.boldness import boldness, personal_part, taste_part

TRUE = np.array([[1.0, 3.0], [3.0, 5.0], [5.0, 1.0]])


def test_the_personal_part_is_what_an_item_is_not_worth_to_all():
    assert personal_part(TRUE).tolist() == [[-2, 0], [0, 2], [2, -2]]


def test_a_taste_knows_no_generosity():
    assert taste_part(TRUE).tolist() == [[-1, 1], [-1, 1], [2, -2]]
    assert taste_part(TRUE + np.array([[0.0], [0.5], [-1.0]])).round(9).tolist() == [
        [-1, 1],
        [-1, 1],
        [2, -2],
    ]


def test_who_says_half_of_the_truth_is_timid_and_who_says_twice_as_much_is_bold():
    true = personal_part(TRUE)
    for factor in (0.5, 1.0, 2.0):
        found = boldness(factor * true, true)
        assert found.slope == pytest.approx(1 / factor)
        assert found.correlation == pytest.approx(1.0)
        assert found.ci95 == pytest.approx([1 / factor] * 2)


def test_correlation_and_slope_by_hand():
    """Said (1, 0), (0, 1); true (1, 1), (1, -1): products sum to 0; with (2, 0) first, 2 / 2."""
    said, true = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 1.0], [1.0, 0.0]])
    found = boldness(said, true)
    assert found.slope == pytest.approx(2 / 2)
    assert found.correlation == pytest.approx(2 / np.sqrt(2 * 6))
    assert found.ci95 == [0.0, 2.0]


def test_a_pair_that_was_not_asked_counts_for_nothing():
    said = np.array([[1.0, np.nan], [-1.0, 3.0]])
    true = np.array([[1.0, 9.0], [-1.0, np.nan]])
    assert boldness(said, true).slope == 1.0
    assert boldness(said, true).correlation == 1.0


def test_items_and_people_of_whom_nothing_was_asked_leave_the_others_as_they_are():
    more = np.full((4, 3), np.nan)
    more[:3, :2] = TRUE
    assert taste_part(more)[:3, :2].tolist() == taste_part(TRUE).tolist()
    assert np.isnan(taste_part(more)[3]).all()


def test_people_who_all_say_the_same_have_no_slope():
    assert np.isnan(boldness(np.zeros((3, 2)), personal_part(TRUE)).slope)
