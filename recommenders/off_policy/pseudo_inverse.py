"""Off-policy estimate for rewards of whole slates, logged by uniform slates.

``off_policy`` needs the reward of every place. Here only that of the slate is known (the user
stayed, the mean rating) and it is taken to be a sum of unknown terms, one for each item at each
place. Swaminathan, Krishnamurthy, Agarwal, Dudík, Langford, Jose, Zitouni: Off-policy evaluation
for slate recommendation (NeurIPS 2017).

Letters: ``n`` slates, ``k`` places, ``m`` items unseen by a user.
"""

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.off_policy.estimators import Estimate, estimate_mean
from simenv.events import FloatArray, IntArray, Slates


def pseudo_inverse(
    policy: Recommender,
    observation: Observation,
    slates: Slates,
    rewards: FloatArray,
    confidence: float = 0.95,
) -> Estimate:
    """PI: mean of slate weight · slate reward, unbiased for additive rewards; weights may be < 0.

    Args:
        policy: fitted, to be valued; not changed. It has seen what the logging policy had.
        observation: of the n users when the slates were shown.
        slates: uniform slates of unseen items, with their propensities, as ``Random`` shows them.
        rewards: (n,) of the slates.
        confidence: of the interval.

    Raises:
        ValueError: the slates are not uniform, or the policy cannot say its propensities.
    """
    users = np.asarray(observation["user"], dtype=np.int64).reshape(-1)
    num_unseen = (~policy.seen(users, observation)).sum(axis=1)
    uniform = np.broadcast_to(1.0 / num_unseen[:, None], slates.items.shape)
    if slates.propensities is None or not np.allclose(slates.propensities, uniform):
        raise ValueError(
            "pseudo_inverse wants uniform slates of the items unseen by the policy, with their"
            " propensities; log with Random fitted on the same log"
        )
    weights = _slate_weights(policy, observation, slates.items, num_unseen)[:, None]
    contributions = weights * np.asarray(rewards, dtype=np.float64)[:, None]
    return estimate_mean(users, contributions, confidence, weights)


def _slate_weights(
    policy: Recommender, observation: Observation, items: IntArray, num_unseen: IntArray
) -> FloatArray:
    """(n,) q · Γ⁺ · s of the policy's marginals q and the shown slate s.

    Γ = E[s sᵀ] of uniform slates without repeats has three eigenspaces: constants (eigenvalue
    k/m), what depends on the item alone ((m-k) / (m(m-1))) and the interaction of item and place
    (1 / (m-1)); what depends on the place alone has eigenvalue 0. So Γ⁺ needs no matrix.
    """
    k = items.shape[1]
    here = np.zeros(len(items))  # expected number of shown items at the same place
    anywhere = np.zeros(len(items))  # expected number of shown items at any place
    for shift in range(k):
        chances = policy.propensities(observation, np.roll(items, shift, axis=1))
        if chances is None:
            raise ValueError(
                f"policy {policy.name} draws and cannot say its propensities, so only the"
                " environment can value it; value its deterministic form instead"
            )
        anywhere += chances.sum(axis=1)
        if shift == 0:
            here += chances.sum(axis=1)
    m = num_unseen.astype(np.float64)
    by_item = np.where(m > k, m * (m - 1) / np.maximum(m - k, 1), 0.0)
    return np.asarray(1 + by_item * (anywhere / k - k / m) + (m - 1) * (here - anywhere / k))
