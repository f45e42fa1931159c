"""EASE: a linear autoencoder over items with a closed form.

Steck: Embarrassingly shallow autoencoders for sparse data (WWW 2019).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import linalg, sparse

from recommenders.policies.liked_rows import ItemProfileRecommender
from simenv.events import FloatArray
from simenv.ranges import check_fields


@dataclass(eq=False)
class EASE(ItemProfileRecommender):
    """Score = liked items (n, i) times item weights (i, i) with a zero diagonal.

    Time grows with the cube and memory with the square of the number of items: 4,000 items take
    seconds and 64 MB of weights.

    Args:
        l2: ridge penalty, in co-raters; > 0. The paper finds 200 to 1,000 for large data sets.
        min_rating: stars from which a row is a positive.
        max_items: refuse larger catalogues instead of filling the memory.
    """

    _state: ClassVar[tuple[str, ...]] = ("_positives", "_weights")

    l2: float = 200.0
    min_rating: float = 4.0
    max_items: int = 20_000

    def __post_init__(self) -> None:
        check_fields(self, {"l2": "(0, inf)"}, "try 200")
        check_fields(self, {"min_rating": "(-inf, inf)"}, "give it in stars")
        check_fields(self, {"max_items": "whole [1, 1e9]"}, "try 20000")

    def _fit_items(self, positives: sparse.csr_matrix) -> None:
        num_items = positives.shape[1]
        if num_items > self.max_items:
            raise ValueError(
                f"EASE wants at most {self.max_items} items, got {num_items}; its weights would"
                f" take {4 * num_items**2 / 1e9:.1f} GB: use ItemKNN or raise max_items"
            )
        gram = (positives.T @ positives).toarray()
        gram[np.diag_indices(num_items)] += self.l2
        precision = linalg.inv(gram, overwrite_a=True, check_finite=False)
        weights = precision / -np.diag(precision)[None, :]
        np.fill_diagonal(weights, 0.0)
        self._weights = weights.astype(np.float32)

    def _score_profiles(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray(profiles @ self._weights, dtype=np.float64)
