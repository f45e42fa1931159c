"""Predicted means as distributions over five stars: Gaussian noise around them, cut into stars.

A predictor without a language model says one number; so that its log loss can stand beside that of
people who say chances, the noise is given the width that suits it best. Arrays in, arrays out.
"""

import numpy as np

from agents.fidelity.error_measures import log_loss
from simenv.events import NUM_STARS, FloatArray

_NARROWEST, _WIDEST = 0.2, 3.0  # stars
LEAST = 1e-9  # probability in a log loss, so that one sure error does not make it infinite


def gaussian_chances(means: FloatArray, sd: float) -> FloatArray:
    """(r, 5) chances that means (r,) with Gaussian noise of ``sd`` stars round to each star.

    What lies below one star counts as one, what lies above five as five.
    """
    from scipy.special import ndtr

    edges = np.arange(1, NUM_STARS) + 0.5
    below = ndtr((edges - np.asarray(means, dtype=np.float64)[:, None]) / sd)
    ends = np.zeros((len(below), 1)), below, np.ones((len(below), 1))
    return np.diff(np.hstack(ends), axis=1)


def fitted_sd(means: FloatArray, ratings: FloatArray) -> float:
    """The noise, in [0.2, 3] stars, with which ratings (r,) are likeliest given means (r,).

    Give rows that the means were not learnt from. One star where there are none.
    """
    from scipy.optimize import minimize_scalar

    if not len(ratings):
        return 1.0

    def loss(sd: float) -> float:
        return log_loss(np.log(np.maximum(gaussian_chances(means, sd), LEAST)), ratings)

    found = minimize_scalar(loss, bounds=(_NARROWEST, _WIDEST), method="bounded")
    return float(found.x)
