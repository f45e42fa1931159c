"""What a person recalls (long-term memory, Ml): past decisions with reasons, found by similarity.

``ExactMemory`` is the reference in plain numpy, ``FaissMemory`` the same behind FAISS. Both keep
the decisions in arrays; only the search differs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np

from agents.embedding import Vectors
from simenv.events import FloatArray, IntArray
from simenv.snapshots import pack_arrays, unpack_arrays


class Recalled(NamedTuple):
    """Memories of n users for k items each, most similar first; empty places are item -1."""

    items: IntArray  # (n, k, m)
    ratings: FloatArray  # (n, k, m) 0 where empty
    similarities: FloatArray  # (n, k, m) cosine, falling along the last axis; -inf where empty
    rows: IntArray  # (n, k, m) place in the user's own memory, for ``reason``; -1 where empty


class Memory(Protocol):
    """The seam between people and whatever keeps their past."""

    def add(
        self,
        users: IntArray,
        items: IntArray,
        ratings: FloatArray,
        reasons: Sequence[str],
    ) -> None:
        """Append decisions (r,) in the order given."""
        ...

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """Own memories of users (n,) most similar to items (n, k); never of the item itself.

        Raises:
            ValueError: fewer than one memory is wanted.
        """
        ...

    def reason(self, user: int, row: int) -> str:
        """The reason kept with a user's ``row``-th decision."""
        ...

    def snapshot(self) -> bytes:
        """The exact content."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned."""
        ...

    def reset(self) -> None:
        """Forget everything added since construction."""
        ...

    def __len__(self) -> int:
        """How many decisions are kept, over all users."""
        ...


