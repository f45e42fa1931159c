"""Liked or never met? Agent4Rec's protocol, with its own negatives and with equally popular ones.

Everybody is asked about 20 items: some that they rated above three stars and that nothing was
learnt from, the others never met, at 1:1, 1:3 and 1:9 (Zhang et al., On Generative Agents in
Recommendation, SIGIR 2024). Most of what is liked is popular, so a list of popular items does well;
with negatives of like popularity it does not. Arrays in, numbers out.

Letters: ``n`` people, ``k`` items asked about.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from agents.fidelity.error_measures import auc
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog

_ABOVE = 3.0  # stars: liked
ASKED = 20  # items a person


class LikeQuestions(NamedTuple):
    """Whom and what to ask about; every row of ``items`` is in random order."""

    users: IntArray  # (n,)
    items: IntArray  # (n, k)
    liked: BoolArray  # (n, k)


class LikeScores(NamedTuple):
    """How well liked items are told from those never met, one value a person."""

    accuracy: FloatArray  # (n,) of yes and no
    precision: FloatArray  # (n,) NaN for who never said yes
    recall: FloatArray  # (n,)
    f1: FloatArray  # (n,)
    auc: FloatArray  # (n,) whatever counts as yes


def like_questions(
    train: InteractionLog,
    test: InteractionLog,
    popularity: IntArray,
    rng: np.random.Generator,
    negatives: int = 1,
    asked: int = ASKED,
    matched: bool = False,
    most_users: int = 1000,
) -> LikeQuestions:
    """Questions for at most ``most_users`` people who have enough liked rows in ``test``.

    Args:
        train: rows that were learnt from.
        test: rows of the same people that nothing was learnt from.
        popularity: (num_items,) training ratings of every item.
        rng: draws people, items and their order.
        negatives: never met for each liked one (m of 1:m).
        asked: items a person.
        matched: each negative is one of the unmet items whose popularity is next to that of a liked
            one, on a logarithmic scale; else all unmet ones are equally likely, as in the paper.
        most_users: who are asked.
    """
    num_liked = asked // (negatives + 1)
    first, last = train.offsets(), test.offsets()
    rows: list[tuple[int, IntArray, BoolArray]] = []
    for user in rng.permutation(test.num_users).tolist():
        own = slice(last[user], last[user + 1])
        liked = _liked(test, own)
        met = np.concatenate([train.items[first[user] : first[user + 1]], test.items[own]])
        unmet = np.setdiff1d(np.arange(test.num_items), met)
        if len(liked) < num_liked or len(unmet) < asked - num_liked or len(rows) == most_users:
            continue
        chosen = rng.permutation(liked)[:num_liked]
        others = rng.permutation(unmet)
        if matched:
            others = _equally_popular(chosen, others, popularity, asked - num_liked)
        order = rng.permutation(asked)
        items = np.concatenate([chosen, others[: asked - num_liked]])[order]
        rows.append((user, items, order < num_liked))
    rows.sort(key=lambda row: row[0])
    return LikeQuestions(
        np.array([user for user, _, _ in rows], dtype=np.int64),
        np.array([items for _, items, _ in rows], dtype=np.int64).reshape(len(rows), asked),
        np.array([liked for _, _, liked in rows], dtype=np.bool_).reshape(len(rows), asked),
    )


def num_liked(test: InteractionLog) -> IntArray:
    """(num_users,) items of ``test`` that each person likes."""
    own = [slice(*ends) for ends in pairwise(test.offsets().tolist())]
    return np.array([len(_liked(test, rows)) for rows in own], dtype=np.int64)


def _liked(test: InteractionLog, own: slice) -> IntArray:
    """Items that the rows ``own`` like, ascending."""
    return np.unique(test.items[own][test.ratings[own] > _ABOVE])


def _equally_popular(
    liked: IntArray, unmet: IntArray, popularity: IntArray, wanted: int
) -> IntArray:
    """For the liked ones in turn, the unmet item left whose log popularity is nearest."""
    scale = np.log1p(popularity)
    free, found = np.ones(len(unmet), dtype=np.bool_), []
    for item in np.resize(liked, wanted).tolist():
        gaps = np.where(free, np.abs(scale[unmet] - scale[item]), np.inf)
        nearest = int(np.argmin(gaps))
        free[nearest] = False
        found.append(int(unmet[nearest]))
    return np.array(found, dtype=np.int64)


def like_scores(scores: FloatArray, liked: BoolArray, threshold: float | None = None) -> LikeScores:
    """What scores (n, k) say of liked items (n, k).

    Args:
        scores: how much each person likes each item; a person with a NaN has NaN figures.
        liked: which are.
        threshold: the least score that says yes. None = as many as are liked get a yes, the best
            ones, ties in part, so that precision equals recall and no scale matters.
    """
    yes = _best(scores, liked.sum(axis=1))
    if threshold is not None:
        yes = (scores >= threshold).astype(np.float64)
    failed = np.isnan(scores).any(axis=1)
    return LikeScores(*(np.where(failed, np.nan, own) for own in _figures(scores, yes, liked)))


def _figures(scores: FloatArray, yes: FloatArray, liked: BoolArray) -> list[FloatArray]:
    """The fields of ``LikeScores``."""
    hits = (yes * liked).sum(axis=1)
    said, all_liked = yes.sum(axis=1), liked.sum(axis=1)
    right = hits + ((1 - yes) * ~liked).sum(axis=1)
    pairs = zip(scores, liked, strict=True)
    return [
        right / liked.shape[1],
        np.divide(hits, said, out=np.full(len(said), np.nan), where=said > 0),
        hits / all_liked,
        2 * hits / (said + all_liked),
        np.array([auc(own, is_liked) for own, is_liked in pairs]),
    ]


def _best(scores: FloatArray, counts: IntArray) -> FloatArray:
    """(n, k) 1 for the ``counts`` (n,) best of a row; ties at the border share what is left."""
    found = np.zeros(scores.shape)
    for row, (own, count) in enumerate(zip(scores, counts.tolist(), strict=True)):
        border = np.sort(own)[::-1][count - 1]
        above, tied = own > border, own == border
        found[row] = above + tied * (count - above.sum()) / max(int(tied.sum()), 1)
    return found
