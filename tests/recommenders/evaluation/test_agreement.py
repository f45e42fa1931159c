"""Agreement of two measures on data one can hold in the head."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from recommenders.evaluation.agreement import agreement, pair_flips, same_top, spearman, top_regret


def test_agreement_is_certain_when_every_user_gives_one_order():
    values = np.array([[1.0] * 20, [2.0] * 20, [3.0] * 20])
    assert agreement(values, values, np.random.default_rng(0)).tau == (1.0, 1.0, 1.0)


def test_agreement_of_noise_includes_zero():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 40))
    found = agreement(a, b, rng)
    assert found.tau.low < 0 < found.tau.high


def test_agreement_leaves_out_values_that_were_not_measured():
    a = np.array([[1.0, np.nan, 1.0], [2.0, 2.0, np.nan]])
    assert agreement(a, a, np.random.default_rng(0)).tau.mean == 1.0


def test_agreement_wants_the_same_policies_and_users():
    with pytest.raises(ValueError, match="same policies and users"):
        agreement(np.ones((2, 3)), np.ones((3, 3)), np.random.default_rng(0))


def test_rank_correlation_with_ties_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.integers(4, size=(2, 8)).astype(float)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_the_pick_of_the_first_measure_is_paid_in_the_second():
    a, b = np.array([1.0, 3.0, 2.0]), np.array([4.0, 3.5, 3.0])
    assert top_regret(a, b) == 4.0 - 3.5
    assert same_top(a, b) == 0.0
    assert same_top(b, b) == 1.0


def test_flips_count_the_pairs_ordered_against_each_other():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    assert pair_flips(a, b) == pytest.approx(1 / 3)


def test_values_count_as_often_as_they_are_worth():
    a = np.array([[1.0, 5.0], [2.0, 4.0]])  # plain means 3 and 3; counted 2 and 2.5
    b = np.array([[2.0, 2.0], [3.0, 3.0]])
    rng = np.random.default_rng(0)
    assert np.isnan(agreement(a, b, rng).tau.mean)
    counted = agreement(a, b, rng, a_counts=np.array([[3.0, 1.0], [3.0, 1.0]]))
    assert counted.tau.mean == 1.0


def test_resamples_in_which_a_policy_has_no_value_are_left_out():
    a = np.array([[1.0, 1.0], [2.0, np.nan]])
    found = agreement(a, a, np.random.default_rng(0), a_counts=np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert found.tau == (1.0, 1.0, 1.0)
    assert found.top.low == 1.0
