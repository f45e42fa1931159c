"""Keeps past decisions in contiguous arrays, a budget a user. Knows no similarity.

Decisions of a user stand in the order they were made: the place of a decision is its ``row``, and
later rows are more recent.
"""

from collections.abc import Sequence

import numpy as np

from simenv.events import FloatArray, IntArray
from simenv.snapshots import pack_arrays, unpack_arrays


class DecisionStore:
    """Items, ratings and reasons of u users.

    Attributes:
        items: (u, width) item of each decision; -1 where empty.
        ratings: (u, width) stars; 0 where empty.
        counts: (u,) decisions each user keeps.
    """

    def __init__(self, num_users: int) -> None:
        self.num_users = num_users
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.items: IntArray = np.full((self.num_users, 8), -1, dtype=np.int64)
        self.ratings: FloatArray = np.zeros((self.num_users, 8))
        self.counts: IntArray = np.zeros(self.num_users, dtype=np.int64)
        self._reasons: list[list[str]] = [[] for _ in range(self.num_users)]

    def append(
        self,
        users: IntArray,
        rows: IntArray,
        items: IntArray,
        ratings: FloatArray,
        reasons: Sequence[str],
    ) -> None:
        """Decisions (r,) of users (r,) at their ``rows``, which follow what each user has."""
        self._grow(int(rows.max()) + 1)
        self.items[users, rows] = items
        self.ratings[users, rows] = ratings
        np.add.at(self.counts, users, 1)
        for user, reason in zip(users.tolist(), reasons, strict=True):
            self._reasons[user].append(reason)

    def forget(self, users: IntArray, rows: IntArray) -> None:
        """Take one decision from each of the distinct users (n,); later ones move up a row."""
        width = self.items.shape[1]
        places = np.arange(width - 1)
        order = places + (places >= rows[:, None])
        self.items[users, :-1] = np.take_along_axis(self.items[users], order, axis=1)
        self.ratings[users, :-1] = np.take_along_axis(self.ratings[users], order, axis=1)
        self.items[users, -1], self.ratings[users, -1] = -1, 0.0
        self.counts[users] -= 1
        for user, row in zip(users.tolist(), rows.tolist(), strict=True):
            del self._reasons[user][row]

    def _grow(self, wanted: int) -> None:
        width = self.items.shape[1]
        if wanted > width:
            extra = max(wanted, 2 * width) - width
            self.items = np.pad(self.items, ((0, 0), (0, extra)), constant_values=-1)
            self.ratings = np.pad(self.ratings, ((0, 0), (0, extra)))

    @property
    def num_bytes(self) -> int:
        """Of the arrays and of the reasons' letters."""
        said = sum(len(reason) for own in self._reasons for reason in own)
        return self.items.nbytes + self.ratings.nbytes + self.counts.nbytes + said

    def reason(self, user: int, row: int) -> str:
        """The reason kept with a user's ``row``-th decision."""
        return self._reasons[user][row]

    def decisions(self, user: int) -> list[tuple[int, float, str]]:
        """A user's decisions in order: (item, rating, reason)."""
        n = int(self.counts[user])
        columns = self.items[user, :n].tolist(), self.ratings[user, :n].tolist()
        return list(zip(*columns, self._reasons[user], strict=True))

    def snapshot(self) -> bytes:
        """The exact content."""
        texts = [reason.encode() for own in self._reasons for reason in own]
        width = max(1, int(self.counts.max(initial=0)))
        return pack_arrays(
            {
                "items": self.items[:, :width],
                "ratings": self.ratings[:, :width],
                "counts": self.counts,
                "reasons": np.frombuffer(b"".join(texts), dtype=np.uint8),
                "lengths": np.array([len(text) for text in texts], dtype=np.int64),
            }
        )

    def restore(self, snapshot: bytes, budget: int) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: the bytes are no snapshot, one of another number of users, or somebody in it
                keeps more decisions than the budget.
        """
        saved = unpack_arrays(snapshot)
        if len(saved["counts"]) != self.num_users:
            raise ValueError(
                f"snapshot holds memories of {len(saved['counts'])} users, this memory has"
                f" {self.num_users}; restore it into the population it was taken from"
            )
        if (most := int(saved["counts"].max(initial=0))) > budget:
            raise ValueError(
                f"snapshot wanted a memory with a budget of at least {most} decisions a user, this"
                f" one has {budget}; restore it into a memory with the budget it was taken from"
            )
        self.items = saved["items"].astype(np.int64)
        self.ratings = saved["ratings"].astype(np.float64)
        self.counts = saved["counts"].astype(np.int64)
        said, ends = saved["reasons"].tobytes(), saved["lengths"].astype(np.int64).cumsum()
        starts = ends - saved["lengths"].astype(np.int64)
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        texts = iter([said[start:end].decode() for start, end in pairs])
        self._reasons = [[next(texts) for _ in range(n)] for n in self.counts.tolist()]
