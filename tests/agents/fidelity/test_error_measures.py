"""Formulas of errors, by arithmetic on rows that one can hold in the head."""

import re
from pathlib import Path

import numpy as np
import pytest

from agents.fidelity.error_measures import (
    auc,
    brier,
    calibration_curve,
    calibration_error,
    interval,
    knowable_share,
    log_loss,
    mae,
    mean_interval,
    mean_mae,
    mean_rmse,
    ranked_probability_score,
    resampled_rmse,
    rmse,
    rmse_difference_interval,
    rmse_interval,
    user_auc,
    user_sums,
)

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")  # nothing is divided by nothing
RNG = np.random.default_rng(0)
USERS = np.repeat(np.arange(30), 20)
RATINGS = RNG.integers(1, 6, 600).astype(float)


def certain(*stars):
    """Forecasts that put everything on one star each."""
    return np.eye(5)[np.array(stars) - 1]


def test_rmse_and_mae_of_two_errors():
    errors = np.array([1.0, -3.0])
    assert rmse(errors) == pytest.approx(np.sqrt((1 + 9) / 2))
    assert mae(errors) == pytest.approx((1 + 3) / 2)


def test_uauc_by_hand():
    """User 0: 5 > 2, 5 > 4, 3 > 2, but 3 < 4: 3/4. User 1: a tie, 1/2. User 2: no pair."""
    stars = np.array([5.0, 3.0, 2.0, 4.0, 3.5, 3.5, 1.0, 2.0])
    ratings = np.array([5.0, 4.0, 1.0, 3.0, 4.0, 2.0, 5.0, 5.0])
    users = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert user_auc(stars, ratings, users) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert user_auc(stars, ratings, users, liked=5.0) == pytest.approx(1.0)


def test_uauc_leaves_out_what_failed_and_is_none_where_nothing_can_be_told():
    stars, ratings = np.array([5.0, np.nan, 1.0]), np.array([5.0, 1.0, 2.0])
    assert user_auc(stars, ratings, np.zeros(3, int)) == 1.0
    assert np.isnan(user_auc(stars[:2], ratings[:2], np.zeros(2, int)))
    assert np.isnan(user_auc(stars[:0], ratings[:0], np.zeros(0, int)))


def test_errors_of_nothing_are_no_number():
    assert np.isnan(rmse(np.array([])))
    assert np.isnan(mae(np.array([])))


def test_log_loss_is_the_surprise_at_the_star_that_was_given():
    logs = np.log(np.array([[0.1, 0.2, 0.4, 0.2, 0.1], [0.5, 0.125, 0.125, 0.125, 0.125]]))
    assert log_loss(logs, np.array([3.0, 1.0])) == pytest.approx(-(np.log(0.4) + np.log(0.5)) / 2)


def test_forecasts_that_always_come_true_have_no_calibration_error():
    assert calibration_error(certain(1, 3, 5), np.array([1.0, 3.0, 5.0])) == 0.0


def test_forecasts_that_never_come_true_miss_by_what_they_claim():
    """Of 5 forecasts one claims 1 and gets 0, one claims 0 and gets 1."""
    assert calibration_error(certain(2), np.array([4.0])) == pytest.approx((1 + 1) / 5)


def test_even_forecasts_are_calibrated_where_every_star_comes_equally_often():
    chances, ratings = np.full((5, 5), 0.2), np.arange(1.0, 6.0)
    assert calibration_error(chances, ratings) == pytest.approx(0.0, abs=1e-12)


def test_even_forecasts_about_a_sure_thing_miss_by_nothing_in_one_bin_but_not_in_honest_ones():
    """All ten forecasts fall into one bin; their mean 0.2 is the frequency 2 / 10."""
    assert calibration_error(np.full((2, 5), 0.2), np.array([5.0, 5.0])) == pytest.approx(0.0)
    sharp = np.array([[0.0, 0.0, 0.0, 0.4, 0.6]] * 2)
    expected = (2 * abs(0.4 - 0.0) + 2 * abs(0.6 - 1.0)) / 10
    assert calibration_error(sharp, np.array([5.0, 5.0])) == pytest.approx(expected)


