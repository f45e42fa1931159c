"""Off-policy estimates where a place's reward depends on what stands above it, not below.

``off_policy`` takes places as independent. Here the weight of a place is that of the whole slate
down to it, so the same estimators are unbiased when users read from the top. McInerney, Brost,
Chandar, Mehrotra, Carterette: Counterfactual evaluation of slate recommendations with sequential
reward interactions (KDD 2020); Kiyohara, Saito, Matsuhiro, Narita, Shimizu, Yamamoto: Doubly robust
off-policy evaluation for ranking policies under the cascade behavior model (WSDM 2022).
"""

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.off_policy.estimators import (
    Estimate,
    RewardModel,
    WeightedLog,
    doubly_robust,
    inverse_propensity,
    self_normalised,
    with_model,
)
from simenv.events import FloatArray, Slates


def weigh_cascade(
    policy: Recommender,
    observation: Observation,
    slates: Slates,
    rewards: FloatArray,
    prefix_chances: FloatArray | None,
    model: RewardModel | None = None,
    rng: np.random.Generator | None = None,
    num_draws: int = 32,
) -> WeightedLog:
    """Logged slates with the cascade weights of ``policy``: they grow from place to place.

    Args:
        policy: fitted, to be valued; not changed.
        observation: of the n users when the slates were shown.
        slates: what was shown.
        rewards: (n, k).
        prefix_chances: (n, k) in (0, 1] of the logging policy: ``prefix_propensities`` when it
            showed the slates, as ``SimulatedLog`` records them.
        model: expected reward of a user and an item, wherever it stands; a model that does not
            know the items above is a worse one, and DR stays unbiased with it.
        rng: of the policy's draws for the model term; None = seed 0.
        num_draws: slates drawn for the model term if the policy draws.

    Raises:
        ValueError: no prefix chances or some that are not in (0, 1], or the policy cannot say
            its own.
    """
    if prefix_chances is None:
        raise ValueError(
            "cascade estimates want the prefix chances of the logging policy, got None; log with"
            " one that says prefix_propensities, such as Random or EpsilonGreedy"
        )
    if not ((prefix_chances > 0) & (prefix_chances <= 1)).all():
        raise ValueError(
            "logged prefix chances must lie in (0, 1], got"
            f" {prefix_chances.min()}..{prefix_chances.max()}"
        )
    chances = policy.prefix_propensities(observation, slates.items)
    if chances is None:
        raise ValueError(
            f"policy {policy.name} draws and cannot say its prefix propensities; value it by"
            " place with off_policy, or in the environment"
        )
    users = np.asarray(observation["user"], dtype=np.int64).reshape(-1)
    log = WeightedLog(users, np.asarray(rewards, dtype=np.float64), chances / prefix_chances)
    if model is None:
        return log
    return with_model(log, policy, observation, slates, model, rng, num_draws)


def estimate_cascade(log: WeightedLog, confidence: float = 0.95) -> dict[str, Estimate]:
    """Every estimator that a log of ``weigh_cascade`` allows, by its short name.

    Cascade-DR needs the model and is the estimate to prefer; the weights alone are wide.
    """
    found = {
        "cascade-IPS": inverse_propensity(log, confidence),
        "cascade-SNIPS": self_normalised(log, confidence),
    }
    if log.target_model is not None:
        found["cascade-DR"] = doubly_robust(log, confidence)
    return found
