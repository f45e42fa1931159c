"""Errors of the same people before and after, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.traits import rated
from experiments.traits.rated import Answers, _asked, _compared, _figures
from simenv.events import InteractionLog

CHANCES = np.array([[0, 0, 0, 0, 1.0], [0.5, 0.5, 0, 0, 0], [0, 0, 1.0, 0, 0]])  # 5, 1.5 and 3
LOG = InteractionLog(
    np.array([0, 0, 1]), np.arange(3), np.array([4.0, 2.0, 1.0]), np.arange(3.0), 2, 3
)
ERRORS = np.array([1.0, -0.5, 2.0])


def test_an_error_is_what_is_said_above_what_was_given(monkeypatch):
    closed = []
    engine = SimpleNamespace(close=lambda: closed.append(1))
    monkeypatch.setattr(rated, "persona_users", lambda people: SimpleNamespace(engine=engine))
    monkeypatch.setattr(rated, "rate", lambda users, log: CHANCES)
    np.testing.assert_array_equal(_asked(None, LOG).errors, ERRORS)
    assert closed == [1]


def test_figures_of_three_ratings():
    found = _figures([Answers(CHANCES, ERRORS)], [LOG])
    assert found["rmse"] == pytest.approx(((1 + 0.25 + 4) / 3) ** 0.5, abs=1e-6)
    assert found["bias"] == pytest.approx((1 - 0.5 + 2) / 3, abs=1e-6)
    assert found["low_stars"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["low_stars_given"] == pytest.approx(2 / 3, abs=1e-6)
    # two sure forecasts are wrong, two stars that were given were held impossible, of 15 pairs
    assert found["ece"] == pytest.approx((2 + 2) / 15, abs=1e-6)


def test_a_change_is_relative_and_worse_is_above_zero():
    before, after = Answers(CHANCES, np.array([1.0, 1.0, 2.0])), Answers(CHANCES, 2 * np.ones(3))
    found = _compared([before], [after], [LOG])
    assert found["rmse_change"] == pytest.approx(2 / 2**0.5 - 1, abs=1e-6)
    low, high = found["rmse_difference_ci95"]
    assert (low, high) == (0.0, 1.0), "one of two people is a star worse, the other as before"


def test_people_of_two_seeds_are_others_though_their_numbers_are_the_same():
    one = LOG.take(np.array([0]))
    before = [Answers(CHANCES[:1], np.array([1.0]))] * 2
    after = [Answers(CHANCES[:1], np.array([end])) for end in (1.0, 3.0)]
    low, high = _compared(before, after, [one, one])["rmse_difference_ci95"]
    assert (low, high) == (0.0, 2.0)
