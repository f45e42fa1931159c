"""The calibration that made answers too sure is found, and what it is fitted on it improves."""

import numpy as np
import pytest

from agents.calibration import Calibration
from agents.fidelity.calibrating import fitted_calibration
from agents.fidelity.error_measures import calibration_error, log_loss

RNG = np.random.default_rng(0)
TRUE = RNG.dirichlet(np.full(5, 1.0), 6000)
RATINGS = 1.0 + (np.cumsum(TRUE, axis=1)[:, :-1] < RNG.random((6000, 1))).sum(axis=1)
NOBODY = np.zeros(6000, dtype=np.int64)


def sharpened(power):
    raised = TRUE**power
    return raised / raised.sum(axis=1, keepdims=True)


def test_answers_that_were_made_too_sure_get_the_temperature_that_undoes_it():
    found = fitted_calibration(sharpened(2.0), RATINGS, NOBODY)
    assert found.temperature == pytest.approx(2.0, abs=0.1)
    assert found.of_personas == {0: pytest.approx(found.temperature)}


def test_every_persona_with_enough_rows_has_its_own():
    clusters = np.where(np.arange(6000) < 3000, 1, 2)
    clusters[-50:] = 3
    chances = np.where(clusters[:, None] == 1, sharpened(2.0), TRUE)
    found = fitted_calibration(chances, RATINGS, clusters)
    assert found.of_personas[1] == pytest.approx(2.0, abs=0.15)
    assert found.of_personas[2] == pytest.approx(1.0, abs=0.1)
    assert 3 not in found.of_personas


def test_isotonic_maps_mend_what_no_temperature_can():
    """Whoever gave one star is said to give five half of the time."""
    said = TRUE.copy()
    said[:, 4], said[:, 0] = TRUE[:, 4] + TRUE[:, 0] / 2, TRUE[:, 0] / 2
    half = np.arange(6000) < 3000
    errors = {}
    for kind in ("temperature", "isotonic"):
        found = fitted_calibration(said[half], RATINGS[half], NOBODY[half], kind)
        errors[kind] = calibration_error(found.applied(said, NOBODY)[~half], RATINGS[~half])
    assert (
        errors["isotonic"] < errors["temperature"] < calibration_error(said[~half], RATINGS[~half])
    )


def test_none_and_no_rows_change_nothing():
    assert fitted_calibration(TRUE, RATINGS, NOBODY, "none") == Calibration()
    assert fitted_calibration(TRUE[:0], RATINGS[:0], NOBODY[:0]) == Calibration()


def test_fitting_never_raises_the_loss_on_its_own_rows():
    found = fitted_calibration(sharpened(3.0), RATINGS, NOBODY).applied(sharpened(3.0), NOBODY)
    assert log_loss(np.log(found), RATINGS) < log_loss(np.log(sharpened(3.0) + 1e-9), RATINGS)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="wanted one of none, temperature, isotonic, got 'platt'"):
        fitted_calibration(TRUE, RATINGS, NOBODY, "platt")
