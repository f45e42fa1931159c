"""Which of five did they take? Scenes in which one item of five was really taken, the next in time.

After the protocol of UserMirrorer (ACL 2026): the other four come in turn from what the person's
past and what the taken item's content make likely, are no younger than the moment, and were never
met; the letters are dealt out by lot. Arrays in, arrays out; what is asked stands in ``prompts``.

Letters: ``s`` scenes, 5 items, ``d`` numbers an item.
"""

from typing import NamedTuple

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog

SIZE = 5
_DIMS = 64
_YEAR = 31_556_952.0  # seconds
_LEAST_KNOWN = 3  # ratings that somebody has given before


class Scenes(NamedTuple):
    """Who was shown what, in the order of the letters, and which of them they took."""

    users: IntArray  # (s,)
    items: IntArray  # (s, 5)
    taken: IntArray  # (s,) place in [0, 5)


def spectral_vectors(log: InteractionLog, num_dims: int = _DIMS) -> FloatArray:
    """(num_items, d) right singular vectors of who met what, both sides scaled by their degrees."""
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import svds

    met = csr_matrix(
        (np.ones(len(log)), (log.users, log.items)), shape=(log.num_users, log.num_items)
    )
    met.data[:] = 1.0
    people = 1 / np.sqrt(np.maximum(np.asarray(met.sum(axis=1)).ravel(), 1))
    items = np.sqrt(np.maximum(np.asarray(met.sum(axis=0)).ravel(), 1))
    scaled = diags(people) @ met @ diags(1 / items)
    k = min(num_dims, min(scaled.shape) - 1)
    start = np.ones(min(scaled.shape))
    return np.asarray(svds(scaled, k=k, v0=start)[2].T * items[:, None])


def scenes(
    dataset: Dataset, contents: FloatArray, rng: np.random.Generator, num_scenes: int = 256
) -> Scenes:
    """Scenes from held-out rows that were drawn; nobody's held-out ratings decide the other four.

    Args:
        dataset: ``test`` holds what was taken, ``train`` and ``background`` what was known.
        contents: (num_items, d) vectors of the items' texts.
        rng: draws rows and letters.
        num_scenes: at most.
    """
    known, test = stacked(dataset.train, dataset.background), dataset.test
    crowd = spectral_vectors(known)
    before, after = dataset.train.offsets(), test.offsets()
    enough = np.flatnonzero(np.diff(before)[test.users] >= _LEAST_KNOWN)
    found: list[tuple[int, IntArray, int]] = []
    for row in rng.permutation(enough).tolist():
        if len(found) == num_scenes:
            break
        user, item = int(test.users[row]), int(test.items[row])
        past = dataset.train.items[before[user] : before[user + 1]]
        allowed = _not_younger(dataset, float(test.timestamps[row]))
        allowed[past] = allowed[test.items[after[user] : after[user + 1]]] = False
        others = _in_turn(crowd @ crowd[past].sum(axis=0), contents @ contents[item], allowed)
        if len(others) == SIZE - 1:
            order = rng.permutation(SIZE)
            found.append((user, np.concatenate([[item], others])[order], int(order.argmin())))
    return _columns(found)


def _columns(found: list[tuple[int, IntArray, int]]) -> Scenes:
    users, items, places = ([row[i] for row in found] for i in range(3))
    return Scenes(
        np.array(users, dtype=np.int64),
        np.array(items, dtype=np.int64).reshape(len(found), SIZE),
        np.array(places, dtype=np.int64),
    )


def _not_younger(dataset: Dataset, moment: float) -> BoolArray:
    """(num_items,) whether an item was there; all were where years or dates are not known."""
    years = dataset.catalog.years
    year = 1970 + moment / _YEAR
    return np.asarray((years <= year) | (years == 0) | (year < years[years > 0].min(initial=1971)))


def _in_turn(one: FloatArray, other: FloatArray, allowed: BoolArray) -> IntArray:
    """The best allowed items of two rankings in turn, four different ones."""
    found: list[int] = []
    orders = [np.argsort(-scores, kind="stable") for scores in (one, other)]
    kept = [order[allowed[order]].tolist() for order in orders]
    for pair in zip(*kept, strict=True):
        found += [item for item in dict.fromkeys(pair) if item not in found]
        if len(found) >= SIZE - 1:
            break
    return np.array(found[: SIZE - 1], dtype=np.int64)


def hits(scores: FloatArray, taken: IntArray) -> FloatArray:
    """(s,) 1 where the taken item scores highest of the five, a share where several do so.

    Args:
        scores: (s, 5); a scene with a NaN gives NaN.
        taken: (s,) places.
    """
    best = scores == scores.max(axis=1, keepdims=True)
    right = np.take_along_axis(best, taken[:, None], axis=1)[:, 0]
    shares = np.divide(right, best.sum(axis=1), out=np.zeros(len(taken)), where=right)
    return np.where(np.isnan(scores).any(axis=1), np.nan, shares)
