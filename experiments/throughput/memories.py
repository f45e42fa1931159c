"""Long-term memories side by side: adding to and recalling from many users' pasts in batches."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from agents.embedding import Vectors
from agents.memory.base import ExactMemory, FaissMemory, MakeMemory, Memory, TableMemory
from experiments.throughput.timing import Spread, spread
from simenv.events import FloatArray, IntArray

_KINDS: dict[str, MakeMemory] = {
    "table": TableMemory,
    "products": ExactMemory,
    "many_indexes": FaissMemory,
}


class MemorySizes(NamedTuple):
    """What the memories hold and are asked."""

    users: int
    kept: int  # decisions a user
    slate: int
    recalled: int  # decisions a recall gives
    items: int
    width: int  # numbers of an item vector


def race_memories(sizes: MemorySizes, rounds: int, seed: int = 0) -> dict[str, Any]:
    """Every memory takes one decision of every user and recalls for a slate each, turn by turn.

    ``one_index`` is a FAISS index over all decisions, user after user, searched with an
    ``IDSelectorRange`` a user. It is asked about the decisions of the start and takes no more of
    them, since a later one would not lie in its user's range: its best case.

    Returns:
        ``sizes``; by memory, ``add`` and ``recall`` in seconds a call, and ``ratios``, its recall
        over the table's.
    """
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((sizes.items, sizes.width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    users = np.arange(sizes.users)
    past = rng.integers(0, sizes.items, (sizes.users, sizes.kept))
    memories = {name: make(vectors, sizes.users) for name, make in _KINDS.items()}
    for memory in memories.values():
        _add(memory, np.repeat(users, sizes.kept), past.ravel())
    single = OneIndex(vectors, past)
    seconds: dict[str, dict[str, list[float]]] = {"add": {}, "recall": {}}
    for _ in range(rounds):
        new, asked = (rng.integers(0, sizes.items, (sizes.users, k)) for k in (1, sizes.slate))
        for name, memory in memories.items():
            _clock(seconds["add"], name, partial(_add, memory, users, new[:, 0]))
            _clock(seconds["recall"], name, partial(memory.recall, users, asked, sizes.recalled))
        _clock(seconds["recall"], "one_index", partial(single.recall, asked, sizes.recalled))
    base = seconds["recall"]["table"]
    return {
        "sizes": sizes._asdict(),
        "add": {name: spread(own) for name, own in seconds["add"].items()},
        "recall": {name: spread(own) for name, own in seconds["recall"].items()},
        "ratios": _ratios(seconds["recall"], base),
    }


class OneIndex:
    """All decisions (n, kept) in one FAISS index, user after user."""

    def __init__(self, vectors: Vectors, past: IntArray) -> None:
        import faiss

        self._vectors, self._kept = vectors, past.shape[1]
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors[past.ravel()])

    def recall(self, items: IntArray, m: int) -> tuple[FloatArray, IntArray]:
        """Similarities and places (n, k, m), the item itself included."""
        import faiss

        scores, found = np.empty((*items.shape, m)), np.empty((*items.shape, m), dtype=np.int64)
        for user, own in enumerate(items):
            chosen = faiss.IDSelectorRange(user * self._kept, (user + 1) * self._kept, True)
            options = faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
            scores[user], found[user] = self._index.search(self._vectors[own], m, params=options)
        return scores, found


def _add(memory: Memory, users: IntArray, items: IntArray) -> None:
    memory.add(users, items, np.full(len(users), 4.0), ["liked it"] * len(users))


def _clock(seconds: dict[str, list[float]], name: str, work: Callable[[], object]) -> None:
    started = time.perf_counter()
    work()
    seconds.setdefault(name, []).append(time.perf_counter() - started)


def _ratios(seconds: dict[str, list[float]], base: list[float]) -> dict[str, Spread]:
    return {
        name: spread(a / b for a, b in zip(own, base, strict=True))
        for name, own in seconds.items()
        if own is not base
    }
