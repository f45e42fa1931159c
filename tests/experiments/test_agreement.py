"""Agreement of two measures on data one can hold in the head."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.agreement import agreement, pair_flips, same_top, spearman, top_regret


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
