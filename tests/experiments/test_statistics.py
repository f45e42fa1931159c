import numpy as np
import pytest
from scipy.stats import kendalltau

from experiments.statistics import agreement, holm, kendall_tau, mean_interval, paired_contrast


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


def test_agreement_is_certain_when_every_user_gives_one_order():
    values = np.array([[1.0] * 20, [2.0] * 20, [3.0] * 20])
    assert agreement(values, values, np.random.default_rng(0)) == (1.0, 1.0, 1.0)


def test_agreement_of_noise_includes_zero():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 40))
    found = agreement(a, b, rng)
    assert found.low < 0 < found.high


def test_agreement_leaves_out_values_that_were_not_measured():
    a = np.array([[1.0, np.nan, 1.0], [2.0, 2.0, np.nan]])
    assert agreement(a, a, np.random.default_rng(0)).tau == 1.0


def test_agreement_wants_the_same_policies_and_users():
    with pytest.raises(ValueError, match="same policies and users"):
        agreement(np.ones((2, 3)), np.ones((3, 3)), np.random.default_rng(0))
