"""Off-policy estimators: what a policy would have earned, from the slates another one showed.

``ESTIMATORS`` lists them all. An estimator is a formula on a weighted log and the way in which the
log is weighed for it; to add one, write its formula here (or its weights in a file of their own)
and add a row. Values are rewards a place.

By place, a slate is k separate decisions: the reward of a place depends on the user, the item and
the place, not on the other items (the item-position model of Li et al.: Offline evaluation of
ranking policies with click models, KDD 2018). Letters: ``n`` slates, ``k`` places.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from recommenders.base import Recommender
from recommenders.evaluation.statistics import CONFIDENCE
from recommenders.off_policy.cascade import weigh_cascade
from recommenders.off_policy.intervals import Estimate, estimate_mean
from recommenders.off_policy.mrdr import weigh_more_robust
from recommenders.off_policy.pseudo_inverse import weigh_slates
from recommenders.off_policy.reward_models import RewardModel
from recommenders.off_policy.weighing import DRAWS, Draws, LoggedSlates, Weigh, WeightedLog, weigh
from simenv.events import FloatArray
from simenv.ranges import check_number

MAX_WEIGHT = 10.0  # beyond it SWITCH-DR trusts the model


def direct_method(log: WeightedLog, confidence: float = CONFIDENCE) -> Estimate:
    """DM: the model's reward of what the policy would show. As biased as the model; no weights."""
    _, target = _model_terms(log, "DM")
    return estimate_mean(log.users, target, confidence, None)


def inverse_propensity(log: WeightedLog, confidence: float = CONFIDENCE) -> Estimate:
    """IPS: mean of weight · reward. Unbiased where the log covers the policy; wide.

    Horvitz, Thompson: A generalization of sampling without replacement (JASA 1952).
    """
    return estimate_mean(log.users, log.weights * log.rewards, confidence, log.weights)


def self_normalised(log: WeightedLog, confidence: float = CONFIDENCE) -> Estimate:
    """SNIPS: Σ weight · reward / Σ weight. Slightly biased, within the rewards' range, narrower.

    NaN where all weights are 0.
    Swaminathan, Joachims: The self-normalized estimator for counterfactual learning (NeurIPS 2015).
    """
    mean_weight = log.weights.mean()
    if mean_weight == 0:
        value, centred = np.nan, np.full(log.rewards.shape, np.nan)
    else:
        value = float((log.weights * log.rewards).sum() / log.weights.sum())
        # The ratio's linear part: its mean is the value, its spread the value's error.
        centred = value + log.weights * (log.rewards - value) / mean_weight
    return estimate_mean(log.users, centred, confidence, log.weights)


def doubly_robust(log: WeightedLog, confidence: float = CONFIDENCE) -> Estimate:
    """DR: the model's reward, corrected by weighted residuals. Unbiased if weights or model are.

    Dudík, Langford, Li: Doubly robust policy evaluation and learning (ICML 2011).
    """
    return switch_doubly_robust(log, confidence, np.inf)


def switch_doubly_robust(
    log: WeightedLog, confidence: float = CONFIDENCE, max_weight: float = MAX_WEIGHT
) -> Estimate:
    """SWITCH-DR: DR that trusts the model alone where a weight exceeds ``max_weight``.

    Between DM (0) and DR (infinity). Wang, Agarwal, Dudík: Optimal and adaptive off-policy
    evaluation in contextual bandits (ICML 2017).
    """
    if max_weight != np.inf:
        check_number("SWITCH-DR", "max_weight", max_weight, "[0, inf)", "0 is DM, infinity is DR")
    logged, target = _model_terms(log, "DR")
    weights = np.where(log.weights <= max_weight, log.weights, 0.0)
    return estimate_mean(
        log.users, target + weights * (log.rewards - logged), confidence, weights, log.weights
    )


class Estimator(NamedTuple):
    """One row of the table."""

    formula: Callable[[WeightedLog, float], Estimate]  # of a weighted log and a confidence
    weigh: Weigh  # how the log is weighed for it
    needs: tuple[str, ...]  # of MODEL, PREFIXES, UNIFORM, beyond propensities
    source: str


MODEL, PREFIXES, UNIFORM = "a reward model", "prefix chances", "uniform slates"

ESTIMATORS: dict[str, Estimator] = {
    "IPS": Estimator(inverse_propensity, weigh, (), "Horvitz, Thompson 1952"),
    "SNIPS": Estimator(self_normalised, weigh, (), "Swaminathan, Joachims 2015"),
    "DM": Estimator(direct_method, weigh, (MODEL,), "Dudík, Langford, Li 2011"),
    "DR": Estimator(doubly_robust, weigh, (MODEL,), "Dudík, Langford, Li 2011"),
    "SWITCH-DR": Estimator(switch_doubly_robust, weigh, (MODEL,), "Wang, Agarwal, Dudík 2017"),
    "MRDR": Estimator(doubly_robust, weigh_more_robust, (), "Farajtabar, Chow, Ghavamzadeh 2018"),
    "cascade-IPS": Estimator(
        inverse_propensity, weigh_cascade, (PREFIXES,), "McInerney et al. 2020"
    ),
    "cascade-SNIPS": Estimator(
        self_normalised, weigh_cascade, (PREFIXES,), "McInerney et al. 2020"
    ),
    "cascade-DR": Estimator(
        doubly_robust, weigh_cascade, (PREFIXES, MODEL), "Kiyohara et al. 2022"
    ),
    "PI": Estimator(inverse_propensity, weigh_slates, (UNIFORM,), "Swaminathan et al. 2017"),
}

BY_PLACE = tuple(name for name, row in ESTIMATORS.items() if row.weigh is weigh)
"""The estimators of a log of ``weigh``, which stands for any log with weights by place."""


def estimate_weighted(
    log: WeightedLog, names: Iterable[str] = BY_PLACE, confidence: float = CONFIDENCE
) -> dict[str, Estimate]:
    """The formulas ``names`` on a log that is weighed already.

    Raises:
        ValueError: an unknown name, or one that needs a reward model and the log has none.
    """
    return {name: _row(name).formula(log, confidence) for name in names}


def estimate_policy(
    policy: Recommender,
    log: LoggedSlates,
    names: Iterable[str] = tuple(ESTIMATORS),
    model: RewardModel | None = None,
    draws: Draws = DRAWS,
    confidence: float = CONFIDENCE,
) -> dict[str, Estimate]:
    """The value of a fitted policy by the estimators ``names``; neither policy nor log is changed.

    Raises:
        ValueError: an unknown name, or the log or the policy lacks what an estimator needs.
    """
    weighed: dict[Weigh, WeightedLog] = {}  # each way once, for all estimators that share it
    found = {}
    for name in names:
        row = _row(name)
        if row.weigh not in weighed:
            weighed[row.weigh] = row.weigh(policy, log, model, draws)
        found[name] = row.formula(weighed[row.weigh], confidence)
    return found


def _row(name: str) -> Estimator:
    if name not in ESTIMATORS:
        raise ValueError(f"no estimator {name!r}; ESTIMATORS holds {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]


def _model_terms(log: WeightedLog, name: str) -> tuple[FloatArray, FloatArray]:
    if log.logged_model is None or log.target_model is None:
        raise ValueError(f"{name} wants a reward model; call weigh(..., model=...)")
    return log.logged_model, log.target_model
