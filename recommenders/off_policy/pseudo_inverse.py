"""Weights for rewards of whole slates, logged by uniform slates.

``weighing.weigh`` needs the reward of every place. Here only that of the slate is known (the user
stayed, the mean rating) and it is taken to be a sum of unknown terms, one for each item at each
place. Swaminathan, Krishnamurthy, Agarwal, Dudík, Langford, Jose, Zitouni: Off-policy evaluation
for slate recommendation (NeurIPS 2017).

Letters: ``n`` slates, ``k`` places, ``m`` items unseen by a user.
"""

import numpy as np

from recommenders.base import Recommender
from recommenders.off_policy.reward_models import RewardModel
from recommenders.off_policy.weighing import DRAWS, Draws, LoggedSlates, WeightedLog, said
from simenv.events import FloatArray, IntArray


def weigh_slates(
    policy: Recommender,
    log: LoggedSlates,
    model: RewardModel | None = None,
    draws: Draws = DRAWS,
) -> WeightedLog:
    """One place (n, 1) a slate: its reward, and the weight that makes IPS of it PI; may be < 0.

    The mean of weight · reward is unbiased for additive rewards.

    Args:
        policy: fitted, to be valued; not changed. It has seen what the logging policy had.
        log: uniform slates of unseen items, with their propensities, as ``Random`` shows them.
        model: not used.
        draws: not used.

    Raises:
        ValueError: the slates are not uniform, or the policy cannot say its propensities.
    """
    num_unseen = (~policy.seen(log.users, log.observation)).sum(axis=1)
    uniform = np.broadcast_to(1.0 / num_unseen[:, None], log.slates.items.shape)
    if log.slates.propensities is None or not np.allclose(log.slates.propensities, uniform):
        raise ValueError(
            "weigh_slates wants uniform slates of the items unseen by the policy, with their"
            " propensities; log with Random fitted on the same log"
        )
    weights = _slate_weights(policy, log, num_unseen)
    return WeightedLog(log.users, log.slate_rewards()[:, None], weights[:, None])


def _slate_weights(policy: Recommender, log: LoggedSlates, num_unseen: IntArray) -> FloatArray:
    """(n,) q · Γ⁺ · s of the policy's marginals q and the shown slate s.

    Γ = E[s sᵀ] of uniform slates without repeats has three eigenspaces: constants (eigenvalue
    k/m), what depends on the item alone ((m-k) / (m(m-1))) and the interaction of item and place
    (1 / (m-1)); what depends on the place alone has eigenvalue 0. So Γ⁺ needs no matrix.
    """
    items, k = log.slates.items, log.slates.items.shape[1]
    here = np.zeros(len(items))  # expected number of shown items at the same place
    anywhere = np.zeros(len(items))  # expected number of shown items at any place
    for shift in range(k):
        rolled = np.roll(items, shift, axis=1)
        chances = said(policy, policy.propensities(log.observation, rolled), log)
        anywhere += chances.sum(axis=1)
        if shift == 0:
            here += chances.sum(axis=1)
    m = num_unseen.astype(np.float64)
    by_item = np.where(m > k, m * (m - 1) / np.maximum(m - k, 1), 0.0)
    return np.asarray(1 + by_item * (anywhere / k - k / m) + (m - 1) * (here - anywhere / k))
