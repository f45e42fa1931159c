"""Effect sizes and correlations by hand."""

import numpy as np
import pytest

from agents.personality.effect_sizes import (
    cliffs_delta,
    cohens_d,
    correlation,
    effect,
    resampled,
    standardised,
)

NAN = np.nan


def test_cohens_d_divides_by_the_pooled_deviation_of_both():
    high, low = np.array([2.0, 4.0, 6.0]), np.array([1.0, 1.0, 4.0])  # variances 4 and 3
    assert cohens_d(high, low) == pytest.approx((4 - 2) / np.sqrt((4 + 3) / 2))
    assert cohens_d(low, high) == pytest.approx(-(4 - 2) / np.sqrt((4 + 3) / 2))


def test_cohens_d_of_groups_that_do_not_vary_or_of_one_person_is_unknown():
    assert np.isnan(cohens_d(np.ones(3), np.zeros(3)))
    assert np.isnan(cohens_d(np.ones(1), np.zeros(1)))


def test_cliffs_delta_counts_pairs():
    # 3 beats both, 1 beats one and ties one, of 2 x 2 pairs
    assert cliffs_delta(np.array([3.0, 1.0]), np.array([0.0, 1.0])) == (2 + 1) / 4
    assert cliffs_delta(np.zeros(2), np.ones(3)) == -1.0
    assert np.isnan(cliffs_delta(np.zeros(0), np.ones(3)))


def test_correlation_leaves_out_pairs_with_a_hole():
    x, y = np.array([1.0, 2.0, 3.0, NAN, 9.0]), np.array([1.0, 3.0, 2.0, 5.0, NAN])
    assert correlation(x, y) == pytest.approx(0.5)  # of (1, 1), (2, 3), (3, 2)
    assert np.isnan(correlation(np.ones(4), np.arange(4.0)))
    assert np.isnan(correlation(np.arange(2.0), np.arange(2.0)))


def test_an_effect_is_of_the_people_who_have_both_values_drawn_as_pairs():
    high = np.array([2.0, 4.0, 6.0, NAN, 9.0])
    low = np.array([1.0, 1.0, 4.0, 3.0, NAN])
    found = effect(cohens_d, high, low, 400)
    assert found.value == cohens_d(high[:3], low[:3])
    assert found.low < found.value < found.high
    assert effect(cohens_d, high, low, 400) == found


def test_pairs_are_kept_together_when_people_are_drawn_again():
    low = np.arange(30.0)
    found = effect(lambda a, b: float((a - b).mean()), low + 2, low, 200)
    assert (found.low, found.high) == (2.0, 2.0)  # unpaired draws would differ


def test_an_interval_is_the_middle_95_of_100_draws():
    figures = iter([50.0, *np.arange(101.0)])  # of everybody, then of each draw
    assert resampled(lambda rows: next(figures), 3, 101) == (50.0, 2.5, 97.5)


def test_an_interval_of_which_half_cannot_be_had_is_unknown():
    found = resampled(lambda rows: 1.0 if len(set(rows.tolist())) == 4 else NAN, 4, 100)
    assert found.value == 1.0
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(resampled(lambda rows: 1.0, 0, 10)).all()


def test_standardised_values_have_mean_0_and_deviation_1_and_holes_stay():
    found = standardised(np.array([[1.0, 3.0], [NAN, 5.0]]), axes=(0, 1))
    spread = np.sqrt((4 + 0 + 4) / 3)
    assert found == pytest.approx(np.array([[-2 / spread, 0], [NAN, 2 / spread]]), nan_ok=True)
    assert standardised(np.full((2, 2), 7.0), axes=(0, 1)).tolist() == [[0.0, 0.0]] * 2
