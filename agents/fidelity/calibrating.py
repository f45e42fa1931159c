"""Fits what makes answers mean what they say, on a validation slice that is measured nowhere else.

Temperature scaling (Guo et al., On Calibration of Modern Neural Networks, 2017), one a persona, and
isotonic regression star by star behind it (Zadrozny and Elkan, Transforming Classifier Scores into
Accurate Multiclass Probability Estimates, 2002). Arrays in, a ``Calibration`` out.
"""

import numpy as np

from agents.calibration import COLDEST, HOTTEST, Calibration
from agents.fidelity.discretised import LEAST
from agents.fidelity.error_measures import log_loss
from simenv.events import NUM_STARS, FloatArray, IntArray

KINDS = ("none", "temperature", "isotonic")
_ENOUGH = 200  # rows of a persona that has a temperature of its own
_LEAST_GAP = 1e-6  # between two chances of a map


def fitted_calibration(
    chances: FloatArray, ratings: FloatArray, clusters: IntArray, kind: str = "temperature"
) -> Calibration:
    """The calibration with which ratings (r,) are likeliest.

    Args:
        chances: (r, 5) of the validation slice, as the model says them; no NaN.
        ratings: (r,) whole stars that were given.
        clusters: (r,) persona of each row; one with fewer than 200 rows has everybody's.
        kind: ``none`` changes nothing; ``isotonic`` comes behind the temperatures.

    Raises:
        ValueError: no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"calibration wanted one of {', '.join(KINDS)}, got {kind!r}")
    if kind == "none" or not len(ratings):
        return Calibration()
    found = _heated(chances, ratings, clusters)
    return found if kind == "temperature" else _mapped(found, chances, ratings, clusters)


def _heated(chances: FloatArray, ratings: FloatArray, clusters: IntArray) -> Calibration:
    """The temperatures alone."""
    own = {
        int(cluster): _temperature(chances[clusters == cluster], ratings[clusters == cluster])
        for cluster in np.unique(clusters)
        if (clusters == cluster).sum() >= _ENOUGH
    }
    return Calibration(_temperature(chances, ratings), own)


def _mapped(
    heated: Calibration, chances: FloatArray, ratings: FloatArray, clusters: IntArray
) -> Calibration:
    """The same with a map of every star behind it."""
    warm = heated.applied(chances, clusters)
    maps = tuple(_map(warm[:, i], ratings.round() == i + 1) for i in range(NUM_STARS))
    return Calibration(heated.temperature, heated.of_personas, maps)


def _temperature(chances: FloatArray, ratings: FloatArray) -> float:
    from scipy.optimize import minimize_scalar

    nobody = np.zeros(len(ratings), dtype=np.int64)

    def loss(logarithm: float) -> float:
        found = Calibration(float(np.exp(logarithm))).applied(chances, nobody)
        return log_loss(np.log(np.maximum(found, LEAST)), ratings)

    ends = float(np.log(COLDEST)) + 1e-9, float(np.log(HOTTEST)) - 1e-9
    return float(np.exp(minimize_scalar(loss, bounds=ends, method="bounded").x))


def _map(said: FloatArray, came: FloatArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What was said, rising, and how often it came true."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(said, came.astype(np.float64))
    xs, ys = fitted.X_thresholds_, fitted.y_thresholds_
    kept = np.concatenate([[True], np.diff(xs) > _LEAST_GAP])
    return tuple(np.clip(xs[kept], 0, 1).tolist()), tuple(ys[kept].tolist())
