"""MRDR: doubly robust with the reward model that makes the estimate's variance small.

The estimator is that of ``estimators.doubly_robust``; here is the model, item means, that goes into
the log.
"""

from recommenders.base import Recommender
from recommenders.off_policy.reward_models import RewardModel, cross_fitted_means
from recommenders.off_policy.weighing import (
    DRAWS,
    Draws,
    LoggedSlates,
    WeightedLog,
    weigh,
    with_model,
)


def weigh_more_robust(
    policy: Recommender,
    log: LoggedSlates,
    model: RewardModel | None = None,
    draws: Draws = DRAWS,
) -> WeightedLog:
    """The log with weights by place and item means fitted where residuals would hurt most.

    A logged row counts ``weight² · (1 - logged chance)``: for a policy that does not draw this is
    the published criterion, for one that does it leaves out how items of one place interact.
    The model of one half of the users is learnt from the other half.
    Farajtabar, Chow, Ghavamzadeh: More robust doubly robust off-policy evaluation (ICML 2018).

    Args:
        policy: fitted, to be valued; not changed.
        log: with propensities.
        model: not used; MRDR fits its own.
        draws: for the model term if the policy draws.

    Raises:
        ValueError: see ``weigh``.
    """
    found = weigh(policy, log)
    assert log.slates.propensities is not None  # ``weigh`` has checked
    importance = found.weights**2 * (1 - log.slates.propensities)
    own = cross_fitted_means(
        found.users, log.slates.items, found.rewards, policy.log.num_items, importance
    )
    return with_model(found, policy, log, own, draws)
