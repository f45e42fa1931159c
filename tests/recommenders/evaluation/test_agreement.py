"""Agreement of two measures on data one can hold in the head."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from recommenders.evaluation.agreement import agreement, pair_flips, same_top, spearman, top_regret

pytestmark = pytest.mark.filterwarnings(
    "error::RuntimeWarning"
)  # none divides by nothing on its way


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


def test_intervals_are_those_of_two_thousand_resamples_of_users():
    """The same by hand, one resample after the other; continuous values have no ties."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 4, 6)) + np.arange(4)[:, None]
    a[0, 1] = b[2, 3] = np.nan
    counts = rng.integers(1, 4, size=a.shape).astype(float)
    found = agreement(a, b, np.random.default_rng(9), a_counts=counts)
    figures = []
    for users in np.random.default_rng(9).integers(6, size=(2000, 6)):
        weighed = np.where(np.isnan(a), 0, counts)[:, users]
        x = (weighed * np.nan_to_num(a)[:, users]).sum(axis=1) / weighed.sum(axis=1)
        y = np.nanmean(b[:, users], axis=1)
        pairs = [np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i in range(4) for j in range(i)]
        ranks_apart = x.argsort().argsort() - y.argsort().argsort()
        rho = 1 - 6 * (ranks_apart**2).sum() / (4 * (4**2 - 1))
        regret = y.max() - y[x.argmax()]
        figures.append((sum(pairs) / 6, rho, regret == 0, regret, pairs.count(-1) / 6))
    low, high = np.percentile(figures, [2.5, 97.5], axis=0)
    assert [x.low for x in found] == pytest.approx(low.tolist())
    assert [x.high for x in found] == pytest.approx(high.tolist())
    few = agreement(a, b, np.random.default_rng(9), 2000, 0.5, counts)
    low, high = np.percentile(figures, [25, 75], axis=0)
    assert (few.regret.low, few.regret.high) == pytest.approx((low[3], high[3]))


def test_without_resamples_there_is_a_figure_and_no_interval():
    found = agreement(np.eye(2), np.eye(2), np.random.default_rng(0), num_resamples=0)
    assert found.regret.mean == 0.0
    assert np.isnan([found.regret.low, found.regret.high]).all()


def test_resamples_in_which_the_first_measure_alone_lacks_a_value_are_left_out():
    a, b = np.array([[1.0, np.nan], [2.0, 2.0]]), np.array([[1.0, 1.0], [2.0, 2.0]])
    for one, other in ((a, b), (b, a)):
        found = agreement(one, other, np.random.default_rng(0))
        assert found.top == (1.0, 1.0, 1.0)
        assert found.regret == (0.0, 0.0, 0.0)


def test_agreement_wants_the_same_policies_and_users():
    with pytest.raises(ValueError, match="same policies and users"):
        agreement(np.ones((2, 3)), np.ones((3, 3)), np.random.default_rng(0))


def test_rank_correlation_with_ties_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.integers(4, size=(2, 8)).astype(float)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_rank_correlation_where_all_are_tied_is_not_a_number():
    assert np.isnan(spearman(np.ones(3), np.arange(3.0)))
    assert np.isnan(spearman(np.arange(3.0), np.ones(3)))


def test_many_pairs_of_measures_are_compared_row_by_row():
    rng = np.random.default_rng(1)
    a, b = rng.integers(4, size=(2, 6, 5)).astype(float)
    for measure in (spearman, same_top, top_regret, pair_flips):
        each = [float(measure(x, y)) for x, y in zip(a, b, strict=True)]
        assert measure(a, b).tolist() == pytest.approx(each)
        assert measure(a, b).dtype == np.float64


def test_small_differences_of_rank_are_ranks_like_any():
    assert spearman(np.array([0.0, 1.0]), np.array([5.0, 7.0])) == 1.0


def test_the_pick_of_the_first_measure_is_paid_in_the_second():
    a, b = np.array([1.0, 3.0, 2.0]), np.array([4.0, 3.5, 3.0])
    assert top_regret(a, b) == 4.0 - 3.5
    assert same_top(a, b) == 0.0
    assert same_top(b, b) == 1.0


def test_flips_count_the_pairs_ordered_against_each_other():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    assert pair_flips(a, b) == pytest.approx(1 / 3)


def test_a_tie_is_no_flip():
    tied, rising = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert pair_flips(tied, rising) == pair_flips(rising, tied) == 0.0
    assert pair_flips(tied, rising[::-1]) == pytest.approx(2 / 3)  # the tied pair is not flipped


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
