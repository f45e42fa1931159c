"""A memory behind FAISS, one flat index a user; arrays and budget are ``ExactMemory``'s."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from agents.memory.exact import ExactMemory
from agents.memory.search import Recalled, check_wanted
from simenv.events import FloatArray, IntArray


class FaissMemory(ExactMemory):
    """One flat inner-product FAISS index a user; same answers as ``ExactMemory``.

    Where a tie reaches over the edge of what was asked for, FAISS keeps any of the equals; these
    users are asked exactly.
    """

    def _reindex(self, users: IntArray | None = None) -> None:
        import faiss

        if users is None:
            self._indexes: list[Any] = [None] * self.num_users
            users = np.arange(self.num_users)
        items, counts = self._store.items, self._store.counts
        for user in users.tolist():
            self._indexes[user] = faiss.IndexFlatIP(self.vectors.shape[1])
            if counts[user]:
                self._indexes[user].add(self.vectors[items[user, : counts[user]]])

    def _index(self, users: IntArray, items: IntArray) -> None:
        order = np.argsort(users, kind="stable")
        owners, starts = np.unique(users[order], return_index=True)
        for user, rows in zip(owners, np.split(order, starts[1:]), strict=True):
            self._indexes[user].add(self.vectors[items[rows]])

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """See ``Memory.recall``; asks for as many more as the item itself could take up."""
        check_wanted(m)
        users, items = np.asarray(users), np.asarray(items)
        own = self._own(users)
        repeats = int((own[:, None, :] == items[:, :, None]).sum(axis=2).max(initial=0))
        # The one beyond shows whether a tie reaches over the edge.
        rows, similarities = self._searched(users, items, m + repeats + 1)
        itself = self._store.items[users[:, None, None], np.maximum(rows, 0)] == items[:, :, None]
        similarities[itself] = -np.inf
        order = np.lexsort((-rows, -similarities), axis=2)[:, :, : m + 1]
        best = np.take_along_axis(rows, order, axis=2)
        found = np.take_along_axis(similarities, order, axis=2)
        recalled = self._recalled(users, best[:, :, :m], found[:, :, :m])
        cut, beyond = found[:, :, m - 1], found[:, :, m]
        tied = np.flatnonzero(((cut == beyond) & ~np.isneginf(beyond)).any(axis=1))
        if len(tied):
            _overwrite(recalled, tied, super().recall(users[tied], items[tied], m))
        return recalled

    def _searched(
        self, users: IntArray, items: IntArray, wanted: int
    ) -> tuple[IntArray, FloatArray]:
        """Rows and similarities (n, k, wanted) as FAISS gives them; -1 and -inf where empty."""
        shape = (*items.shape, wanted)
        rows, similarities = np.full(shape, -1, dtype=np.int64), np.full(shape, -np.inf)
        with _one_faiss_thread():
            for i, user in enumerate(users.tolist()):
                scores, found = self._indexes[user].search(self.vectors[items[i]], wanted)
                rows[i], similarities[i] = found, np.where(found < 0, -np.inf, scores)
        return rows, similarities


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


def _overwrite(recalled: Recalled, rows: IntArray, exact: Recalled) -> None:
    """Put ``exact`` (m, …) in the place of ``rows`` (m,)."""
    for mine, theirs in zip(recalled, exact, strict=True):
        mine[rows] = theirs
