"""What people like somebody gave to an item: a table of products, learnt from ratings elsewhere.

It knows no training and no prompt; its numbers come from training rows only (law 7).
"""

from dataclasses import dataclass

import numpy as np

from simenv.events import NUM_STARS, FloatArray, IntArray


@dataclass(frozen=True)
class Peers:
    """Stars as products of a person's numbers and an item's; biases are numbers like others.

    Attributes:
        people: (n, d).
        items: (m, d).

    Raises:
        ValueError: the two are of different widths, or hold something that is no number.
    """

    people: FloatArray
    items: FloatArray

    def __post_init__(self) -> None:
        widths = [table.shape[1:] for table in (self.people, self.items)]
        if widths[0] != widths[1] or len(widths[0]) != 1:
            raise ValueError(f"peers wanted people (n, d) and items (m, d), got widths {widths}")
        if not (np.isfinite(self.people).all() and np.isfinite(self.items).all()):
            raise ValueError("peers wanted finite numbers, got others; learn them anew")

    def stars(self, users: IntArray, items: IntArray) -> FloatArray:
        """What people like users (n,) gave to items (n, k), in [1, 5]: (n, k)."""
        stars = (self.people[users][:, None] * self.items[items]).sum(axis=-1)
        return np.asarray(np.clip(stars, 1.0, NUM_STARS), dtype=np.float64)
