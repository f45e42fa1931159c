"""SLIM: sparse non-negative item weights.

Ning, Karypis: SLIM: Sparse linear methods for top-n recommender systems (ICDM 2011). As in its
fsSLIM variant, an item is explained by its nearest items only, which makes the problems small.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import linalg, sparse

from recommenders.policies.liked_rows import ItemProfileRecommender
from recommenders.policies.neighbours import nearest_rows
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_fields


@dataclass(eq=False)
class SLIM(ItemProfileRecommender):
    """Score = liked items (n, i) times sparse non-negative weights (i, i) with a zero diagonal.

    Column j minimises ``½ |x_j - X w|² + l1 |w|₁ + ½ l2 |w|²`` over w >= 0 that is zero outside the
    ``num_candidates`` items nearest to j.

    Args:
        l1: sparsity, in co-raters; >= 0.
        l2: ridge penalty, in co-raters; > 0.
        num_candidates: items that may explain an item; the time grows with its cube.
        min_rating: stars from which a row is a positive.
    """

    _state: ClassVar[tuple[str, ...]] = ("_positives", "_weights")

    l1: float = 1.0
    l2: float = 50.0
    num_candidates: int = 100
    min_rating: float = 4.0

    def __post_init__(self) -> None:
        check_fields(self, {"l1": "[0, inf)", "l2": "(0, inf)", "num_candidates": "whole [1, 1e9]"})
        check_fields(self, {"min_rating": "(-inf, inf)"}, "give it in stars")

    def _fit_items(self, positives: sparse.csr_matrix) -> None:
        gram = (positives.T @ positives).tocsr()
        nearest = nearest_rows(positives.T.tocsr(), self.num_candidates, 0.0)
        num_items = positives.shape[1]
        columns = [
            self._column(gram, nearest[j].indices.astype(np.int64), j) for j in range(num_items)
        ]
        owners = np.repeat(np.arange(num_items), [len(items) for items, _ in columns])
        items = np.concatenate([items for items, _ in columns])
        values = np.concatenate([values for _, values in columns])
        self._weights = sparse.csr_matrix((values, (items, owners)), shape=gram.shape)

    def _column(
        self, gram: sparse.csr_matrix, candidates: IntArray, item: int
    ) -> tuple[IntArray, FloatArray]:
        """The items with a positive weight for ``item`` and their weights."""
        if len(candidates) == 0:
            return candidates, np.zeros(0)
        inner = gram[candidates][:, candidates].toarray()
        inner[np.diag_indices(len(candidates))] += self.l2
        target = gram[item].toarray().ravel()[candidates]
        weights = nonnegative_lasso(inner, target, self.l1)
        kept = weights > 0
        return candidates[kept], weights[kept]

    def _score_profiles(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray((profiles @ self._weights).toarray())


def nonnegative_lasso(gram: FloatArray, target: FloatArray, l1: float) -> FloatArray:
    """The w >= 0 that minimises ``½ w·gram·w - target·w + l1 |w|₁``; (m,).

    Args:
        gram: (m, m) positive definite.
        target: (m,).
        l1: >= 0.
    """
    from sklearn.linear_model import ElasticNet  # slow to import, and only fitting needs it

    # scikit-learn wants rows, not their products: the Cholesky factor has the same products.
    lower = linalg.cholesky(gram, lower=True, check_finite=False)
    rows = linalg.solve_triangular(lower, target, lower=True, check_finite=False)
    model = ElasticNet(
        alpha=max(l1, 1e-9) / len(gram),  # it divides the squares by the number of rows
        l1_ratio=1.0,
        fit_intercept=False,
        positive=True,
        tol=1e-5,
        max_iter=2_000,
    )
    return np.asarray(model.fit(lower.T, rows).coef_, dtype=np.float64)
