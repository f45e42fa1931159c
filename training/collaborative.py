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
from training.tastes import taste_ridge

_USER_SHRINKAGE = 5.0  # ratings without any bias that a user's own are diluted with
_START = 0.1  # stars; the spread of the first item vectors, which only have to differ


class Placed(NamedTuple):
    """People in a space."""

    biases: FloatArray  # (n,) stars above what items promise
    vectors: FloatArray  # (n, d) what a unit of each item number is worth to them, in stars


@dataclass(frozen=True)
class CollaborativeSpace:
    """Biases and vectors of items.

    Attributes:
        mean: of all ratings.
        item_biases: (m,) stars.
        item_vectors: (m, d); 0 for an item without ratings.
        prior_rows: ratings that a person's prior is worth, when they are placed.
    """

    mean: float
    item_biases: FloatArray
    item_vectors: FloatArray
    prior_rows: float

    def place(self, log: InteractionLog) -> Placed:
        """The users of a log over these items, each from their own rows alone.

        A user without rows has bias 0 and the vector 0. The log is not changed.
        """
        rest = log.ratings - self.mean - self.item_biases[log.items]
        weights = np.bincount(log.users, minlength=log.num_users) + _USER_SHRINKAGE
        biases = np.bincount(log.users, rest, log.num_users) / weights
        own = rest - biases[log.users]
        return Placed(biases, taste_ridge(log, self.item_vectors, own, self.prior_rows))

    def peers(self, people: Placed) -> Peers:
        """What people like them gave: mean + bias of the person + bias of the item + liking."""
        ones = np.ones(len(people.biases)), np.ones(len(self.item_biases))
        own = np.column_stack([self.mean + people.biases, ones[0], people.vectors])
        return Peers(own, np.column_stack([ones[1], self.item_biases, self.item_vectors]))


def collaborative_space(
    log: InteractionLog,
    width: int = 12,
    *,
    prior_rows: float = 6.0,
    num_rounds: int = 8,
    seed: int = 0,
) -> CollaborativeSpace:
    """Factors of what ratings are beside the bias model, by alternating ridge regressions.

    Zhou, Wilkinson, Schreiber and Pan, Large-scale Parallel Collaborative Filtering (2008), without
    the weighting by counts: a vector's prior is worth ``prior_rows`` ratings of an item whose
    vector has the length 1.

    Args:
        log: training rows of as many people as may be known; unchanged.
        width: numbers of a vector (d).
        prior_rows: > 0, strength of the prior.
        num_rounds: each fits all users, then all items.
        seed: of the first item vectors.

    Raises:
        TypeError: a setting is no number.
        ValueError: a setting is out of its range, or the log is empty.
    """
    check_number("a collaborative space", "width", width, "whole [1, 1e4]")
    check_number("a collaborative space", "prior_rows", prior_rows, "(0, inf)")
    check_number("a collaborative space", "num_rounds", num_rounds, "whole [1, 1e6]")
    check_seed("a collaborative space", "a seed", seed)
    if not len(log):
        raise ValueError(
            "a collaborative space wanted training rows, got none; give it a log with ratings"
        )
    bias = BiasModel(user_shrinkage=_USER_SHRINKAGE).fit(log)
    rest = log.ratings - bias.mean - bias.user_bias[log.users] - bias.item_bias[log.items]
    turned, order = _turned(log)
    items = np.random.default_rng(seed).normal(0.0, _START, (log.num_items, width))
    for _ in range(num_rounds):
        items = _of_length_one(items, turned)
        users = taste_ridge(log, items, rest, prior_rows)
        items = taste_ridge(turned, users, rest[order], prior_rows * _mean_square(users, log))
    return CollaborativeSpace(bias.mean, bias.item_bias, _of_length_one(items, turned), prior_rows)


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


def _of_length_one(items: FloatArray, rated: InteractionLog) -> FloatArray:
    """Item vectors of mean square length 1 over rated rows, so that a prior means one thing."""
    return np.asarray(items / np.sqrt(max(_mean_square(items, rated), 1e-12)))


def _mean_square(vectors: FloatArray, log: InteractionLog) -> float:
    """Mean squared length of vectors, each as often as it has rows."""
    return float((vectors**2).sum(axis=1)[log.users].mean())
