"""The vocabulary both sides of the counter share: logs, slates and feedback. No behaviour.

Letters: ``n`` users in the batch, ``k`` slate places, ``r`` rows of a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SeedArray = NDArray[np.uint64]

NUM_STARS = 5
STARS: FloatArray = np.arange(1, NUM_STARS + 1, dtype=np.float64)


class Feedback(NamedTuple):
    """What n users did with their slates.

    Where whoever answers for a user failed (a server, say), ``probabilities`` and ``expected`` are
    NaN, and the item is neither taken nor rated: ``failed`` says so, and nothing is made up.
    """

    ratings: FloatArray  # (n, k) stars in [1, 5]; 0 = item not taken (never NaN)
    probabilities: FloatArray  # (n, k, 5) distribution over stars, before sampling; NaN = failed
    taken: BoolArray  # (n, k) watched / clicked
    quits: BoolArray  # (n,) left after this slate

    @property
    def expected(self) -> FloatArray:
        """Expected stars of every shown item, taken or not: (n, k) in [1, 5]; NaN = failed."""
        return expected_stars(self.probabilities)

    @property
    def failed(self) -> BoolArray:
        """(n, k) nobody answered for the user: no answer, not a bad one."""
        return np.asarray(np.isnan(self.probabilities).any(axis=2))


class Slates(NamedTuple):
    """What a policy shows to n users."""

    items: IntArray  # (n, k) distinct within a row
    scores: FloatArray  # (n, k) non-increasing along a row
    propensities: FloatArray | None = None  # (n, k) chance that the policy shows this here

    @classmethod
    def of_items(cls, items: IntArray) -> "Slates":
        """Slates given only as items (n, k), best first; the scores are the negated ranks."""
        items = np.asarray(items, dtype=np.int64)
        scores = np.broadcast_to(-np.arange(items.shape[1], dtype=np.float64), items.shape)
        return cls(items, scores)


def expected_stars(probabilities: FloatArray) -> FloatArray:
    """Mean stars of distributions (..., 5); the result has shape (...) and lies in [1, 5]."""
    return np.asarray(probabilities @ STARS, dtype=np.float64)


def mean_answered(values: FloatArray) -> FloatArray:
    """Means (n,) of values (n, k) over the places that are not NaN; NaN where all are."""
    failed = np.isnan(values)
    if not failed.any():
        return np.asarray(values.mean(axis=1))
    sums, sizes = np.where(failed, 0.0, values).sum(axis=1), (~failed).sum(axis=1)
    means = np.divide(sums, sizes, out=np.full(len(values), np.nan), where=sizes > 0)
    return np.asarray(means)


@dataclass(frozen=True)
class InteractionLog:
    """Who rated what, when; rows are sorted by (user, time) and never changed.

    ``users``, ``items`` (r,) are indices in ``[0, num_users)`` and ``[0, num_items)``, ``ratings``
    (r,) stars in [1, 5], ``timestamps`` (r,) any non-decreasing clock within a user.
    """

    users: IntArray
    items: IntArray
    ratings: FloatArray
    timestamps: IntArray
    num_users: int
    num_items: int

    def __post_init__(self) -> None:
        lengths = {len(self.users), len(self.items), len(self.ratings), len(self.timestamps)}
        if len(lengths) != 1:
            raise ValueError(f"log columns must have one length, got {sorted(lengths)}")
        for name, ids, size in (
            ("users", self.users, self.num_users),
            ("items", self.items, self.num_items),
        ):
            if len(ids) and (ids.min() < 0 or ids.max() >= size):
                raise ValueError(
                    f"log {name} must lie in [0, {size}), got {ids.min()}..{ids.max()};"
                    " re-index them or give a larger catalogue"
                )
        if len(self) and not bool(np.all((self.ratings >= 1) & (self.ratings <= NUM_STARS))):
            raise ValueError(
                f"log ratings must lie in [1, {NUM_STARS}], got"
                f" {self.ratings.min()}..{self.ratings.max()}; rescale them first"
            )

    @classmethod
    def from_columns(
        cls,
        users: Sequence[int] | IntArray,
        items: Sequence[int] | IntArray,
        ratings: Sequence[float] | FloatArray,
        timestamps: Sequence[int] | IntArray | None = None,
        *,
        num_users: int,
        num_items: int,
    ) -> "InteractionLog":
        """Build a log from rows in any order; equal times keep the order given."""
        u = np.asarray(users, dtype=np.int64)
        t = np.arange(len(u)) if timestamps is None else np.asarray(timestamps, dtype=np.int64)
        order = np.lexsort((t, u))
        return cls(
            u[order],
            np.asarray(items, dtype=np.int64)[order],
            np.asarray(ratings, dtype=np.float64)[order],
            t[order].astype(np.int64),
            num_users,
            num_items,
        )

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: IntArray | BoolArray) -> "InteractionLog":
        """The chosen rows as a new log over the same users and items."""
        return InteractionLog(
            self.users[rows],
            self.items[rows],
            self.ratings[rows],
            self.timestamps[rows],
            self.num_users,
            self.num_items,
        )

    def only_users(self, users: IntArray) -> "InteractionLog":
        """Rows of the given users, ids unchanged."""
        return self.take(np.isin(self.users, users))

    def offsets(self) -> IntArray:
        """(num_users + 1,): rows ``offsets[u]:offsets[u + 1]`` are user u's, in time order."""
        return np.searchsorted(self.users, np.arange(self.num_users + 1)).astype(np.int64)

    def to_csr(self) -> "sparse.csr_matrix":
        """Ratings as a (num_users, num_items) sparse matrix; the last of repeated ratings wins."""
        from scipy import sparse  # heavy, and only fitting needs it

        keys = self.users * self.num_items + self.items
        _, last = np.unique(keys[::-1], return_index=True)
        rows = np.sort(len(self) - 1 - last)
        return sparse.csr_matrix(
            (self.ratings[rows], (self.users[rows], self.items[rows])),
            shape=(self.num_users, self.num_items),
        )