class ExactMemory:
    """Contiguous arrays per user and a batched product: the obviously correct memory."""

    def __init__(self, vectors: Vectors, num_users: int) -> None:
        """Memories over items whose unit vectors are ``vectors`` (num_items, d); not changed."""
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.num_users = num_users
        self._clear()
        self._initial: bytes | None = None

    def _clear(self) -> None:
        self._items = np.full((self.num_users, 8), -1, dtype=np.int64)
        self._ratings = np.zeros((self.num_users, 8))
        self._counts = np.zeros(self.num_users, dtype=np.int64)
        self._reasons: list[list[str]] = [[] for _ in range(self.num_users)]

    def seal(self) -> None:
        """Make the present content the one that ``reset`` goes back to."""
        self._initial = self.snapshot()

    def __len__(self) -> int:
        return int(self._counts.sum())

    def count(self, users: IntArray) -> IntArray:
        """(n,) decisions each user keeps."""
        return self._counts[users]

    def add(
        self, users: IntArray, items: IntArray, ratings: FloatArray, reasons: Sequence[str]
    ) -> None:
        """Append decisions (r,) in the order given."""
        users = np.asarray(users, dtype=np.int64)
        if not len(users) == len(items) == len(ratings) == len(reasons):
            raise ValueError(
                "memory.add wanted columns of one length, got"
                f" {len(users)}, {len(items)}, {len(ratings)}, {len(reasons)}"
            )
        if not len(users):
            return
        rows = self._counts[users] + _rank_within(users)
        self._grow(int(rows.max()) + 1)
        self._items[users, rows] = items
        self._ratings[users, rows] = ratings
        np.add.at(self._counts, users, 1)
        for user, reason in zip(users.tolist(), reasons, strict=True):
            self._reasons[user].append(reason)
        self._index(users, np.asarray(items, dtype=np.int64))

    def _index(self, users: IntArray, items: IntArray) -> None:
        """Hook for memories that keep a search index beside the arrays."""

    def _grow(self, wanted: int) -> None:
        width = self._items.shape[1]
        if wanted > width:
            extra = max(wanted, 2 * width) - width
            self._items = np.pad(self._items, ((0, 0), (0, extra)), constant_values=-1)
            self._ratings = np.pad(self._ratings, ((0, 0), (0, extra)))

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """See ``Memory.recall``; equal similarities: the more recent decision comes first."""
        _check_wanted(m)
        similarities = self._similarities(np.asarray(users), np.asarray(items))
        wide = max(m, similarities.shape[2])
        if similarities.shape[2] < wide:
            pad = wide - similarities.shape[2]
            similarities = np.pad(similarities, ((0, 0), (0, 0), (0, pad)), constant_values=-np.inf)
        rows = _top(similarities, m)
        found = np.take_along_axis(similarities, rows, axis=2)
        return self._recalled(np.asarray(users), rows, found)

    def _similarities(self, users: IntArray, items: IntArray) -> FloatArray:
        """(n, k, width) cosine of every own memory; -inf where empty or the item itself."""
        width = max(1, int(self._counts[users].max(initial=0)))
        own = self._items[users, :width]
        products = np.einsum("nwd,nkd->nkw", self.vectors[own], self.vectors[items], optimize=True)
        forbidden = (own < 0)[:, None, :] | (own[:, None, :] == items[:, :, None])
        return np.where(forbidden, -np.inf, products.astype(np.float64))

    def _recalled(self, users: IntArray, rows: IntArray, found: FloatArray) -> Recalled:
        empty = np.isneginf(found)
        safe = np.where(empty, 0, rows)
        owners = users[:, None, None]
        return Recalled(
            np.where(empty, -1, self._items[owners, safe]),
            np.where(empty, 0.0, self._ratings[owners, safe]),
            found,
            np.where(empty, -1, rows),
        )

    def reason(self, user: int, row: int) -> str:
        """See ``Memory.reason``."""
        return self._reasons[user][row]

    def decisions(self, user: int) -> list[tuple[int, float, str]]:
        """A user's decisions in order: (item, rating, reason)."""
        n = int(self._counts[user])
        return list(
            zip(
                self._items[user, :n].tolist(),
                self._ratings[user, :n].tolist(),
                self._reasons[user],
                strict=True,
            )
        )

    def snapshot(self) -> bytes:
        """See ``Memory.snapshot``."""
        texts = [reason.encode() for own in self._reasons for reason in own]
        width = max(1, int(self._counts.max(initial=0)))
        return pack_arrays(
            {
                "items": self._items[:, :width],
                "ratings": self._ratings[:, :width],
                "counts": self._counts,
                "reasons": np.frombuffer(b"".join(texts), dtype=np.uint8),
                "lengths": np.array([len(text) for text in texts], dtype=np.int64),
            }
        )

    def restore(self, snapshot: bytes) -> None:
        """See ``Memory.restore``.

        Raises:
            ValueError: the bytes are no snapshot, or one of another number of users.
        """
        saved = unpack_arrays(snapshot)
        if len(saved["counts"]) != self.num_users:
            raise ValueError(
                f"snapshot holds memories of {len(saved['counts'])} users, this memory has"
                f" {self.num_users}; restore it into the population it was taken from"
            )
        self._items = saved["items"].astype(np.int64)
        self._ratings = saved["ratings"].astype(np.float64)
        self._counts = saved["counts"].astype(np.int64)
        said, ends = saved["reasons"].tobytes(), saved["lengths"].astype(np.int64).cumsum()
        starts = ends - saved["lengths"].astype(np.int64)
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        texts = iter([said[start:end].decode() for start, end in pairs])
        self._reasons = [[next(texts) for _ in range(n)] for n in self._counts.tolist()]
        self._reindex()

    def _reindex(self) -> None:
        """Hook: rebuild the search index from the arrays."""

    def reset(self) -> None:
        """See ``Memory.reset``: back to ``seal``, or to nothing."""
        if self._initial is None:
            self._clear()
            self._reindex()
        else:
            self.restore(self._initial)


