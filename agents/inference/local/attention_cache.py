"""Hugging Face's key-value cache with prefixes written straight to where attention reads them.

Its own way, a cache of the prefixes that grows by concatenation, copies every prefix three times a
pass: to its row, into the cache, and beside the new tokens. Here each is copied once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

_ALIGNED = 8  # attention kernels of a GPU copy masks whose rows do not start on such a place


def preloaded_cache(prefixes: Sequence[Tensor], new: int) -> tuple[Any, Tensor]:
    """A cache with n prefixes in it, left-padded, and room for ``new`` tokens behind each.

    Args:
        prefixes: (layers, 2, heads, length, width) each, on one device.
        new: tokens that the pass will add.

    Returns:
        A ``Cache`` for one pass, and the mask (n, longest) of the prefixes, 0 = padding.
    """
    from transformers.cache_utils import Cache

    longest = max(states.shape[3] for states in prefixes)
    longest += -(longest + new) % _ALIGNED
    layers, two, heads, _, width = prefixes[0].shape
    room = prefixes[0].new_empty((layers, two, len(prefixes), heads, longest + new, width))
    mask = torch.zeros((len(prefixes), longest), dtype=torch.long)
    for i, states in enumerate(prefixes):
        begin = longest - states.shape[3]
        room[:, :, i, :, :begin] = 0  # masked, but it must not be NaN
        room[:, :, i, :, begin:longest] = states
        mask[i, begin:] = 1
    return Cache(layers=[_layer_class()(*layer, longest) for layer in room]), mask.to(room.device)


@lru_cache(maxsize=1)
def _layer_class() -> Any:
    from transformers.cache_utils import DynamicLayer

    class PreloadedLayer(DynamicLayer):
        """Keys and values (n, heads, longest + new, width), of which ``filled`` are there."""

        def __init__(self, keys: Tensor, values: Tensor, filled: int) -> None:
            super().__init__()
            self.keys: Tensor = keys
            self.values: Tensor = values
            self.filled = filled
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

        def update(
            self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
        ) -> tuple[Tensor, Tensor]:
            """Write the new tokens behind the prefixes."""
            end = self.filled + key_states.shape[2]
            self.keys[:, :, self.filled : end] = key_states
            self.values[:, :, self.filled : end] = value_states
            self.filled = end
            return self.keys[:, :, :end], self.values[:, :, :end]

        def get_seq_length(self) -> int:
            """Tokens that are there."""
            return self.filled

    return PreloadedLayer
