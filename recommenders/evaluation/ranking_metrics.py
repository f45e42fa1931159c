"""Ranking metrics on held-out rows: what a policy would show first, against what users liked later.

A metric is a function of hits and of how many positives there were to find; to add one, write it
here and give it a field of ``UserMetrics``. It knows no simulated user. Letters: ``n`` users with
something to find, ``k`` slate places, ``i`` items.
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


def user_metrics(
    policy: Recommender,
    dataset: Dataset,
    k: int = 10,
    min_rating: float = 4.0,
    users: IntArray | None = None,
) -> UserMetrics:
    """Every metric of every user who has something to find.

    Args:
        policy: fitted on ``dataset.train``; not changed. Its own training items are not shown.
        dataset: ``test`` is searched for positives.
        k: places.
        min_rating: stars from which a held-out row is a positive.
        users: the users to ask; None = all. Those without a positive are left out.

    Raises:
        ValueError: no user has a held-out positive.
    """
    asked = np.arange(dataset.num_users) if users is None else np.unique(users)
    relevant = _held_out_positives(dataset, min_rating)
    num_relevant = np.diff(relevant.indptr).astype(np.int64)
    kept = asked[num_relevant[asked] > 0]
    if len(kept) == 0:
        raise ValueError(
            f"none of {len(asked)} users has a held-out row with at least {min_rating} stars on an"
            " unseen item; lower min_rating or hold out more"
        )
    items, hits = _shown_and_hits(policy, relevant, kept, k)
    to_find = num_relevant[kept]
    raters = np.bincount(dataset.train.to_csr().indices, minlength=dataset.num_items)
    return UserMetrics(
        users=kept,
        items=items,
        recall=recall(hits, to_find),
        precision=precision(hits),
        hit_rate=np.asarray(hits.any(axis=1), dtype=np.float64),
        mrr=reciprocal_rank(hits),
        ndcg=ndcg(hits, to_find),
        novelty=self_information(raters, dataset.num_users)[items].mean(axis=1),
    )


def recall(hits: BoolArray, num_relevant: IntArray) -> FloatArray:
    """Hits of rows (n, k) over all ``num_relevant`` (n,) > 0 positives, also those beyond k."""
    return np.asarray(hits.sum(axis=1) / num_relevant)


def precision(hits: BoolArray) -> FloatArray:
    """Hits of rows (n, k) over k."""
    return np.asarray(hits.mean(axis=1))


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


def self_information(raters: IntArray | FloatArray, num_users: int) -> FloatArray:
    """Bits of surprise (i,): -log2((raters + 1) / (users + 1)), raters (i,) in training.

    One imagined user has rated everything, so an item nobody rated is not infinitely new.
    Vargas, Castells: Rank and relevance in novelty and diversity metrics (RecSys 2011).
    """
    return np.asarray(-np.log2((np.asarray(raters) + 1) / (num_users + 1)))


def _shown_and_hits(
    policy: Recommender, relevant: sparse.csr_matrix, users: IntArray, k: int
) -> tuple[IntArray, BoolArray]:
    """First slates (n, k) of users (n,), and true where an item is among the relevant ones."""
    items, hits = [], []
    for start in range(0, len(users), _BATCH):
        batch = users[start : start + _BATCH]
        # A fresh generator a batch: a user's slate must not depend on the size of the batches.
        rng = np.random.default_rng(_RNG_SEED)
        shown = policy.recommend(cold_observation(batch), k, rng).items
        items.append(shown)
        hits.append(np.take_along_axis(relevant[batch].toarray() > 0, shown, axis=1))
    return np.concatenate(items), np.concatenate(hits)


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
