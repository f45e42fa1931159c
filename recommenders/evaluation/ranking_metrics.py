"""Ranking metrics on held-out rows: what a policy would show first, against what users liked later.

Letters: ``n`` users with something to find, ``k`` slate places, ``i`` items.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from recommenders.base import Recommender, cold_observation
from simenv.data.dataset import Dataset
from simenv.events import BoolArray, FloatArray, IntArray

_BATCH = 512  # users whose scores are in memory at one time
_RNG_SEED = 0  # for policies that draw


class UserMetrics(NamedTuple):
    """One number a user, for means, intervals and paired differences."""

    users: IntArray  # (n,) those with at least one held-out positive they had not seen
    items: IntArray  # (n, k) what they were shown
    recall: FloatArray  # (n,) found positives / all held-out positives
    precision: FloatArray  # (n,) found positives / k
    hit_rate: FloatArray  # (n,) 1 if any was found
    mrr: FloatArray  # (n,) 1 / place of the first found, 0 if none
    ndcg: FloatArray  # (n,) discounted gain against the best possible order
    novelty: FloatArray  # (n,) mean bits of surprise of the shown items


def evaluate_offline(
    policy: Recommender,
    dataset: Dataset,
    k: int = 10,
    min_rating: float = 4.0,
    users: IntArray | None = None,
) -> dict[str, float]:
    """Means over users of every metric, and three numbers of the whole list of slates.

    Args:
        policy: fitted on ``dataset.train``; not changed. Its own training items are not shown.
        dataset: ``test`` is searched for positives.
        k: places.
        min_rating: stars from which a held-out row is a positive.
        users: the users to ask; None = all.

    Returns:
        ``recall precision hit_rate mrr ndcg novelty`` (means over users), ``coverage`` (share of
        the catalogue shown to anyone), ``gini`` (inequality of exposure over the catalogue),
        ``num_users`` (counted) and ``num_users_left_out`` (asked, but nothing held out to find).

    Raises:
        ValueError: no user has a held-out positive.
    """
    asked = np.arange(dataset.num_users) if users is None else np.unique(users)
    found = user_metrics(policy, dataset, k, min_rating, asked)
    means = {
        name: float(np.mean(getattr(found, name)))
        for name in UserMetrics._fields
        if name not in ("users", "items")
    }
    return means | {
        "coverage": coverage(found.items, dataset.num_items),
        "gini": gini(np.bincount(found.items.ravel(), minlength=dataset.num_items)),
        "num_users": float(len(found.users)),
        "num_users_left_out": float(len(asked) - len(found.users)),
    }


def user_metrics(
    policy: Recommender,
    dataset: Dataset,
    k: int = 10,
    min_rating: float = 4.0,
    users: IntArray | None = None,
) -> UserMetrics:
    """The metrics of ``evaluate_offline`` for every user; arguments and errors are the same."""
    asked = np.arange(dataset.num_users) if users is None else np.unique(users)
    relevant = _held_out_positives(dataset, min_rating)
    kept = asked[np.diff(relevant.indptr)[asked] > 0]
    if len(kept) == 0:
        raise ValueError(
            f"none of {len(asked)} users has a held-out row with at least {min_rating} stars on an"
            " unseen item; lower min_rating or hold out more"
        )
    batches = [kept[start : start + _BATCH] for start in range(0, len(kept), _BATCH)]
    items, hits = [], []
    for batch in batches:
        # A fresh generator a batch: a user's slate must not depend on the size of the batches.
        rng = np.random.default_rng(_RNG_SEED)
        shown = policy.recommend(cold_observation(batch), k, rng).items
        items.append(shown)
        hits.append(np.take_along_axis(relevant[batch].toarray() > 0, shown, axis=1))
    all_items, all_hits = np.concatenate(items), np.concatenate(hits)
    num_relevant = np.diff(relevant.indptr)[kept]
    return UserMetrics(
        users=kept,
        items=all_items,
        recall=all_hits.sum(axis=1) / num_relevant,
        precision=all_hits.mean(axis=1),
        hit_rate=np.asarray(all_hits.any(axis=1), dtype=np.float64),
        mrr=reciprocal_rank(all_hits),
        ndcg=ndcg(all_hits, num_relevant),
        novelty=surprise(dataset)[all_items].mean(axis=1),
    )


def reciprocal_rank(hits: BoolArray) -> FloatArray:
    """1 / place of the first hit of rows (n, k), 0 for rows without one."""
    first = hits.argmax(axis=1)
    return np.where(hits.any(axis=1), 1.0 / (first + 1), 0.0)


def ndcg(hits: BoolArray, num_relevant: IntArray) -> FloatArray:
    """Binary discounted gain of rows (n, k) over that of the best order; (n,) in [0, 1].

    A hit at place p (from 1) is worth 1 / log2(p + 1). The best order has
    min(``num_relevant``, k) hits in front. Järvelin, Kekäläinen: Cumulated gain-based evaluation
    of IR techniques (TOIS 2002).
    """
    discounts = 1.0 / np.log2(np.arange(hits.shape[1]) + 2)
    best = np.cumsum(discounts)[np.minimum(num_relevant, hits.shape[1]) - 1]
    return np.asarray(hits @ discounts / best)


def coverage(items: IntArray, num_items: int) -> float:
    """Share in (0, 1] of the catalogue that occurs in slates (n, k)."""
    return len(np.unique(items)) / num_items


def gini(exposures: IntArray | FloatArray) -> float:
    """Inequality of exposures (i,): 0 if all are equal, 1 - 1/i if one item has them all."""
    x = np.sort(np.asarray(exposures, dtype=np.float64))
    n = len(x)
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * x.sum()))


def surprise(dataset: Dataset) -> FloatArray:
    """Self-information (i,) in bits: -log2 of the share of users who rated the item in training.

    One imagined user has rated everything, so an item nobody rated is not infinitely new.
    Vargas, Castells: Rank and relevance in novelty and diversity metrics (RecSys 2011).
    """
    raters = np.bincount(dataset.train.to_csr().indices, minlength=dataset.num_items)
    return -np.log2((raters + 1) / (dataset.num_users + 1))


def _held_out_positives(dataset: Dataset, min_rating: float) -> sparse.csr_matrix:
    """(num_users, i) sparse, 1 where a user liked a held-out item that training does not hold.

    A repeated item cannot be shown, so finding it cannot be asked of a policy.
    """
    relevant = dataset.test.to_csr()
    relevant.data = (relevant.data >= min_rating).astype(np.float64)
    seen = dataset.train.to_csr()
    seen.data[:] = 1.0
    unseen = sparse.csr_matrix(relevant - relevant.multiply(seen))
    unseen.eliminate_zeros()
    return unseen
