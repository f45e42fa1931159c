"""Facets in the fused forward: low-rank updates beside the base's matrices, weighed token by token.

All facets' ranks are one product (t, R) for a pass, whoever's mixtures its tokens have.

Letters: ``t`` tokens, ``w`` inputs, ``o`` outputs, ``K`` facets, ``r`` ranks of one, ``R`` = K·r,
``P`` projections of one input.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.fused.products import multiply, tiles


class LowRank(NamedTuple):
    """Updates of projections that lie side by side and share their input."""

    down: Tensor  # (w, P·R)
    up: Tensor  # (P·R, o); 0 where a projection's ranks meet another's outputs
    rank: int  # R


class LayerRanks(NamedTuple):
    """The updates of one layer, as ``Layer`` names its matrices; None = there is none."""

    queries: LowRank | None
    keys_values: LowRank | None
    out: LowRank | None
    gate_up: LowRank | None
    down: LowRank | None


def layer_ranks(block: Any, width: int, adapter: str) -> LayerRanks:
    """The updates of an adapter to a layer, norms and the attention scale folded in.

    Args:
        block: a decoder layer whose projections may be peft's.
        width: of a head.
        adapter: an ordinary LoRA on projections.
    """
    attention, mlp = block.self_attn, block.mlp
    before, between = block.input_layernorm.weight, block.post_attention_layernorm.weight
    one = torch.ones(())
    return LayerRanks(
        _low_rank([attention.q_proj], adapter, before, width**-0.5),
        _low_rank([attention.k_proj, attention.v_proj], adapter, before),
        _low_rank([attention.o_proj], adapter, one),
        _low_rank([mlp.gate_proj, mlp.up_proj], adapter, between),
        _low_rank([mlp.down_proj], adapter, one),
    )


def _low_rank(
    modules: Sequence[Any], adapter: str, norm: Tensor, scale: float = 1.0
) -> LowRank | None:
    """Of projections of one input, whose norm's weights are ``norm``; None if none has ranks."""
    down, up, start = [], [], 0
    sizes = [module.out_features for module in modules]
    for module, size in zip(modules, sizes, strict=True):
        if adapter in getattr(module, "lora_A", {}):
            a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
            own = torch.zeros(a.shape[0], sum(sizes))
            own[:, start : start + size] = b.detach().float().t() * module.scaling[adapter] * scale
            down.append((a.detach().float() * norm.float()).t())
            up.append(own)
        start += size
    return _side_by_side(down, up)


def _side_by_side(down: list[Tensor], up: list[Tensor]) -> LowRank | None:
    """Updates as one; ``ValueError`` if their ranks differ."""
    ranks = {len(own) for own in up}
    if len(ranks) > 1:
        raise ValueError(f"ranks {sorted(ranks)} on projections of one input")
    if not ranks:
        return None
    return LowRank(torch.cat(down, 1).contiguous(), torch.cat(up).contiguous(), ranks.pop())


def weighed(low: LowRank, inputs: Tensor, gates: Tensor) -> Tensor:
    """(t, P·R) low ranks of inputs (t, w), each times its facet's weight in gates (t, K)."""
    ranks = inputs.new_empty(len(inputs), low.down.shape[1])
    multiply(inputs, low.down, ranks, None)
    own = low.rank // gates.shape[1]
    parts = ranks.view(len(ranks), -1, gates.shape[1], own)  # t, P, K, r
    return parts.mul_(gates[:, None, :, None]).view(ranks.shape)


def add_update(
    low: LowRank | None, inputs: Tensor, gates: Tensor | None, out: Tensor, tile: int | None
) -> None:
    """Adds the update of inputs (t, w) to ``out`` (t, o); nothing where there is none."""
    if low is not None and gates is not None:
        for own in tiles(len(inputs), tile):
            out[own].addmm_(weighed(low, inputs[own], gates[own]), low.up)


def add_update_across(
    low: LowRank | None, inputs: Tensor, gates: Tensor | None, out: Tensor, tile: int | None
) -> None:
    """As ``add_update``, to ``out`` (o, t), whose tokens lie side by side."""
    if low is not None and gates is not None:
        for own in tiles(len(inputs), tile):
            out[:, own].addmm_(low.up.t(), weighed(low, inputs[own], gates[own]).t())
