"""Errors of many predictors and their intervals, on numbers one can hold in the head."""

import numpy as np
import pytest

from agents.fidelity.errors import UserSums, interval, mae, resampled_rmse, rmse, user_sums

# User 0 rated twice, user 7 once; the second predictor is right but for one star.
PREDICTED = np.array([[3.0, 5.0, 1.0], [4.0, 2.0, 5.0]])
RATINGS, USERS = np.array([4.0, 2.0, 4.0]), np.array([0, 0, 7])


def test_every_user_adds_squares_and_absolute_errors_of_their_own_rows():
    sums = user_sums(PREDICTED, RATINGS, USERS)
    assert sums.squares.tolist() == [[1 + 9, 9], [0, 1]]
    assert sums.absolutes.tolist() == [[1 + 3, 3], [0, 1]]
    assert sums.rows.tolist() == [2, 1]
    assert sums.rows.dtype == np.float64


def test_errors_are_means_over_draws_of_those_of_all_rows():
    first = user_sums(PREDICTED, RATINGS, USERS)
    second = UserSums(np.array([[4.0], [0.0]]), np.array([[2.0], [0.0]]), np.array([1.0]))
    assert rmse([first]).tolist() == [np.sqrt(19 / 3), np.sqrt(1 / 3)]
    assert mae([first]).tolist() == [7 / 3, 1 / 3]
    assert rmse([first, second]) == pytest.approx([(np.sqrt(19 / 3) + 2) / 2, np.sqrt(1 / 3) / 2])
    assert mae([first, second]) == pytest.approx([(7 / 3 + 2) / 2, 1 / 3 / 2])


def test_an_interval_is_the_middle_95_of_100():
    assert interval(np.arange(1001.0)) == [25.0, 975.0]
    assert interval(np.arange(1001.0)[::-1] / 1000) == [0.025, 0.975]


def test_a_resample_is_whole_users_in_whole_draws():
    """By hand: users by a multinomial for each draw in turn, then draws with replacement."""
    draws = [
        user_sums(PREDICTED, RATINGS, USERS),
        user_sums(PREDICTED + 1, RATINGS, USERS),
        UserSums(np.ones((2, 3)), np.ones((2, 3)), np.array([1.0, 2.0, 3.0])),
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
    assert found.shape == (40, 2)
    np.testing.assert_allclose(found, expected)


def test_the_interval_is_as_wide_as_the_errors_of_users_say():
    """400 users, half of them off by 1 and half by 0: the mean square is 0.5 ± 1.96 · 0.5 / 20."""
    off = np.arange(400) % 2.0
    draw = user_sums(off[None] + 3, np.full(400, 3.0), np.arange(400))
    low, high = interval(resampled_rmse([draw], np.random.default_rng(0), 4000)[:, 0])
    assert low == pytest.approx(np.sqrt(0.5 - 1.96 * 0.5 / 20), abs=0.004)
    assert high == pytest.approx(np.sqrt(0.5 + 1.96 * 0.5 / 20), abs=0.004)
