"""Off-policy estimates: what a policy would have earned, from the slates another one showed.

Every estimator sees a slate as k separate decisions, one a place: the reward of a place depends on
the user, the item and the place, not on the other items (the item-position model of Li et al.:
Offline evaluation of ranking policies with click models, KDD 2018). Values are rewards a place.

Letters: ``n`` slates, ``k`` places. A weight is the chance of the shown item at its place under the
policy in question over that under the policy that showed it. Estimators differ only in their
contributions; value, interval and warnings are derived in one place, ``estimate_mean``.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, Slates

RewardModel = Callable[[IntArray, IntArray], FloatArray]
"""Expected reward (n, k) of items (n, k) for users (n,); fitted on rows other than the slates."""

_LEAST_ESS = 0.05  # of all shown places; below it an estimate rests on a handful of them
_MOST_CUT = 0.1  # of the sum of weights; above it SWITCH-DR is little else than DM


class OverlapWarning(UserWarning):
    """The log says too little about the policy: an importance-weighted value is not to be trusted.

    It happens when the policy shows what the log hardly holds, first of all under deterministic
    logging.
    """


class WeightedLog(NamedTuple):
    """Logged slates as seen by the policy to be valued."""

    users: IntArray  # (n,) whose slate; slates of one user are not independent
    rewards: FloatArray  # (n, k) earned at each place
    weights: FloatArray  # (n, k) >= 0; 1 where both policies show the item equally often
    logged_model: FloatArray | None = None  # (n, k) modelled reward of the shown item
    target_model: FloatArray | None = None  # (n, k) the same of what the policy would show there


class Estimate(NamedTuple):
    """A value with its confidence interval and how much data it rests on."""

    value: float  # expected reward a place
    low: float  # NaN with a single user
    high: float
    effective_size: float  # (Σw)² / Σw², in shown places; n·k if no weights are used
    max_weight: float  # largest weight used
    notes: tuple[str, ...] = ()  # what makes it doubtful


def weigh(
    policy: Recommender,
    observation: Observation,
    slates: Slates,
    rewards: FloatArray,
    model: RewardModel | None = None,
    rng: np.random.Generator | None = None,
    num_draws: int = 32,
) -> WeightedLog:
    """Logged slates with the weights of ``policy``.

    Args:
        policy: fitted, to be valued; not changed.
        observation: of the n users when the slates were shown.
        slates: what was shown, with the propensities of the policy that showed it.
        rewards: (n, k).
        model: expected rewards, for the estimators that use one.
        rng: of the policy's draws for the model term; None = seed 0.
        num_draws: slates drawn for the model term if the policy draws; their mean is unbiased.

    Raises:
        ValueError: the slates have no propensities or some that are not in (0, 1], or the policy
            cannot say its own.
    """
    if slates.propensities is None:
        raise ValueError(
            "off-policy estimates want slates with propensities, got None; log with a policy that"
            " says them, such as Random or EpsilonGreedy"
        )
    if not ((slates.propensities > 0) & (slates.propensities <= 1)).all():
        raise ValueError(
            "logged propensities must lie in (0, 1], got"
            f" {slates.propensities.min()}..{slates.propensities.max()}"
        )
    chances = policy.propensities(observation, slates.items)
    if chances is None:
        raise ValueError(
            f"policy {policy.name} draws and cannot say its propensities, so only the environment"
            " can value it; value its deterministic form instead"
        )
    users = np.asarray(observation["user"], dtype=np.int64).reshape(-1)
    log = WeightedLog(users, np.asarray(rewards, dtype=np.float64), chances / slates.propensities)
    if model is None:
        return log
    return with_model(log, policy, observation, slates, model, rng, num_draws)


def with_model(
    log: WeightedLog,
    policy: Recommender,
    observation: Observation,
    slates: Slates,
    model: RewardModel,
    rng: np.random.Generator | None = None,
    num_draws: int = 32,
) -> WeightedLog:
    """The log with what ``model`` expects of the shown items and of the policy's own slates.

    The arguments are those of ``weigh``.
    """
    k = slates.items.shape[1]
    draws = rng or np.random.default_rng(0)
    shown = [
        model(log.users, policy.recommend(observation, k, draws).items)
        for _ in range(num_draws if policy.draws else 1)
    ]
    return log._replace(
        logged_model=model(log.users, slates.items), target_model=np.mean(shown, axis=0)
    )


def direct_method(log: WeightedLog, confidence: float = 0.95) -> Estimate:
    """DM: the model's reward of what the policy would show. As biased as the model; no weights."""
    _, target = _model_terms(log, "DM")
    return estimate_mean(log.users, target, confidence, None)


def inverse_propensity(log: WeightedLog, confidence: float = 0.95) -> Estimate:
    """IPS: mean of weight · reward. Unbiased where the log covers the policy; wide.

    Horvitz, Thompson: A generalization of sampling without replacement (JASA 1952).
    """
    return estimate_mean(log.users, log.weights * log.rewards, confidence, log.weights)


