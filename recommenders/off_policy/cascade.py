"""Weights where a place's reward depends on what stands above it, not below.

``weighing.weigh`` takes places as independent. Here the weight of a place is that of the slate down
to it, so the same estimators are unbiased when users read from the top. McInerney, Brost,
Chandar, Mehrotra, Carterette: Counterfactual evaluation of slate recommendations with sequential
reward interactions (KDD 2020); Kiyohara, Saito, Matsuhiro, Narita, Shimizu, Yamamoto: Doubly robust
off-policy evaluation for ranking policies under the cascade behavior model (WSDM 2022).
"""

from recommenders.base import Recommender
from recommenders.off_policy.reward_models import RewardModel
from recommenders.off_policy.weighing import (
    DRAWS,
    Draws,
    LoggedSlates,
    WeightedLog,
    said,
    with_model,
)


def weigh_cascade(
    policy: Recommender,
    log: LoggedSlates,
    model: RewardModel | None = None,
    draws: Draws = DRAWS,
) -> WeightedLog:
    """The log with the cascade weights of ``policy``: they grow from place to place.

    Args:
        policy: fitted, to be valued; not changed.
        log: with ``prefix_chances``, as ``SimulatedLog`` records them.
        model: expected reward of a user and an item, wherever it stands; a model that does not
            know the items above is a worse one, and DR stays unbiased with it.
        draws: for the model term if the policy draws.

    Raises:
        ValueError: the log has no prefix chances, or the policy cannot say its own.
    """
    if log.prefix_chances is None:
        raise ValueError(
            "cascade estimates want the prefix chances of the logging policy, got None; log with"
            " one that says prefix_propensities, such as Random or EpsilonGreedy"
        )
    own = said(policy, policy.prefix_propensities(log.observation, log.slates.items), log)
    found = WeightedLog(log.users, log.place_rewards(), own / log.prefix_chances)
    return found if model is None else with_model(found, policy, log, model, draws)
