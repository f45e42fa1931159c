"""Who agrees with whom: a vector a person, from ratings alone. It knows no words and no model.

A space is learnt once, from rows that may be known (law 7); people who come later, or of whom only
earlier rows may be looked at, are placed in it without learning it anew.

Letters: ``n`` users, ``m`` items, ``r`` rows, ``d`` numbers of a vector.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from agents.peers import Peers
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BiasModel
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.ranges import check_number, check_seed

_BIAS_PRIOR = 4.0  # ratings without any bias that a person's or an item's own are diluted with
_START = 0.1  # stars; the spread of the first item vectors, which only have to differ


class Placed(NamedTuple):
    """People in a space, or items."""

    biases: FloatArray  # (n,) stars above what items promise
    vectors: FloatArray  # (n, d) what a unit of each number of an item is worth to them, in stars


class Prior(NamedTuple):
    """How strongly vectors are drawn to 0: ``start + growth · rows``, in squared lengths.

    A prior that grows with the rows of a person or an item keeps those with many from fitting what
    others do not share (the weighted regularisation of Zhou et al., 2008).
    """

    start: float = 2.0
    growth: float = 0.06


PRIOR = Prior()


@dataclass(frozen=True)
class CollaborativeSpace:
    """Biases and vectors of items.

    Attributes:
        mean: of all ratings.
        item_biases: (m,) stars.
        item_vectors: (m, d); 0 for an item without ratings.
        prior: of people who are placed.
    """

    mean: float
    item_biases: FloatArray
    item_vectors: FloatArray
    prior: Prior

    def place(self, log: InteractionLog) -> Placed:
        """The users of a log over these items, each from their own rows alone.

        A user without rows has bias 0 and the vector 0. The log is not changed.
        """
        rest = log.ratings - self.mean - self.item_biases[log.items]
        return _ridge(log, self.item_vectors, rest, self.prior)

    def peers(self, people: Placed) -> Peers:
        """What people like them gave: mean + bias of the person + bias of the item + liking."""
        ones = np.ones(len(people.biases)), np.ones(len(self.item_biases))
        own = np.column_stack([self.mean + people.biases, ones[0], people.vectors])
        return Peers(own, np.column_stack([ones[1], self.item_biases, self.item_vectors]))


def collaborative_space(
    log: InteractionLog,
    width: int = 12,
    *,
    prior: Prior = PRIOR,
    num_rounds: int = 10,
    seed: int = 0,
) -> CollaborativeSpace:
    """Biases and factors of ratings, by alternating ridge regressions.

    Zhou, Wilkinson, Schreiber and Pan, Large-scale Parallel Collaborative Filtering (2008), with a
    bias a person and an item beside the vectors.

    Args:
        log: training rows of as many people as may be known; unchanged.
        width: numbers of a vector (d).
        prior: of people and items.
        num_rounds: each fits all users, then all items.
        seed: of the first item vectors.

    Raises:
        TypeError: a setting is no number.
        ValueError: a setting is out of its range, or the log is empty.
    """
    check_number("a collaborative space", "width", width, "whole [1, 1e4]")
    check_number("a collaborative space", "prior.start", prior.start, "(0, inf)")
    check_number("a collaborative space", "prior.growth", prior.growth, "[0, inf)")
    check_number("a collaborative space", "num_rounds", num_rounds, "whole [1, 1e6]")
    check_seed("a collaborative space", "a seed", seed)
    if not len(log):
        raise ValueError(
            "a collaborative space wanted training rows, got none; give it a log with ratings"
        )
    mean, (turned, order) = float(log.ratings.mean()), _turned(log)
    start = np.random.default_rng(seed).normal(0.0, _START, (log.num_items, width))
    items = Placed(BiasModel().fit(log).item_bias, start)
    for _ in range(num_rounds):
        rest = log.ratings - mean - items.biases[log.items]
        users = _ridge(log, items.vectors, rest, prior)
        rest = log.ratings - mean - users.biases[log.users]
        items = _ridge(turned, users.vectors, rest[order], prior)
    return CollaborativeSpace(mean, items.biases, items.vectors, prior)


def _ridge(log: InteractionLog, attributes: FloatArray, rest: FloatArray, prior: Prior) -> Placed:
    """Bias and vector of every user of ``log``, from what is left of their ratings (r,).

    They minimise Σ (rest - bias - attributes · vector)² + 4 bias² + (prior) · |vector|²; a user
    without rows has 0. ``attributes`` (m, d) are of the items.
    """
    size, offsets = attributes.shape[1], log.offsets()
    found = np.zeros((log.num_users, 1 + size))
    for user in np.flatnonzero(np.diff(offsets)):
        rows = slice(offsets[user], offsets[user + 1])
        count = offsets[user + 1] - offsets[user]
        x = np.column_stack([np.ones(count), attributes[log.items[rows]]])
        square = x.T @ x
        square[np.diag_indices(1 + size)] += prior.start + prior.growth * count
        square[0, 0] += _BIAS_PRIOR - prior.start - prior.growth * count
        found[user] = np.linalg.solve(square, x.T @ rest[rows])
    return Placed(found[:, 0], found[:, 1:])


def space_of(dataset: Dataset, **settings: Any) -> CollaborativeSpace:
    """The space of a data set's people, learnt from other people's rows where those are known.

    Where nobody else is known it is learnt from the people's own training rows.

    Args:
        dataset: its test rows are not read.
        settings: of ``collaborative_space``.
    """
    return collaborative_space(dataset.background or dataset.train, **settings)


def peers_of(dataset: Dataset) -> Peers:
    """What people like those of a data set gave, from training rows."""
    space = space_of(dataset)
    return space.peers(space.place(dataset.train))


def _turned(log: InteractionLog) -> tuple[InteractionLog, IntArray]:
    """The log with users and items in each other's place, and the row each of its rows was."""
    order = np.argsort(log.items, kind="stable").astype(np.int64)
    columns = log.items[order], log.users[order], log.ratings[order]
    times = np.zeros(len(log))  # nobody asks when
    return InteractionLog(*columns, times, log.num_items, log.num_users), order