def test_a_calibration_has_fifteen_bins():
    """The middle one reaches from 7/15 to 8/15: it holds 0.47 and 0.53, not 0.465 and 0.535."""
    together, apart = (np.array([[1 - x, x, 0, 0, 0]]) for x in (0.47, 0.465))
    assert calibration_error(together, np.array([1.0])) == pytest.approx(0.0, abs=1e-12)
    expected = (abs(0.535 - 1) + abs(0.465 - 0)) / 5
    assert calibration_error(apart, np.array([1.0])) == pytest.approx(expected)


def test_the_curve_shows_the_bins_that_the_error_is_made_of():
    chances, ratings = np.array([[0.0, 0.0, 0.0, 0.4, 0.6]] * 4), np.array([5.0, 5.0, 5.0, 4.0])
    curve = calibration_curve(chances, ratings)
    assert curve.sizes.tolist() == [12, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0, 0, 0, 0]
    assert curve.forecast[[0, 6, 9]] == pytest.approx([0.0, 0.4, 0.6])
    assert curve.frequency[[0, 6, 9]] == pytest.approx([0.0, 1 / 4, 3 / 4])
    assert np.isnan(curve.forecast[1])
    alone = calibration_curve(chances[:1], ratings[:1])
    assert (alone.forecast[6], alone.frequency[9]) == (0.4, 1.0), "a bin of one is a bin"
    gaps = np.nansum(curve.sizes * np.abs(curve.forecast - curve.frequency)) / curve.sizes.sum()
    assert calibration_error(chances, ratings) == pytest.approx(gaps)


def test_an_interval_holds_the_middle_ninety_five_percent():
    assert interval(np.arange(1001.0)) == pytest.approx([25.0, 975.0])


def test_the_last_bin_of_a_calibration_holds_1_and_the_one_below_does_not_hold_0_95():
    """Forecasts of 1 and 0.95 share the last bin, 0.9 stands below: three rows of fifteen pairs."""
    chances = np.array([[0, 0, 0, 0, 1], [0.05, 0, 0, 0, 0.95], [0.1, 0, 0, 0, 0.9]])
    ratings = np.array([1.0, 5.0, 5.0])
    gaps = {14: 1 + 0.95 - 1, 13: 0.9 - 1, 1: 0.1, 0: 0.05 - 1}
    expected = sum(abs(gap) for gap in gaps.values()) / 15
    assert calibration_error(chances, ratings) == pytest.approx(expected)
    sizes = calibration_curve(chances, ratings).sizes
    assert (sizes[[14, 13, 1, 0]].tolist(), sizes.dtype) == ([2, 1, 1, 11], np.int64)


def test_every_user_adds_squares_and_absolute_errors_of_their_own_rows():
    """User 0 rated twice, user 7 once; the second predictor is right but for one star."""
    predicted = np.array([[3.0, 5.0, 1.0], [4.0, 2.0, 5.0]])
    sums = user_sums(predicted, np.array([4.0, 2.0, 4.0]), np.array([0, 0, 7]))
    assert sums.squares.tolist() == [[1 + 9, 9], [0, 1]]
    assert sums.absolutes.tolist() == [[1 + 3, 3], [0, 1]]
    assert sums.rows.tolist() == [2, 1]
    assert mean_rmse([sums]).tolist() == [np.sqrt(19 / 3), np.sqrt(1 / 3)]
    assert mean_mae([sums]).tolist() == [7 / 3, 1 / 3]


def test_the_interval_of_an_rmse_is_that_of_a_thousand_draws_of_users_with_seed_0():
    """Thirty users, every third of whom has two rows."""
    errors, users = np.random.default_rng(2).normal(size=40), np.r_[0:30, 0:30:3]
    sums, rows = np.zeros(30), np.zeros(30)
    for error, user in zip(errors, users, strict=True):
        sums[user] += error**2
        rows[user] += 1
    drawn = np.random.default_rng(0).integers(0, 30, size=(1000, 30))
    means = [sums[chosen].sum() / rows[chosen].sum() for chosen in drawn]
    expected = np.sqrt([np.quantile(means, 0.025), np.quantile(means, 0.975)])
    assert rmse_interval(errors, users) == pytest.approx(expected.tolist())


