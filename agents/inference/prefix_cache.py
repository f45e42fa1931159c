"""Keys and values of texts, kept per (adapter, text) within a byte budget, least used out.

A text is a prefix, or what follows one: the fast forward also keeps a suffix's first line.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from torch import Tensor

_Key = TypeVar("_Key", bound=Hashable)


class CacheStats(NamedTuple):
    """What the cache did so far."""

    hits: int
    misses: int
    evictions: int
    num_bytes: int

    @property
    def hit_rate(self) -> float:
        """Share of look-ups answered, in [0, 1]; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)


class PrefixCache:
    """Least-recently-used store of tensors (layers, 2, heads, length, width).

    The adapter is part of the key: keys and values computed under another adapter are silently
    wrong. An entry larger than the whole budget is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str | None, Hashable], Tensor] = OrderedDict()
        self._bytes = self._hits = self._misses = self._evictions = 0

    def get(self, adapter: str | None, prefix: Hashable) -> Tensor | None:
        """The entry, now the most recently used; None if it is not there."""
        entry = self._entries.get((adapter, prefix))
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._entries.move_to_end((adapter, prefix))
        return entry

    def put(self, adapter: str | None, prefix: Hashable, states: Tensor) -> None:
        """Keep ``states`` (not copied), throwing out the least recently used for room."""
        size = states.numel() * states.element_size()
        if size > self.max_bytes:
            return
        key = (adapter, prefix)
        if key in self._entries:
            self._bytes -= _size(self._entries.pop(key))
        while self._bytes + size > self.max_bytes:
            _, old = self._entries.popitem(last=False)
            self._bytes -= _size(old)
            self._evictions += 1
        self._entries[key] = states
        self._bytes += size

    def fetch(
        self,
        adapter: str | None,
        prefixes: Sequence[_Key],
        compute: Callable[[list[_Key]], Iterable[Tensor]],
    ) -> dict[_Key, Tensor]:
        """The entries of all ``prefixes``, each once, in order of first appearance.

        Args:
            adapter: under which they are computed.
            prefixes: texts, or whatever names one; may repeat.
            compute: gives the entries of those that are not kept, in order; they are then kept.
        """
        found = {prefix: self.get(adapter, prefix) for prefix in dict.fromkeys(prefixes)}
        missing = [prefix for prefix, entry in found.items() if entry is None]
        if missing:
            for prefix, entry in zip(missing, compute(missing), strict=True):
                found[prefix] = entry
                self.put(adapter, prefix, entry)
        return {prefix: entry for prefix, entry in found.items() if entry is not None}

    def drop(self, adapter: str | None) -> None:
        """Forget every entry of one adapter."""
        for key in [key for key in self._entries if key[0] == adapter]:
            self._bytes -= _size(self._entries.pop(key))

    def clear(self) -> None:
        """Forget every entry; the counts stay."""
        self._entries.clear()
        self._bytes = 0

    @property
    def stats(self) -> CacheStats:
        """Counts since construction."""
        return CacheStats(self._hits, self._misses, self._evictions, self._bytes)

    def __len__(self) -> int:
        return len(self._entries)


def _size(states: Tensor) -> int:
    return states.numel() * states.element_size()
