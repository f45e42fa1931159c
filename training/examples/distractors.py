"""RAFT's distractors: a memory that sometimes recalls something unrelated first.

It is asked while a RAFT set is written, so that the reader learns to doubt what does not fit the
item (arXiv 2403.10131). It knows no training.
"""

import numpy as np

from agents.embedding import Vectors
from agents.memory.base import ExactMemory, Recalled
from simenv.events import IntArray


class DistractedMemory(ExactMemory):
    """``ExactMemory`` whose most similar memory is at times the least similar of those recalled.

    Args:
        vectors: see ``ExactMemory``, as for ``num_users``.
        num_users: users 0..num_users-1.
        share: of the recalls, in [0, 1], that are distracted.
        rng: draws which.
    """

    def __init__(
        self, vectors: Vectors, num_users: int, *, share: float, rng: np.random.Generator
    ) -> None:
        super().__init__(vectors, num_users)
        self._share, self._rng = share, rng

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """As ``ExactMemory``; where distracted, the last of the m memories stands first too.

        Similarities are then not falling: the first is the distractor's own.
        """
        found = super().recall(users, items, m)
        distracted = self._rng.random(items.shape) < self._share
        last = np.maximum((found.items >= 0).sum(axis=-1) - 1, 0)[..., None]
        order = np.broadcast_to(np.arange(m), found.items.shape).copy()
        order[..., :1] = np.where(distracted[..., None], last, 0)
        return Recalled(
            np.take_along_axis(found.items, order, axis=-1),
            np.take_along_axis(found.ratings, order, axis=-1),
            np.take_along_axis(found.similarities, order, axis=-1),
            np.take_along_axis(found.rows, order, axis=-1),
        )