class FaissMemory(ExactMemory):
    """One flat inner-product FAISS index a user; same answers as ``ExactMemory``.

    Where a tie reaches over the edge of what was asked for, FAISS keeps any of the equals; these
    users are asked exactly.
    """

    def _clear(self) -> None:
        super()._clear()
        self._reindex()

    def _reindex(self) -> None:
        import faiss

        self._indexes = [faiss.IndexFlatIP(self.vectors.shape[1]) for _ in range(self.num_users)]
        for user in np.flatnonzero(self._counts):
            self._indexes[user].add(self.vectors[self._items[user, : self._counts[user]]])

    def _index(self, users: IntArray, items: IntArray) -> None:
        order = np.argsort(users, kind="stable")
        owners, starts = np.unique(users[order], return_index=True)
        for user, rows in zip(owners, np.split(order, starts[1:]), strict=True):
            self._indexes[user].add(self.vectors[items[rows]])

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """See ``Memory.recall``; asks for as many more as the item itself could take up."""
        _check_wanted(m)
        users, items = np.asarray(users), np.asarray(items)
        n, k = items.shape
        own = self._items[users]
        repeats = int((own[:, None, :] == items[:, :, None]).sum(axis=2).max(initial=0))
        wanted = m + repeats + 1  # the one beyond shows whether a tie reaches over the edge
        similarities = np.full((n, k, wanted), -np.inf)
        rows = np.full((n, k, wanted), -1, dtype=np.int64)
        with _one_faiss_thread():
            for i, user in enumerate(users.tolist()):
                scores, found = self._indexes[user].search(self.vectors[items[i]], wanted)
                rows[i] = found
                similarities[i] = np.where(found < 0, -np.inf, scores)
        owners = users[:, None, None]
        itself = self._items[owners, np.maximum(rows, 0)] == items[:, :, None]
        similarities[itself] = -np.inf
        order = np.lexsort((-rows, -similarities), axis=2)[:, :, : m + 1]
        best = np.take_along_axis(rows, order, axis=2)
        found = np.take_along_axis(similarities, order, axis=2)
        recalled = self._recalled(users, best[:, :, :m], found[:, :, :m])
        cut, beyond = found[:, :, m - 1], found[:, :, m]
        tied = np.flatnonzero(((cut == beyond) & ~np.isneginf(beyond)).any(axis=1))
        if len(tied):
            exact = super().recall(users[tied], items[tied], m)
            for mine, theirs in zip(recalled, exact, strict=True):
                mine[tied] = theirs
        return recalled


@contextmanager
def _one_faiss_thread() -> Iterator[None]:
    """FAISS on one thread: a batch is thousands of tiny searches, not worth waking threads for.

    The number is put back, because FAISS shares it with torch.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _check_wanted(m: int) -> None:
    if m < 1:
        raise ValueError(
            f"recall wanted at least 1 memory, got m={m}; ask for more, or leave memory out"
        )


def _top(similarities: FloatArray, m: int) -> IntArray:
    """Places of the m largest along the last axis, falling; ties: the later place first."""
    n, k, width = similarities.shape
    flipped = similarities[:, :, ::-1]
    if width > 4 * m:
        cut = -np.partition(-flipped, m - 1, axis=2)[:, :, m - 1 : m]
        above, equal = flipped > cut, flipped == cut
        room = m - above.sum(axis=2, keepdims=True)
        chosen = above | (equal & (equal.cumsum(axis=2) <= room))
        part = np.nonzero(chosen)[2].reshape(n, k, m)
        values = np.take_along_axis(flipped, part, axis=2)
        order = np.argsort(-values, axis=2, kind="stable")
        best = np.take_along_axis(part, order, axis=2)
    else:
        best = np.argsort(-flipped, axis=2, kind="stable")[:, :, :m]
    return np.asarray(width - 1 - best, dtype=np.int64)


def _rank_within(users: IntArray) -> IntArray:
    """(r,) how many earlier rows of this batch belong to the same user; r > 0."""
    order = np.argsort(users, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(users[order])) + 1]
    run = np.repeat(starts, np.diff(np.r_[starts, len(users)]))
    ranks = np.empty(len(users), dtype=np.int64)
    ranks[order] = np.arange(len(users)) - run
    return ranks
