"""The obviously correct memory: a batched product over each user's own decisions, in numpy.

Every user has a budget of decisions. Who is full forgets, for each new decision, the one that the
new one stands in for best: the most similar, of equals the oldest. A recall would have found the
two together, so this is the decision that is of least use next to the new one; what is unlike all
else stays.
"""

from collections.abc import Sequence

import numpy as np

from agents.embedding import Vectors
from agents.memory.search import Recalled, check_wanted, largest, rank_within
from agents.memory.store import DecisionStore
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number

BUDGET = 4096  # decisions a user; nobody in MovieLens 1M rated more than 2,314 films
_MOST_NUMBERS = 2**24  # of an array on the way to a recall


def _check_lengths(*columns: Sequence[object] | IntArray | FloatArray) -> None:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"memory.add wanted columns of one length, got {', '.join(map(str, lengths))}"
        )


class ExactMemory:
    """Past decisions of users, found by similarity of their items.

    Args:
        vectors: (num_items, d) unit vectors, computed once for the catalogue; not changed.
        num_users: users 0..num_users-1.
        budget: most decisions kept of a user, at least 1.

    Raises:
        ValueError: the budget is below 1.
    """

    def __init__(self, vectors: Vectors, num_users: int, budget: int = BUDGET) -> None:
        cure = "it counts decisions of a user; to ask people without memories use a style without"
        check_number("memory", "a budget", budget, "whole [1, 1e9]", cure)
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.num_users, self.budget = num_users, budget
        self._store = DecisionStore(num_users)
        self._initial: bytes | None = None
        self._reindex()

    def seal(self) -> None:
        """See ``Memory.seal``."""
        self._initial = self.snapshot()

    def __len__(self) -> int:
        return int(self._store.counts.sum())

    @property
    def num_bytes(self) -> int:
        """See ``Memory.num_bytes``."""
        return self._store.num_bytes

    def count(self, users: IntArray) -> IntArray:
        """See ``Memory.count``."""
        return self._store.counts[users]

    def add(
        self, users: IntArray, items: IntArray, ratings: FloatArray, reasons: Sequence[str]
    ) -> None:
        """See ``Memory.add``; over the budget see the module."""
        users, items = np.asarray(users, dtype=np.int64), np.asarray(items, dtype=np.int64)
        _check_lengths(users, items, ratings, reasons)
        if not len(users):
            return
        ranks = rank_within(users)
        over = np.maximum(self.count(users) + ranks + 1 - self.budget, 0)
        ratings = np.asarray(ratings)
        for turn in range(int(over.max()) + 1):  # who is full makes room for one after another
            rows = np.flatnonzero(over == turn)
            if turn:
                self._make_room(users[rows], items[rows])
            if len(rows):
                part = [reasons[row] for row in rows.tolist()]
                self._append(users[rows], items[rows], ratings[rows], part)

    def _append(
        self, users: IntArray, items: IntArray, ratings: FloatArray, reasons: Sequence[str]
    ) -> None:
        rows = self.count(users) + rank_within(users)
        self._store.append(users, rows, items, ratings, reasons)
        self._index(users, items)

    def _make_room(self, users: IntArray, items: IntArray) -> None:
        """Each of the distinct users (n,), all full, forgets the decision most like the item."""
        gone = np.empty(len(users), dtype=np.int64)
        for part in self._parts(users, 1):
            gone[part] = self._similarities(users[part], items[part, None])[:, 0].argmax(axis=1)
        self._store.forget(users, gone)
        self._reindex(users)

    def _index(self, users: IntArray, items: IntArray) -> None:
        """Hook for memories that keep a search index beside the arrays."""

    def _reindex(self, users: IntArray | None = None) -> None:
        """Hook: rebuild the search index from the arrays, of these users or of all."""

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """See ``Memory.recall``."""
        check_wanted(m)
        users, items = np.asarray(users), np.asarray(items)
        rows = np.zeros((*items.shape, m), dtype=np.int64)
        found = np.full((*items.shape, m), -np.inf)
        for part in self._parts(users, items.shape[1]):
            alike = self._similarities(users[part], items[part])
            itself = self._own(users[part])[:, None, :] == items[part][:, :, None]
            rows[part], found[part] = largest(np.where(itself, -np.inf, alike), m)
        return self._recalled(users, rows, found)

    def _own(self, users: IntArray) -> IntArray:
        """(n, width) items of the users' decisions, as wide as the one with the most."""
        width = max(1, int(self.count(users).max(initial=0)))
        return self._store.items[users, :width]

    def _parts(self, users: IntArray, k: int) -> list[slice]:
        """Cuts of users (n,) for k items each that keep every array on the way small."""
        width = max(1, int(self.count(users).max(initial=0)))
        step = max(1, _MOST_NUMBERS // (width * max(k, self.vectors.shape[1])))
        return [slice(start, start + step) for start in range(0, len(users), step)]

    def _similarities(self, users: IntArray, items: IntArray) -> FloatArray:
        """(n, k, width) cosine of every own decision to items (n, k); -inf where empty."""
        own = self._own(users)
        products = np.einsum("nwd,nkd->nkw", self.vectors[own], self.vectors[items], optimize=True)
        return np.where((own < 0)[:, None, :], -np.inf, products)

    def _recalled(self, users: IntArray, rows: IntArray, found: FloatArray) -> Recalled:
        empty = np.isneginf(found)
        safe = np.where(empty, 0, rows)
        owners = users[:, None, None]
        return Recalled(
            np.where(empty, -1, self._store.items[owners, safe]),
            np.where(empty, 0.0, self._store.ratings[owners, safe]),
            found,
            np.where(empty, -1, rows),
        )

    def reason(self, user: int, row: int) -> str:
        """See ``Memory.reason``."""
        return self._store.reason(user, row)

    def decisions(self, user: int) -> list[tuple[int, float, str]]:
        """See ``Memory.decisions``."""
        return self._store.decisions(user)

    def snapshot(self) -> bytes:
        """See ``Memory.snapshot``."""
        return self._store.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """See ``Memory.restore``.

        Raises:
            ValueError: the bytes are no snapshot, one of another number of users, or one with more
                decisions of a user than the budget.
        """
        self._store.restore(snapshot, self.budget)
        self._reindex()

    def reset(self) -> None:
        """See ``Memory.reset``."""
        if self._initial is None:
            self._store.clear()
            self._reindex()
        else:
            self.restore(self._initial)


class TableMemory(ExactMemory):
    """Looks similarities up in a table of all pairs of items, made once for the catalogue.

    The same answers as ``ExactMemory``, without a product a step; and, as no product is left, a
    user's similarities cannot depend on who else is asked. A catalogue whose table would pass
    ``max_bytes`` is asked by products.
    """

    def __init__(
        self, vectors: Vectors, num_users: int, budget: int = BUDGET, max_bytes: int = 2**29
    ) -> None:
        super().__init__(vectors, num_users, budget)
        self._table: Vectors | None = None
        if 4 * len(self.vectors) ** 2 <= max_bytes:
            self._table = self.vectors @ self.vectors.T

    def _similarities(self, users: IntArray, items: IntArray) -> FloatArray:
        if self._table is None:
            return super()._similarities(users, items)
        own = self._own(users)
        found = self._table[items[:, :, None], own[:, None, :]]  # item -1, the last, is masked
        return np.where((own < 0)[:, None, :], np.float32(-np.inf), found)