def test_a_resample_is_whole_users_in_whole_draws():
    """By hand: users by a multinomial for each draw in turn, then draws with replacement."""
    predicted, ratings = np.array([[3.0, 5.0, 1.0], [4.0, 2.0, 5.0]]), np.array([4.0, 2.0, 4.0])
    draws = [
        user_sums(predicted, ratings, np.array([0, 0, 7])),
        user_sums(predicted + 1, ratings, np.array([0, 1, 2])),
        user_sums(predicted - 1, ratings, np.array([0, 1, 1])),
    ]
    found = resampled_rmse(draws, np.random.default_rng(5), 40)
    rng = np.random.default_rng(5)
    of_draw = []
    for draw in draws:
        n = len(draw.rows)
        counts = rng.multinomial(n, [1 / n] * n, size=40)
        of_draw.append(
            [np.sqrt((draw.squares * c).sum(axis=1) / (draw.rows * c).sum()) for c in counts]
        )
    chosen = rng.integers(3, size=(3, 40))
    expected = [np.mean([of_draw[d][b] for d in chosen[:, b]], axis=0) for b in range(40)]
    np.testing.assert_allclose(found, expected)


def test_the_interval_of_an_rmse_is_as_wide_as_the_theory_of_means_says():
    errors = np.random.default_rng(1).normal(size=2000)
    low, high = rmse_interval(errors, np.arange(2000))
    standard_error = np.std(errors**2) / np.sqrt(2000)
    assert high**2 - low**2 == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert low < rmse(errors) < high


def test_users_are_resampled_with_all_their_rows():
    """Two users, one off by 0 and one by 2: a quarter of the resamples each holds one of them."""
    users = np.repeat([0, 1], 100)
    assert rmse_interval(2.0 * users, users) == [0.0, 2.0]
    draw = user_sums((2.0 * users)[None], np.zeros(200), users)
    assert interval(resampled_rmse([draw], np.random.default_rng(0), 500)[:, 0]) == [0.0, 2.0]


def draws_of(*errors):
    """Two draws of predictors that are off by normal errors of these sizes."""
    return [
        user_sums(
            np.stack([RATINGS + e * np.random.default_rng(s).normal(size=600) for e in errors]),
            RATINGS,
            USERS,
        )
        for s in (1, 2)
    ]


def test_errors_of_a_draw_are_those_of_all_rows():
    predicted = np.stack([RATINGS + 1, np.full(600, 3.0)])
    draw = user_sums(predicted, RATINGS, USERS)
    np.testing.assert_allclose(mean_rmse([draw]), [1, np.sqrt(np.mean((3 - RATINGS) ** 2))])
    np.testing.assert_allclose(mean_mae([draw]), [1, np.mean(np.abs(3 - RATINGS))])


def test_errors_of_draws_are_averaged_after_the_root():
    draws = [user_sums(np.full((1, 2), off), np.zeros(2), np.arange(2)) for off in (1.0, 3.0)]
    assert mean_rmse(draws).tolist() == [(1 + 3) / 2]
    assert mean_mae(draws).tolist() == [(1 + 3) / 2]


def test_intervals_over_draws_cover_the_figure_and_shrink_for_what_is_alike():
    draws = draws_of(0.9, 0.9, 1.0)
    resamples = resampled_rmse(draws, np.random.default_rng(3), 800)
    low, high = interval(resamples[:, 0])
    assert low < mean_rmse(draws)[0] < high
    # The first two differ by nothing but noise that is the same on the same resamples.
    assert interval(resamples[:, 0] - resamples[:, 1]) == [0.0, 0.0]
    assert interval(resamples[:, 2] - resamples[:, 0])[0] > 0


FORMULA = re.compile(r"sqrt\((?:np\.)?mean\(|mean\((?:np\.)?abs\(|\.abs\([^)]*\)\.mean\(")
ROOT = Path(__file__).parents[3]


