"""Kaplan and Meier's curve with its band, on four users."""

import numpy as np
import pytest

from recommenders.evaluation.survival import survival
from simenv.env.rollout import Rollout

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def sessions(lengths, quits, num_steps):
    """Sessions of so many slates, ended by the user or by the step limit."""
    shape = (len(lengths), num_steps, 1)
    return Rollout(
        users=np.arange(len(lengths)),
        items=np.zeros(shape, dtype=int),
        scores=np.zeros(shape),
        propensities=None,
        expected=np.ones(shape),
        ratings=np.zeros(shape),
        taken=np.zeros(shape, dtype=bool),
        rewards=np.zeros(shape[:2]),
        alive=np.arange(num_steps) < np.array(lengths)[:, None],
        quits=np.array(quits),
    )


@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.959964), (0.5, 0.674490)])
def test_censored_users_count_while_they_are_seen_and_the_band_is_greenwoods(confidence, z):
    """After 1 slate 1 of 4 leaves, after 2 one of 3; of the last two one stays to the limit."""
    found = survival(sessions([1, 2, 3, 3], [True, True, True, False], 3), confidence)
    share = np.array([3 / 4, 3 / 4 * 2 / 3, 3 / 4 * 2 / 3 * 1 / 2])
    assert found.share.tolist() == pytest.approx([1, *share])
    sums = np.cumsum([1 / (4 * 3), 1 / (3 * 2), 1 / (2 * 1)])
    error = np.sqrt(sums) / np.abs(np.log(share))
    np.testing.assert_allclose(found.low[1:], share ** np.exp(z * error), rtol=1e-5)
    np.testing.assert_allclose(found.high[1:], share ** np.exp(-z * error), rtol=1e-5)
    assert found.low[0] == found.high[0] == 1  # before the first slate nobody can have left


def test_the_default_band_holds_95_of_100():
    tape = sessions([1, 2, 3, 3], [True, True, True, False], 3)
    np.testing.assert_array_equal(survival(tape).low, survival(tape, 0.95).low)


def test_where_nobody_left_all_are_there_and_no_band_exists():
    found = survival(sessions([2, 2], [False, False], 2))
    assert found.share.tolist() == [1, 1, 1]
    assert found.low.shape == found.high.shape == (3,)
    assert np.isnan([found.low, found.high]).all()


def test_where_everybody_left_the_last_share_is_0_without_a_band():
    found = survival(sessions([1, 2], [True, True], 2))
    assert found.share.tolist() == [1, 1 / 2, 0]
    assert np.isnan([found.low[2], found.high[2]]).all()
    assert 0 < found.low[1] < 1 / 2 < found.high[1] < 1
