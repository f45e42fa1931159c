"""What a calibration does to chances, by hand."""

import numpy as np
import pytest

from agents.calibration import Calibration

CHANCES = np.array([[0.1, 0.2, 0.4, 0.2, 0.1], [0.0, 0.0, 0.0, 0.0, 1.0]])
CLUSTERS = np.array([0, 1])


def test_the_plain_one_changes_nothing():
    np.testing.assert_allclose(Calibration().applied(CHANCES, CLUSTERS), CHANCES, atol=1e-9)


def test_a_temperature_of_two_takes_the_square_root():
    roots = np.sqrt(CHANCES[0])
    found = Calibration(2.0).applied(CHANCES, CLUSTERS)
    np.testing.assert_allclose(found[0], roots / roots.sum(), atol=1e-9)


def test_a_persona_may_have_a_temperature_of_its_own():
    found = Calibration(1.0, {0: 0.5}).applied(CHANCES[[0, 0]], CLUSTERS)
    squares = CHANCES[0] ** 2
    np.testing.assert_allclose(found[0], squares / squares.sum(), atol=1e-9)
    np.testing.assert_allclose(found[1], CHANCES[0], atol=1e-9)


def test_maps_are_straight_lines_between_their_knots_and_chances_still_sum_to_one():
    halving = ((0.0, 1.0), (0.0, 0.5))
    same = ((0.0, 1.0), (0.0, 1.0))
    found = Calibration(maps=(same, same, halving, same, same)).applied(CHANCES, CLUSTERS)
    wanted = np.array([0.1, 0.2, 0.2, 0.2, 0.1])
    np.testing.assert_allclose(found[0], wanted / wanted.sum(), atol=1e-6)


def test_an_answer_that_failed_stays_one():
    found = Calibration(2.0).applied(np.full((1, 5), np.nan), np.array([0]))
    assert np.isnan(found).all()


@pytest.mark.parametrize("heat", [0.0, 21.0, float("nan")])
def test_a_temperature_that_cannot_be_is_refused(heat):
    with pytest.raises(
        ValueError, match=r"wanted temperatures in \[0.05, 20.0\], got .*fit it anew"
    ):
        Calibration(1.0, {0: heat})


def test_a_map_that_falls_or_is_missing_is_refused():
    good, falling = ((0.0, 1.0), (0.0, 1.0)), ((0.0, 1.0), (0.5, 0.4))
    for maps in ((good,) * 4, (*(good,) * 4, falling), (*(good,) * 4, ((0.5, 0.5), (0.1, 0.2)))):
        with pytest.raises(ValueError, match=r"wanted 5 maps of chances that rise within \[0, 1\]"):
            Calibration(maps=maps)
