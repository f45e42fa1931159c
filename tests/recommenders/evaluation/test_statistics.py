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

pytestmark = pytest.mark.filterwarnings(
    "error::RuntimeWarning"
)  # none divides by nothing on its way


def test_the_mean_interval_is_students():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0])
    half = 3.182446 * np.sqrt(5 / 3) / np.sqrt(4)  # t(0.975, 3 df) · sd / √n
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), abs=1e-5)


def test_two_users_have_an_interval_of_the_confidence_asked_for():
    assert mean_interval([1.0, 3.0]) == pytest.approx((2, 2 - 12.706205, 2 + 12.706205))  # t(0.975)
    assert mean_interval([1.0, 3.0], 0.5) == pytest.approx((2, 2 - 1, 2 + 1))  # t(0.75, 1 df) = 1


def test_values_of_single_precision_are_summed_in_double():
    assert mean_interval(np.array([2**24, 1, 1], dtype=np.float32)).mean == (2**24 + 2) / 3


def test_users_without_a_value_are_left_out_of_the_mean():
    assert mean_interval([1.0, np.nan, 3.0]) == mean_interval([1.0, 3.0])


def test_one_user_has_a_mean_and_no_interval():
    mean, low, high = mean_interval([3.0])
    assert mean == 3.0
    assert np.isnan([low, high]).all()


def test_nobody_has_neither():
    assert np.isnan(mean_interval([])).all()
    assert np.isnan(mean_interval([np.nan])).all()


def test_a_paired_contrast_sees_what_a_constant_shift_hides():
    shift = np.array([0.1, 0.2, 0.3, 0.2])
    a = np.array([1.0, 3.0, 5.0, 2.0])
    found = paired_contrast(a + shift, a)
    assert found.mean == pytest.approx(0.2)
    assert found.p_value < 0.02


def test_a_paired_contrast_is_its_arithmetic():
    """Differences 1, 2 and 3: mean 2, standard deviation 1; the variances apart are 7 and 3."""
    a, b = [1.0, 2.0, 6.0], [0.0, 0.0, 3.0]
    t = 2 / (1 / np.sqrt(3))
    expected = (
        2,
        2 - 4.302653 / np.sqrt(3),  # t(0.975, 2 df) · sd / √n
        2 + 4.302653 / np.sqrt(3),
        1 - t / np.sqrt(2 + t**2),  # the two-sided p-value of Student's t with 2 df, in closed form
        (7 + 3) / 1,
    )
    assert paired_contrast(a, b) == pytest.approx(expected, abs=1e-6)
    half = 0.816497 / np.sqrt(3)  # t(0.75, 2 df)
    assert paired_contrast(a, b, 0.5)[1:3] == pytest.approx((2 - half, 2 + half), abs=1e-6)


def test_a_paired_contrast_leaves_out_users_whom_one_side_lacks():
    a, b = [1.0, 2.0, 6.0, np.nan, 9.0], [0.0, 0.0, 3.0, 7.0, np.nan]
    assert paired_contrast(a, b) == paired_contrast(a[:3], b[:3])


def test_a_paired_contrast_of_two_users_has_a_p_value():
    """Differences 1 and 3: t = 2 / (√2 / √2) with 1 df, whose tails are those of Cauchy."""
    found = paired_contrast([1.0, 3.0], [0.0, 0.0])
    assert found.p_value == pytest.approx(1 - 2 / np.pi * np.arctan(2))


def test_a_difference_without_spread_is_certain():
    assert paired_contrast([2.0, 3.0], [1.0, 2.0])[:4] == (1.0, 1.0, 1.0, 0.0)


def test_a_paired_contrast_of_one_user_decides_nothing():
    mean, low, high, p_value, gain = paired_contrast([2.0], [1.0])
    assert (mean, p_value) == (1.0, 1.0)
    assert np.isnan([low, high, gain]).all()


def test_yes_and_no_are_numbers():
    found = paired_contrast([True, True, False], [False, False, False])
    assert found.mean == pytest.approx(2 / 3)
    assert paired_contrast(np.zeros(3), [True, True, False]).mean == pytest.approx(-2 / 3)
    assert kendall_tau([True, False], [2, 1]) == kendall_tau([2, 1], [True, False]) == 1.0
    assert holm([0, 1]).dtype == np.float64


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
    assert share_interval(16, 16).high == 1.0  # not a rounding error above it
