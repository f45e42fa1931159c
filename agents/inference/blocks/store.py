"""What was read, kept by text: keys and values of gist tokens, within a budget, least used out.

Each kind of text has a table of its own, with a row a text; a request finds its rows and gathers
them. It knows no model: whoever asks says how a text is read.

Letters: ``n`` texts, ``L`` layers, ``G`` key heads, ``g`` gist tokens, ``D`` head width.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from simenv.events import IntArray

_FIRST_ROWS = 256
_Key = TypeVar("_Key", bound=Hashable)


class StoreStats(NamedTuple):
    """What a table did so far."""

    hits: int
    misses: int
    evictions: int
    num_bytes: int

    @property
    def hit_rate(self) -> float:
        """Share of look-ups answered, in [0, 1]; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)


class BlockTable:
    """Rows of states (L, 2, G, g, D), found by text.

    Args:
        shape: of the states of one text: (L, 2, G, g, D).
        max_bytes: of the table. What is asked for from one ``begin`` to the next is kept together,
            even beyond it.
        dtype: of the states.
        device: where they are.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        max_bytes: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self._states = torch.empty(0, *shape, dtype=dtype, device=device)
        self._row_bytes = int(np.prod(shape)) * self._states.element_size()
        self._most = max(1, max_bytes // max(1, self._row_bytes))
        self._rows: dict[Hashable, int] = {}
        self._keys: list[Hashable | None] = []
        self._empty: list[int] = []  # rows below the size that are nobody's
        self._used = np.zeros(0, dtype=np.int64)
        self._tick = self._hits = self._misses = self._evictions = 0

    def begin(self) -> None:
        """What is asked for from now on is kept until the next beginning."""
        self._tick += 1

    def rows(self, keys: Sequence[_Key], read: Callable[[list[_Key]], Tensor]) -> IntArray:
        """The rows (n,) of ``keys`` (n,); those that are not kept are read, each once.

        Args:
            keys: name the texts; may repeat.
            read: gives the states (L, 2, n, G, g, D) of texts, in their order.
        """
        known = self._rows
        missing = list(dict.fromkeys(key for key in keys if key not in known))
        # What is needed is not let go of to make room for the rest of it.
        kept = np.array([known[key] for key in keys if key in known], dtype=np.int64)
        self._used[kept] = self._tick
        self._hits += len(keys) - len(missing)
        self._misses += len(missing)
        if missing:
            states = read(missing).transpose(0, 2).transpose(1, 2)  # (n, L, 2, G, g, D)
            states = states.to(self._states.dtype)
            places = self._free(len(missing))
            self._states[torch.tensor(places)] = states
            self._used[places] = self._tick
            for place, key in zip(places, missing, strict=True):
                known[key] = place
                self._keys[place] = key
        return np.array([known[key] for key in keys], dtype=np.int64)

    def gather(self, rows: IntArray) -> Tensor:
        """States (n, L, 2, G, g, D) of rows (n,)."""
        return self._states[torch.from_numpy(rows.reshape(-1)).to(self._states.device)]

    def drop(self, chosen: Callable[[Hashable], bool]) -> None:
        """Forget the texts whose key is chosen."""
        for key in [key for key in self._rows if chosen(key)]:
            self._forget(self._rows[key])

    def clear(self) -> None:
        """Forget everything; the counts stay."""
        self._states = self._states[:0].clone()
        self._rows.clear()
        self._keys.clear()
        self._empty.clear()
        self._used = self._used[:0]

    @property
    def stats(self) -> StoreStats:
        """Counts since construction, and the size now."""
        size = len(self._keys) * self._row_bytes
        return StoreStats(self._hits, self._misses, self._evictions, size)

    def __len__(self) -> int:
        return len(self._rows)

    def _free(self, wanted: int) -> list[int]:
        """Rows that are nobody's: empty ones, then new ones, then the least used."""
        short = wanted - len(self._empty) - max(0, self._most - len(self._keys))
        if short > 0:
            self._evict(short)
        if (more := wanted - len(self._empty)) > 0:
            size = len(self._keys)
            self._grow(size + more)
            self._empty += range(size, size + more)
        taken, self._empty = self._empty[:wanted], self._empty[wanted:]
        return taken

    def _evict(self, wanted: int) -> None:
        """Let go of the least used rows; of some more than wanted, so that it is seldom done."""
        old = np.flatnonzero(self._used < self._tick)
        old = old[[self._keys[i] is not None for i in old]]
        count = min(len(old), max(wanted, self._most // 16))
        for row in old[np.argsort(self._used[old], kind="stable")][:count].tolist():
            self._forget(row)
        self._evictions += count

    def _forget(self, row: int) -> None:
        key = self._keys[row]
        if key is not None:
            del self._rows[key]
            self._empty.append(row)
        self._keys[row] = None

    def _grow(self, size: int) -> None:
        if size > len(self._states):  # first, since memory may not hold it
            # At least doubled, so that growing costs little, but not beyond the budget.
            room = max(size, min(max(2 * len(self._states), _FIRST_ROWS), self._most))
            more = torch.empty(
                room, *self._states.shape[1:], dtype=self._states.dtype, device=self._states.device
            )
            more[: len(self._states)] = self._states
            self._states = more
        self._keys += [None] * (size - len(self._keys))
        self._used = np.concatenate([self._used, np.zeros(size - len(self._used), dtype=np.int64)])
