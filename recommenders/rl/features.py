"""What a learning policy knows of users and items: the catalogue and the training log, no truth.

Users enter through features, never as identities, so a policy can meet people it never saw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from simenv.catalog import Catalog
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages

Array32 = NDArray[np.float32]

_NUM_FACTORS = 16


@dataclass(frozen=True)
class Features:
    """Rows of numbers of about unit size; the first ``num_factors`` columns of both match."""

    users: Array32  # (num_users, e)
    items: Array32  # (num_items, d)
    met: BoolArray  # (num_users, num_items) in the training log
    num_factors: int


def make_features(log: InteractionLog, catalog: Catalog, averages: ItemAverages) -> Features:
    """Factors of who watched what, genres, averages and counts.

    The factors are those of a truncated SVD of the matrix of what was watched, each user's row
    scaled to length 1.

    Args:
        log: training rows of every user, also of those held out from learning: a service knows
            its users' pasts.
        catalog: of its items.
        averages: what a service may know that people think of them.
    """
    watched = log.to_csr()
    met = np.asarray(watched.toarray() > 0)
    apart = log.ratings - averages.fair[log.items]
    generosity = _means(log.users, apart, log.num_users)
    tastes = _tastes(log, catalog, apart - generosity[log.users])
    left, right = _factors(met, min(_NUM_FACTORS, min(met.shape) - 1))
    counts_u, counts_i = met.sum(axis=1), met.sum(axis=0)
    users = np.column_stack([left, tastes, generosity, np.log1p(counts_u)])
    items = np.column_stack([right, catalog.genre_matrix, averages.fair, np.log1p(counts_i)])
    width = left.shape[1]
    return Features(_scaled(users, width), _scaled(items, width), met, width)


def _factors(met: BoolArray, width: int) -> tuple[FloatArray, FloatArray]:
    """User (num_users, width) and item factors (num_items, width), strongest first."""
    lengths = np.sqrt(np.maximum(met.sum(axis=1, keepdims=True), 1))
    matrix = sparse.csr_matrix(met / lengths)
    start = np.ones(min(met.shape)) / np.sqrt(min(met.shape))  # ARPACK's own start is random
    u, s, vt = svds(matrix, k=width, v0=start)
    order = np.argsort(-s)
    return u[:, order] * np.sqrt(s[order]), vt[order].T * np.sqrt(s[order])


def _tastes(log: InteractionLog, catalog: Catalog, surprise: FloatArray) -> FloatArray:
    """(num_users, num_genres) mean of surprises (r,), in stars, in each genre, shrunk to 0."""
    genres = catalog.genre_matrix[log.items]
    sums = np.zeros((log.num_users, genres.shape[1]))
    sizes = np.zeros_like(sums)
    np.add.at(sums, log.users, surprise[:, None] * genres)
    np.add.at(sizes, log.users, genres)
    return sums / (sizes + 5.0)


def _means(groups: IntArray, values: FloatArray, num_groups: int) -> FloatArray:
    sums = np.bincount(groups, values, num_groups)
    return np.asarray(sums / (np.bincount(groups, minlength=num_groups) + 3.0))


def _scaled(columns: FloatArray, num_factors: int) -> Array32:
    """Columns of standard deviation 1; factors keep their zero, the others are centred."""
    shifted = columns.copy()
    shifted[:, num_factors:] -= shifted[:, num_factors:].mean(axis=0)
    spread = columns.std(axis=0)
    scaled = np.divide(shifted, spread, out=np.zeros_like(shifted), where=spread > 1e-9)
    return np.asarray(np.clip(scaled, -5, 5), dtype=np.float32)
