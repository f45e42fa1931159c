"""The vocabulary both sides of the counter share: logs, slates and feedback. No behaviour.

Letters: ``n`` users in the batch, ``k`` slate places, ``r`` rows of a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simenv.values.clocks import EARLIEST, LATEST, times_of
from simenv.values.column_checks import numbers, one_length, whole_numbers

if TYPE_CHECKING:
    from scipy import sparse

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SeedArray = NDArray[np.uint64]

NUM_STARS = 5
_COLUMNS = ("users", "items", "ratings", "timestamps")
_REGULAR = "give one entry a row to each"
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
    (r,) stars in [1, 5], ``timestamps`` (r,) float64 seconds, non-decreasing within a user: since
    1970-01-01 UTC, or since anything else where nobody knows the date (rows that are counted, a
    simulated life). ``from_columns`` sorts, and reads every other spelling of a clock.

    Raises:
        ValueError: columns of several lengths, an id that is no whole number or out of range, stars
            or times that are no numbers or out of range, or rows that are not sorted.
    """

    users: IntArray
    items: IntArray
    ratings: FloatArray
    timestamps: FloatArray
    num_users: int
    num_items: int

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in _COLUMNS}
        one_length({name: len(column) for name, column in columns.items()}, "a log", _REGULAR)
        checked = {
            "users": _ids(self.users, "users", self.num_users),
            "items": _ids(self.items, "items", self.num_items),
            "ratings": numbers(
                self.ratings, "log ratings", 1, NUM_STARS, "rescale them to stars first"
            ),
            "timestamps": numbers(
                self.timestamps, "log timestamps", EARLIEST, LATEST + 1,
                "give seconds, or any other clock to InteractionLog.from_columns",
            ),
        }  # fmt: skip
        for name, column in checked.items():
            object.__setattr__(self, name, column)
        self._check_order()

    def _check_order(self) -> None:
        step = np.diff(self.users)
        wrong = (step < 0) | ((step == 0) & (np.diff(self.timestamps) < 0))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0]) + 1
            raise ValueError(
                f"a log wanted rows sorted by user, then time, got user {self.users[row]} at"
                f" {self.timestamps[row]:.6f} in row {row}, after user {self.users[row - 1]} at"
                f" {self.timestamps[row - 1]:.6f}; build it with InteractionLog.from_columns"
            )

    @classmethod
    def from_columns(
        cls,
        users: Sequence[int] | IntArray,
        items: Sequence[int] | IntArray,
        ratings: Sequence[float] | FloatArray,
        timestamps: ArrayLike | None = None,
        *,
        num_users: int,
        num_items: int,
    ) -> "InteractionLog":
        """Build a log from rows in any order; equal times keep the order given.

        Args:
            users: (r,) in ``[0, num_users)``.
            items: (r,) in ``[0, num_items)``.
            ratings: (r,) stars in [1, 5].
            timestamps: (r,) seconds since 1970, or any other spelling that
                ``simenv.values.clocks.moments_of`` reads: ``datetime64``, ISO 8601 dates,
                milliseconds, …; None = the order given is the order in time, a second a row.
            num_users: how many there are, rows or not.
            num_items: how many there are, rows or not.

        Raises:
            ValueError: as for the class, or a cell of ``timestamps`` is no time.
        """
        u = _ids(users, "users", num_users)
        columns = {"users": len(u), "items": len(items), "ratings": len(ratings)}
        if timestamps is None:
            seconds, exact = np.arange(len(u), dtype=np.float64), np.arange(len(u))
        else:
            seconds, exact = times_of(timestamps, "log timestamps")
            columns["timestamps"] = len(seconds)
        one_length(columns, "a log", _REGULAR)
        order = np.lexsort((exact, u))
        return cls(
            u[order],
            _ids(items, "items", num_items)[order],
            numbers(ratings, "log ratings", 1, NUM_STARS, "rescale them to stars first")[order],
            seconds[order],
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


def _ids(column: ArrayLike, name: str, size: int) -> IntArray:
    cure = "re-index them or give a larger catalogue"
    return whole_numbers(column, f"log {name}", 0, size - 1, cure)
