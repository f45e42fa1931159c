import numpy as np
import pytest
from scipy.stats import binomtest, kendalltau

from recommenders.evaluation.statistics import (
    holm,
    kendall_tau,
    mean_interval,
    paired_contrast,
    share_interval,
)


def test_the_mean_interval_is_students():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0])
    half = 3.182446 * np.sqrt(5 / 3) / np.sqrt(4)  # t(0.975, 3 df) · sd / √n
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), abs=1e-5)


def test_users_without_a_value_are_left_out_of_the_mean():
    assert mean_interval([1.0, np.nan, 3.0]) == mean_interval([1.0, 3.0])


def test_one_user_has_a_mean_and_no_interval():
    mean, low, high = mean_interval([3.0])
    assert mean == 3.0
    assert np.isnan([low, high]).all()


def test_a_paired_contrast_sees_what_a_constant_shift_hides():
    shift = np.array([0.1, 0.2, 0.3, 0.2])
    a = np.array([1.0, 3.0, 5.0, 2.0])
    found = paired_contrast(a + shift, a)
    assert found.mean == pytest.approx(0.2)
    assert found.p_value < 0.02


def test_a_paired_contrast_of_a_policy_with_itself_is_undecided():
    assert paired_contrast([1.0, 2.0], [1.0, 2.0]).p_value == 1.0


def test_a_paired_contrast_wants_the_same_users():
    with pytest.raises(ValueError, match="wanted the same users on both sides"):
        paired_contrast([1.0, 2.0], [1.0])


def test_holm_steps_down_and_never_below_an_earlier_step():
    assert holm([0.01, 0.04, 0.03]).tolist() == [3 * 0.01, 2 * 0.03, 2 * 0.03]
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_tau_counts_concordant_minus_discordant_pairs():
    assert kendall_tau([1, 2, 3], [1, 2, 3]) == 1.0
    assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1.0
    assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx((5 - 1) / 6)


def test_tau_with_ties_is_scipys_tau_b():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(4, size=(2, 6))
        assert kendall_tau(a, b) == pytest.approx(kendalltau(a, b).statistic, nan_ok=True)


def test_tau_of_all_ties_is_not_a_number():
    assert np.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))


def test_the_gain_of_pairing_is_the_ratio_of_the_variances():
    rng = np.random.default_rng(0)
    taste, noise = rng.normal(size=4000), rng.normal(size=(2, 4000))
    found = paired_contrast(taste + 0.5 * noise[0], taste + 0.5 * noise[1])
    assert found.variance_gain == pytest.approx(2 * (1 + 0.25) / (2 * 0.25), rel=0.1)


def test_wilsons_interval_of_a_share_is_scipys():
    found = binomtest(18, 20).proportion_ci(method="wilson")
    assert share_interval(18, 20) == pytest.approx((0.9, found.low, found.high))
    assert share_interval(0, 5).low == 0.0