def self_normalised(log: WeightedLog, confidence: float = 0.95) -> Estimate:
    """SNIPS: Σ weight · reward / Σ weight. Slightly biased, within the rewards' range, narrower.

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


def doubly_robust(log: WeightedLog, confidence: float = 0.95) -> Estimate:
    """DR: the model's reward, corrected by weighted residuals. Unbiased if weights or model are.

    Dudík, Langford, Li: Doubly robust policy evaluation and learning (ICML 2011).
    """
    return switch_doubly_robust(log, np.inf, confidence)


def switch_doubly_robust(
    log: WeightedLog, max_weight: float = 10.0, confidence: float = 0.95
) -> Estimate:
    """SWITCH-DR: DR that trusts the model alone where a weight exceeds ``max_weight``.

    Between DM (0) and DR (infinity). Wang, Agarwal, Dudík: Optimal and adaptive off-policy
    evaluation in contextual bandits (ICML 2017).
    """
    logged, target = _model_terms(log, "DR")
    weights = np.where(log.weights <= max_weight, log.weights, 0.0)
    return estimate_mean(
        log.users, target + weights * (log.rewards - logged), confidence, weights, log.weights
    )


def estimate_all(log: WeightedLog, confidence: float = 0.95) -> dict[str, Estimate]:
    """Every estimator the log allows, by its short name; those with a model only if it has one."""
    found = {"IPS": inverse_propensity(log, confidence), "SNIPS": self_normalised(log, confidence)}
    if log.target_model is not None:
        found |= {
            "DM": direct_method(log, confidence),
            "DR": doubly_robust(log, confidence),
            "SWITCH-DR": switch_doubly_robust(log, confidence=confidence),
        }
    return found


def item_mean_model(
    items: IntArray,
    rewards: FloatArray,
    num_items: int,
    prior_rows: float = 5.0,
    importance: FloatArray | None = None,
) -> RewardModel:
    """The simplest reward model: each item's mean, shrunk to the mean of all by ``prior_rows``.

    Args:
        items: shown items of any shape, from slates other than those to be valued.
        rewards: their rewards, of the same shape.
        num_items: of the catalogue.
        prior_rows: imagined rows of the mean item; > 0.
        importance: how much each row counts, of the same shape, >= 0 and of any scale; None = all
            the same.
    """
    counted = np.ones(rewards.shape) if importance is None else importance
    total = counted.sum()
    # Where nothing counts, nothing is known but the mean of all.
    counted = counted * (counted.size / total) if total > 0 else np.ones(rewards.shape)
    mean = float((counted * rewards).sum() / counted.sum())
    counts = np.bincount(items.ravel(), weights=counted.ravel(), minlength=num_items)
    sums = np.bincount(items.ravel(), weights=(counted * rewards).ravel(), minlength=num_items)
    means = (sums + prior_rows * mean) / (counts + prior_rows)
    return lambda users, shown: np.asarray(means[shown])


def _model_terms(log: WeightedLog, name: str) -> tuple[FloatArray, FloatArray]:
    if log.logged_model is None or log.target_model is None:
        raise ValueError(f"{name} wants a reward model; call weigh(..., model=...)")
    return log.logged_model, log.target_model


def estimate_mean(
    users: IntArray,
    contributions: FloatArray,
    confidence: float,
    weights: FloatArray | None,
    all_weights: FloatArray | None = None,
) -> Estimate:
    """Mean of the contributions (n, k) with a Student-t interval over users.

    The error is that of a mean of clusters: a user's slates share the user's taste.

    Args:
        users: (n,) the cluster of each slate.
        contributions: (n, k) whose mean is the value.
        confidence: in (0, 1).
        weights: (n, k) in use, for the effective size; None = no weights.
        all_weights: (n, k) before any was cut, for the overlap; None = as ``weights``.
    """
    from scipy.stats import t  # heavy, and only this needs it

    value = float(contributions.mean())
    clusters, owner = np.unique(users, return_inverse=True)
    num = len(clusters)
    half = np.nan
    if num > 1:
        sums = np.bincount(owner, weights=(contributions - value).mean(axis=1))
        error = np.sqrt((sums**2).sum() * num / (num - 1)) / len(users)
        half = float(t.ppf(0.5 + confidence / 2, num - 1) * error)
    if weights is None:
        return Estimate(value, value - half, value + half, float(contributions.size), 0.0)
    size = effective_size(weights)
    notes = _overlap_notes(users, weights if all_weights is None else all_weights, weights, size)
    for note in notes:
        warnings.warn(note, OverlapWarning, stacklevel=3)
    return Estimate(value, value - half, value + half, size, float(weights.max()), notes)


def effective_size(weights: FloatArray) -> float:
    """Kish's effective sample size (Σw)² / Σw²: how many equal weights say as much; 0 if all are 0.

    >>> effective_size(np.array([2.0, 2.0, 0.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _overlap_notes(
    users: IntArray, weights: FloatArray, used: FloatArray, size: float
) -> tuple[str, ...]:
    """What the weights say against themselves: they should average 1 and be spread widely.

    Those that are ``used`` should be nearly all.
    """
    notes = []
    mean, error = weights.mean(), weights.std() / np.sqrt(len(users))
    # Items the log never shows have no weight that could tell, but the others then fall short.
    if abs(mean - 1) > max(4 * error, 0.02):
        notes.append(
            f"weights average {mean:.2f} instead of 1: the log does not cover what the policy"
            " shows; log with more exploration"
        )
    cut = 1 - used.sum() / weights.sum() if weights.sum() > 0 else 0.0
    if cut > _MOST_CUT:
        notes.append(
            f"{cut:.0%} of what the policy shows is left to the reward model, whose error the"
            " interval does not hold; raise max_weight or log with a policy closer to this one"
        )
    if size < _LEAST_ESS * weights.size:
        notes.append(
            f"the estimate rests on {size:.1f} of {weights.size} shown places; log more slates or"
            " with a policy closer to this one"
        )
    return tuple(notes)
