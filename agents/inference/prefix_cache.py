"""Keys and values of texts, kept per (adapter, text) within a byte budget, least used out.

A text is a prefix, or what follows one: the fused forward also keeps a suffix's first line. A
second floor in main memory, for a GPU whose own memory is too small, holds a copy of what is
computed, so that what the device let go of comes back over the bus instead of through the model.
Whether that is faster depends on the model: ``offload_pays``.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

_Key = TypeVar("_Key", bound=Hashable)
_CPU = torch.device("cpu")


class CacheStats(NamedTuple):
    """What the cache did so far."""

    hits: int  # on either floor
    misses: int  # what neither floor had
    evictions: int  # from the device
    num_bytes: int  # on the device

    @property
    def hit_rate(self) -> float:
        """Share of look-ups answered, in [0, 1]; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)


class PrefixCache:
    """Least-recently-used store of tensors (layers, 2, heads, length, width).

    The adapter is part of the key: keys and values computed under another adapter are silently
    wrong. An entry larger than the whole budget is not kept.

    Args:
        max_bytes: on the device.
        host_bytes: of the second floor, in main memory, pinned where there is a GPU; 0 = none.
        device: where entries are used; matters with a second floor only.
    """

    def __init__(self, max_bytes: int, host_bytes: int = 0, device: torch.device = _CPU) -> None:
        self._floor = _Floor(max_bytes)
        self._host = _Floor(host_bytes) if host_bytes else None
        self._device = device
        self._hits = self._misses = 0

    @property
    def max_bytes(self) -> int:
        """Budget on the device."""
        return self._floor.max_bytes

    def get(self, adapter: str | None, prefix: Hashable) -> Tensor | None:
        """The entry, now the most recently used and on the device; None if it is not there."""
        key = (adapter, prefix)
        entry = self._floor.get(key)
        if entry is None and self._host is not None:
            kept = self._host.get(key)
            if kept is not None:
                entry = kept.to(self._device, non_blocking=True)
                self._floor.put(key, entry)
        self._hits += entry is not None
        self._misses += entry is None
        return entry

    def put(self, adapter: str | None, prefix: Hashable, states: Tensor) -> None:
        """Keep ``states`` (not copied), throwing out the least recently used for room."""
        self._floor.put((adapter, prefix), states)
        if self._host is not None and _size(states) <= self._host.max_bytes:
            pinned = self._device.type == "cuda"
            copy = torch.empty(states.shape, dtype=states.dtype, pin_memory=pinned)
            self._host.put((adapter, prefix), copy.copy_(states))

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
        """Forget every entry of one adapter, on both floors."""
        for floor in self._floors():
            floor.drop(adapter)

    def clear(self) -> None:
        """Forget every entry on both floors; the counts stay."""
        for floor in self._floors():
            floor.clear()

    @property
    def stats(self) -> CacheStats:
        """Counts since construction."""
        return CacheStats(self._hits, self._misses, self._floor.evictions, self._floor.num_bytes)

    def __len__(self) -> int:
        return len(self._floor.entries)

    def _floors(self) -> list["_Floor"]:
        return [self._floor] if self._host is None else [self._floor, self._host]


class _Floor:
    """Entries in one memory, within its budget."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.entries: OrderedDict[tuple[str | None, Hashable], Tensor] = OrderedDict()
        self.num_bytes = self.evictions = 0

    def get(self, key: tuple[str | None, Hashable]) -> Tensor | None:
        entry = self.entries.get(key)
        if entry is not None:
            self.entries.move_to_end(key)
        return entry

    def put(self, key: tuple[str | None, Hashable], states: Tensor) -> None:
        size = _size(states)
        if size > self.max_bytes:
            return
        if key in self.entries:
            self.num_bytes -= _size(self.entries.pop(key))
        while self.num_bytes + size > self.max_bytes:
            _, old = self.entries.popitem(last=False)
            self.num_bytes -= _size(old)
            self.evictions += 1
        self.entries[key] = states
        self.num_bytes += size

    def drop(self, adapter: str | None) -> None:
        for key in [key for key in self.entries if key[0] == adapter]:
            self.num_bytes -= _size(self.entries.pop(key))

    def clear(self) -> None:
        self.entries.clear()
        self.num_bytes = 0


class PrefixCost(NamedTuple):
    """What one token of a prefix costs a model."""

    num_bytes: int  # of keys and values
    flops: float  # 2 x weights of the layers


def offload_pays(token: PrefixCost, upload: float, reached: float) -> bool:
    """Whether a prefix comes back from the host faster than it is computed again.

    Args:
        token: of the model. Phi-3-mini: 393,216 bytes (every head has keys of its own) and 7.2
            GFLOP; a model of 8 billion weights with 8 key heads: 131,072 bytes and 14 GFLOP.
        upload: bytes per second to the device, ``machine.upload_bandwidth``.
        reached: FLOP per second that the engine reaches, ``EngineFigures.flops_per_second``.
    """
    return token.num_bytes / upload < token.flops / reached


def make_cache(
    max_bytes: int | Literal["auto"], host_bytes: int, device: torch.device
) -> PrefixCache:
    """The prefix cache of a device, with a second floor where ``host_bytes`` > 0.

    ``auto`` = 1 GiB, on a GPU half of the memory that is free now.
    """
    if max_bytes == "auto":
        free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 2**31
        max_bytes = free // 2
    return PrefixCache(max_bytes, host_bytes, device)


def _size(states: Tensor) -> int:
    return states.numel() * states.element_size()
