"""Neighbourhood policies: items liked by the same people, people who liked the same items.

Sarwar, Karypis, Konstan, Riedl: Item-based collaborative filtering recommendation algorithms
(WWW 2001); the shrunk cosine is that of Ferrari Dacrema, Cremonesi, Jannach: Are we really making
much progress? (RecSys 2019).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommenders.base import Observation, Recommender
from recommenders.policies.liked_rows import ItemProfileRecommender, positive_matrix
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.ranges import check_fields

_BLOCK = 512  # rows whose similarities are dense at one time


def nearest_rows(
    matrix: sparse.csr_matrix, num_neighbours: int, shrinkage: float
) -> sparse.csr_matrix:
    """Shrunk cosine of every row to its nearest other rows.

    ``sim(i, j) = x_i · x_j / (|x_i| |x_j| + shrinkage)``; rows that share nothing are no
    neighbours; ties go to the lower index.

    Args:
        matrix: (rows, columns) non-negative; not changed.
        num_neighbours: kept for each row, at most.
        shrinkage: >= 0; pulls similarities that rest on few columns towards 0.

    Returns:
        (rows, rows) with at most ``num_neighbours`` entries a row and an empty diagonal.
    """
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    transposed = matrix.T.tocsr()
    blocks = []
    for start in range(0, matrix.shape[0], _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, matrix.shape[0]))
        dots = (matrix[rows] @ transposed).toarray()
        scale = norms[rows, None] * norms[None, :] + shrinkage
        similarity = np.divide(dots, scale, out=np.zeros_like(dots), where=dots > 0)
        similarity[np.arange(len(rows)), rows] = 0.0
        blocks.append(_keep_largest(similarity, num_neighbours))
    return sparse.csr_matrix(sparse.vstack(blocks))


def _keep_largest(values: FloatArray, count: int) -> sparse.csr_matrix:
    """The ``count`` largest positive values of every row, as a sparse matrix."""
    columns = np.argsort(-values, axis=1, kind="stable")[:, :count]
    kept = np.take_along_axis(values, columns, axis=1)
    rows = np.repeat(np.arange(len(values)), columns.shape[1])
    matrix = sparse.csr_matrix((kept.ravel(), (rows, columns.ravel())), shape=values.shape)
    matrix.eliminate_zeros()
    return matrix


@dataclass(eq=False)
class NeighbourRecommender(Recommender):
    """What the two policies share: their arguments.

    Args:
        num_neighbours: kept for each row (item or user).
        shrinkage: added to the cosine's denominator, in what two rows share.
        min_rating: stars from which a row of the log is a positive.

    Raises:
        ValueError: no neighbours, or a negative shrinkage.
    """

    num_neighbours: int = 50
    shrinkage: float = 10.0
    min_rating: float = 4.0

    def __post_init__(self) -> None:
        check_fields(self, {"num_neighbours": "whole [1, 1e9]", "shrinkage": "[0, inf)"})
        check_fields(self, {"min_rating": "(-inf, inf)"}, "give it in stars")


class ItemKNN(NeighbourRecommender, ItemProfileRecommender):
    """Score of an item: the summed similarity of its nearest items that the user liked.

    The arguments are those of ``NeighbourRecommender``.
    """

    _state: ClassVar[tuple[str, ...]] = ("_positives", "_weights")

    def _fit_items(self, positives: sparse.csr_matrix) -> None:
        nearest = nearest_rows(positives.T.tocsr(), self.num_neighbours, self.shrinkage)
        self._weights = nearest.T.tocsr()  # (liked item, scored item)

    def _score_profiles(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray((profiles @ self._weights).toarray())


class UserKNN(NeighbourRecommender):
    """Score of an item: the summed similarity of the nearest users who liked it.

    Neighbours are found in the training log once; a session does not move them. The arguments are
    those of ``NeighbourRecommender``.
    """

    _state = ("_positives", "_nearest")

    def _fit(self, log: InteractionLog) -> None:
        self._positives = positive_matrix(self.name, log, self.min_rating)
        self._nearest = nearest_rows(self._positives, self.num_neighbours, self.shrinkage)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        return np.asarray((self._nearest[users] @ self._positives).toarray())
