"""Mixing facets on Hugging Face's model: low ranks multiplied row by row.

It happens between the two small products of a LoRA, so a batch of people with different mixtures is
one pass (rank K·r) and no weights are merged.

Letters: ``n`` rows, ``K`` facets, ``r`` rank of one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from agents.inference.facets.mixtures import read_mixture


def check_facets(adapters: Sequence[str | None]) -> None:
    """Refuse mixtures where rows name adapters of their own.

    Raises:
        ValueError: one of the adapters is a mixture.
    """
    if mixtures := [name for name in adapters if read_mixture(name).gate]:
        raise ValueError(
            f"adapter_mode='mixed' wanted ordinary adapters, got the mixture {mixtures[0]!r}; use"
            " adapter_mode='auto', which mixes facets in one batch"
        )


def rank_weights(names: Sequence[str | None], rank: int, dtype: torch.dtype) -> Tensor:
    """(n, rank) what each rank of a facets' adapter counts for, from the rows' mixtures."""
    gates = torch.tensor([read_mixture(name).gate for name in names], dtype=dtype)
    return gates.repeat_interleave(rank // gates.shape[1], dim=1)


@contextmanager
def mixed(model: Any, adapter: str, names: Sequence[str | None]) -> Iterator[None]:
    """``model`` with the facets of ``adapter`` mixed as ``names`` (n,) say, or one name for all."""
    with scaled_ranks(
        model, adapter, lambda low: rank_weights(names, low.shape[-1], low.dtype).to(low.device)
    ):
        yield


@contextmanager
def scaled_ranks(model: Any, adapter: str, weights: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """A peft model; an adapter's low ranks (n, …, rank) are multiplied by ``weights`` of them."""

    def scale(_: Any, __: Any, low: Tensor) -> Tensor:
        own: Tensor = weights(low)
        if len(own) not in (1, len(low)):
            raise ValueError(
                f"facets wanted a layer that keeps {len(own)} rows apart, got {len(low)} rows;"
                " merge one mixture into a model of its own"
            )
        return low * own.view(len(own), *[1] * (low.ndim - 2), -1)

    layers = [m for m in model.modules() if adapter in getattr(m, "lora_A", {})]
    hooks = [layer.lora_A[adapter].register_forward_hook(scale) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
