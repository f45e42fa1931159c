"""How many users are still there after so many slates, where the step limit censors sessions.

A user whose session met the step limit has not left: it is known only that leaving would have come
later. So the curve is that of Kaplan and Meier, ``S(t) = Π (1 - left_s / there_s)`` over the slates
s ≤ t: the share of those who saw slate s and left after it. Kaplan, Meier: Nonparametric estimation
from incomplete observations (JASA 1958).
"""

import warnings
from typing import NamedTuple

import numpy as np

from recommenders.evaluation.statistics import CONFIDENCE
from simenv.env.rollout import Rollout
from simenv.events import FloatArray


class Survival(NamedTuple):
    """Share of users still there after 0, 1, …, T slates, with a pointwise band; (T + 1,) each."""

    share: FloatArray
    low: FloatArray  # NaN where no band exists (nobody has left yet, or everybody)
    high: FloatArray


def survival(played: Rollout, confidence: float = CONFIDENCE) -> Survival:
    """The survival curve of the sessions, with the exponential (log-log) Greenwood band.

    Kalbfleisch, Prentice: The statistical analysis of failure time data (1980), section 1.4.
    """
    from scipy.stats import CensoredData, ecdf  # heavy, and only this needs it

    after = np.arange(played.alive.shape[1] + 1)
    if not played.quits.any():
        everybody = np.ones(len(after))
        return Survival(everybody, np.full(len(after), np.nan), np.full(len(after), np.nan))
    curve = ecdf(CensoredData.right_censored(played.lengths(), ~played.quits)).sf
    with warnings.catch_warnings():  # where everybody has left the band does not exist
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = curve.confidence_interval(confidence, method="log-log")
    return Survival(*(part.evaluate(after) for part in (curve, band.low, band.high)))