def test_no_other_module_computes_errors():
    """RMSE and MAE once stood in nine places, each to be got right alone."""
    packages = ("simenv", "agents", "recommenders", "training", "experiments")
    found = {
        path.relative_to(ROOT).as_posix()
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if FORMULA.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"agents/fidelity/error_measures.py"}


def test_the_share_of_the_knowable_in_whole_arithmetic():
    """The baseline errs by 4 + 6, the ceiling by 1 + 3, the users by 2 + 5: (10 - 7) / (10 - 4)."""
    found = knowable_share(np.array([2.0, 5.0]), np.array([4.0, 6.0]), np.array([1.0, 3.0]))
    assert found.share == pytest.approx((10 - 7) / (10 - 4))
    # Units alone give (4 - 2) / (4 - 1) and (6 - 5) / (6 - 3); resamples hold one of them or both.
    assert found.ci95 == pytest.approx([1 / 3, 2 / 3])


def test_nothing_can_be_known_where_the_ceiling_is_no_better_than_the_baseline():
    found = knowable_share(np.array([2.0, 5.0]), np.array([4.0, 6.0]), np.array([5.0, 6.0]))
    assert np.isnan(found.share)
    assert np.isnan(found.ci95).all()


def test_who_errs_more_than_the_baseline_has_a_share_below_0():
    assert knowable_share(np.array([7.0]), np.array([6.0]), np.array([4.0])).share == -0.5


def test_brier_score_by_hand():
    """A sure right answer costs 0, a sure wrong one 1 + 1, an even guess 0.8² + 4 · 0.2²."""
    chances = np.vstack([certain(5), certain(1), np.full((1, 5), 0.2)])
    assert brier(chances, np.array([5.0, 2.0, 3.0])) == pytest.approx((0 + 2 + 0.8) / 3)


def test_ranked_probability_score_knows_that_four_is_nearer_to_five_than_one_is():
    """One wrong threshold of four costs 1/4; four wrong ones cost 1."""
    five = np.array([5.0])
    assert ranked_probability_score(certain(5), five) == 0
    assert ranked_probability_score(certain(4), five) == pytest.approx(1 / 4)
    assert ranked_probability_score(certain(1), five) == pytest.approx(1)
    even = np.full((1, 5), 0.2)
    assert ranked_probability_score(even, five) == pytest.approx((0.04 + 0.16 + 0.36 + 0.64) / 4)


def test_auc_by_hand_with_a_tie():
    """Pairs: 3 > 1, 3 = 3 (half), 2 > 1, 2 < 3."""
    scores, liked = np.array([3.0, 2.0, 1.0, 3.0]), np.array([True, True, False, False])
    assert auc(scores, liked) == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert np.isnan(auc(scores, np.ones(4, dtype=bool)))


def test_interval_of_a_mean_holds_it_and_is_none_of_nothing():
    low, high = mean_interval(np.array([0.0, 1.0, np.nan, 1.0, 0.0]))
    assert low < 0.5 < high
    assert mean_interval(np.full(3, 2.0)) == [2.0, 2.0]
    assert np.isnan(mean_interval(np.array([np.nan]))).all()


def test_ranked_probability_score_of_a_middle_star_by_hand():
    """Three came: 0, 0, 1 and 1 lie up to one, two, three and four; 0, 1/2, 3/4 and 1 were said."""
    chances = np.array([[0.0, 0.5, 0.25, 0.25, 0.0]])
    wanted = (0 + 1 / 4 + 1 / 16 + 0) / 4
    assert ranked_probability_score(chances, np.array([3.0])) == pytest.approx(wanted)


def test_the_difference_of_two_errors_is_the_ones_minus_the_others():
    """One star off against two, in every row of two people: one star less, whoever is drawn."""
    one, other, users = np.array([1.0, -1, 1]), np.array([-2.0, 2, 2]), np.array([0, 0, 1])
    assert rmse_difference_interval(one, other, users) == [-1.0, -1.0]
    assert rmse_difference_interval(other, one, users) == [1.0, 1.0]
