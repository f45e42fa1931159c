"""A prefix cache with a second floor in main memory, for a GPU whose own memory is too small.

What is computed is also written to the host, once; what the device let go of comes back over the
bus instead of through the model. Whether that is faster depends on the model: ``offload_pays``.
"""

from collections.abc import Hashable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from agents.inference.prefix_cache import CacheStats, PrefixCache


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


class OffloadedCache(PrefixCache):
    """``PrefixCache`` on ``device``, over another one in main memory.

    Args:
        max_bytes: on the device.
        host_bytes: in main memory, pinned where there is a GPU.
        device: where entries are used.
    """

    def __init__(self, max_bytes: int, host_bytes: int, device: torch.device) -> None:
        super().__init__(max_bytes)
        self._device = device
        self._host = PrefixCache(host_bytes)

    def get(self, adapter: str | None, prefix: Hashable) -> Tensor | None:
        """See ``PrefixCache.get``; what only the host has is on the device again afterwards."""
        entry = super().get(adapter, prefix)
        if entry is None:
            kept = self._host.get(adapter, prefix)
            if kept is not None:
                entry = kept.to(self._device, non_blocking=True)
                super().put(adapter, prefix, entry)
        return entry

    def put(self, adapter: str | None, prefix: Hashable, states: Tensor) -> None:
        """See ``PrefixCache.put``; a copy goes to the host."""
        super().put(adapter, prefix, states)
        size = states.numel() * states.element_size()
        if size <= self._host.max_bytes:
            pinned = self._device.type == "cuda"
            copy = torch.empty(states.shape, dtype=states.dtype, pin_memory=pinned)
            self._host.put(adapter, prefix, copy.copy_(states))

    def drop(self, adapter: str | None) -> None:
        """Forget every entry of one adapter, on both floors."""
        super().drop(adapter)
        self._host.drop(adapter)

    def clear(self) -> None:
        """Forget every entry on both floors; the counts stay."""
        super().clear()
        self._host.clear()

    @property
    def stats(self) -> CacheStats:
        """Counts since construction: misses are what neither floor had, bytes the device's."""
        own, host = super().stats, self._host.stats
        return own._replace(hits=own.hits + host.hits, misses=host.misses)


def make_cache(
    max_bytes: int | Literal["auto"], host_bytes: int, device: torch.device
) -> PrefixCache:
    """The prefix cache of a device, with a second floor where ``host_bytes`` > 0.

    ``auto`` = 1 GiB, on a GPU half of the memory that is free now.
    """
    if max_bytes == "auto":
        free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 2**31
        max_bytes = free // 2
    return OffloadedCache(max_bytes, host_bytes, device) if host_bytes else PrefixCache(max_bytes)
