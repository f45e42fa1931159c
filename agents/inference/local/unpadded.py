"""Whole prompts, those of one length in one pass, no padding: right for every causal model.

It knows no adapters and no cache; gradients pass.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from agents.inference.grouping import equal_lengths
from simenv.events import IntArray


def run_by_length(
    rows: Sequence[Sequence[int]],
    device: torch.device,
    run: Callable[[IntArray, Tensor], Tensor],
) -> Tensor:
    """Last logits (n, vocabulary) of rows of token ids, in float32 and in the rows' order.

    Args:
        rows: (n,) at least one.
        device: of the model.
        run: gets which rows they are and their tokens (m, length); gives (m, vocabulary).
    """
    groups = equal_lengths(rows)
    parts = [run(own, torch.tensor([rows[i] for i in own], device=device)) for own in groups]
    places = torch.cat([torch.from_numpy(own) for own in groups]).argsort().to(device)
    return torch.cat(parts).float()[places]


def inputs_of(model: Any, tokens: Tensor, **more: Any) -> dict[str, Any]:
    """What to give a model, with peft or without, for tokens (m, length) that hide nothing.

    Models number the positions themselves: some take no ``position_ids``, some count otherwise.
    ``more`` and the rest are given as far as the model's forward names them.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    known = inspect.signature(inner.forward).parameters
    wanted = {"attention_mask": torch.ones_like(tokens), "use_cache": False, "logits_to_keep": 1}
    wanted |= more
    return {"input_ids": tokens} | {k: value for k, value in wanted.items() if k in known}
