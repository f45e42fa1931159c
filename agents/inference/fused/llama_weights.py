"""Weights of a Llama-like model laid out for ``LlamaForward``; a LoRA is merged into its own set.

Letters: ``w`` hidden width, ``H`` query heads, ``G`` key heads, ``D`` head width, ``f`` MLP width.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.fused.low_rank import LayerRanks, layer_ranks

_ARCHITECTURES = ("LlamaForCausalLM", "MistralForCausalLM")
_TABLE_NUMBERS = 2**22  # largest table of the first layer's projections (16 MiB in float32)


class NotFused(Exception):  # noqa: N818 (a signal: Hugging Face's own forward answers instead)
    """The fused forward cannot answer this; the text gives the reason."""


class Shape(NamedTuple):
    """What the forward pass must know of a model."""

    heads: int  # H
    key_heads: int  # G
    width: int  # D
    eps: float  # of the RMS norms


class Layer(NamedTuple):
    """One layer; norms and the attention scale are folded into the matrices (inputs, outputs).

    The matrices are in the model's number format, all else is float32.
    """

    queries: Tensor  # (H·D, w)
    keys_values: Tensor  # (w, 2·G·D)
    out: Tensor  # (H·D, w)
    gate_up: Tensor  # (w, 2f)
    down: Tensor  # (f, w)


class Weights(NamedTuple):
    """A base model, or a base model with one adapter merged in."""

    layers: list[Layer]
    embedding: Tensor  # (vocabulary, w), the model's own
    first: Tensor | None  # (vocabulary, 2·G·D) the first layer's keys and values of each token
    head: Tensor  # (vocabulary, w), the model's own
    norm: Tensor  # (w,) before the head
    ranks: list[LayerRanks] | None = None  # of facets, which are not merged but weighed by row

    @property
    def num_bytes(self) -> int:
        """Bytes that this set adds to the model's own."""
        tensors = [t for layer in self.layers for t in layer]
        tensors += [] if self.first is None else [self.first]
        lows = [low for layer in self.ranks or () for low in layer if low is not None]
        tensors += [t for low in lows for t in (low.down, low.up)]
        return sum(t.numel() * t.element_size() for t in tensors)


def why_not(model: Any) -> str | None:
    """Why the fast forward cannot run this base model; None if it can."""
    config, architecture = model.config, getattr(model, "architecture", type(model).__name__)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    window = getattr(config, "sliding_window", None)
    dtypes = {str(p.dtype) for p in model.parameters()}
    reasons = {
        f"architecture {architecture}": architecture not in _ARCHITECTURES,
        f"activation {getattr(config, 'hidden_act', None)}": (
            getattr(config, "hidden_act", None) != "silu"
        ),
        f"rope {rope}": rope.get("rope_type", "default") != "default",
        "biases": getattr(config, "attention_bias", False) or getattr(config, "mlp_bias", False),
        f"sliding window {window}": (
            window is not None and window < getattr(config, "max_position_embeddings", 0)
        ),
        f"dtypes {sorted(dtypes)}": dtypes not in ({"torch.float32"}, {"torch.bfloat16"}),
        f"heads of width {_head_width(config)}": _head_width(config) % 4 != 0,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def shape_of(model: Any) -> Shape:
    """Shape of a model for which ``why_not`` is None."""
    config = model.config
    return Shape(
        config.num_attention_heads,
        config.num_key_value_heads,
        _head_width(config),
        config.rms_norm_eps,
    )


def _head_width(config: Any) -> int:
    own = getattr(config, "head_dim", None)
    return int(own or config.hidden_size // config.num_attention_heads)


@torch.inference_mode()
def fuse(model: Any, shape: Shape, adapter: str | None) -> Weights:
    """Lay out the weights of ``model``, with the peft adapter of that name merged in (if any).

    Raises:
        NotFused: the adapter is more than a plain LoRA on the projections.
    """
    if adapter is not None:
        _check_adapter(model, adapter)
    layers = [_layer(block, shape, adapter) for block in model.model.layers]
    embedding, head = _own_weight(model.model.embed_tokens), _own_weight(model.lm_head)
    first = None
    if embedding.shape[0] * layers[0].keys_values.shape[1] <= _TABLE_NUMBERS:
        words = embedding.float()
        lengths = words.square().mean(-1, keepdim=True).add_(shape.eps).rsqrt_()
        first = (words * lengths) @ layers[0].keys_values.float()
    return Weights(layers, embedding, first, head, model.model.norm.weight.detach().float())


@torch.inference_mode()
def beside(weights: Weights, model: Any, shape: Shape, adapter: str) -> Weights:
    """The base's ``weights`` with the facets of an adapter beside them.

    Raises:
        NotFused: the adapter is more than a plain LoRA on the projections.
    """
    _check_adapter(model, adapter)
    try:
        ranks = [layer_ranks(block, shape.width, adapter) for block in model.model.layers]
    except ValueError as error:
        raise NotFused(str(error)) from error
    return weights._replace(ranks=ranks)


def _layer(block: Any, shape: Shape, adapter: str | None) -> Layer:
    attention, mlp = block.self_attn, block.mlp
    before, between = (
        norm.weight.detach().float()
        for norm in (block.input_layernorm, block.post_attention_layernorm)
    )
    own = block.input_layernorm.weight.dtype
    q, k, v = (
        _weight(getattr(attention, name), adapter) * before
        for name in ("q_proj", "k_proj", "v_proj")
    )
    gate, up = (_weight(getattr(mlp, n), adapter) * between for n in ("gate_proj", "up_proj"))
    return Layer(
        (q * shape.width**-0.5).to(own),
        _columns(k, v).to(own),
        _columns(_weight(attention.o_proj, adapter)).to(own),
        _columns(gate, up).to(own),
        _columns(_weight(mlp.down_proj, adapter)).to(own),
    )


def _columns(*rows: Tensor) -> Tensor:
    """Weights (outputs, inputs) side by side as one contiguous (inputs, outputs)."""
    return torch.cat(rows).t().contiguous()


def _weight(module: Any, adapter: str | None) -> Tensor:
    """A projection's weight (outputs, inputs) in float32, the adapter's update added."""
    weight = _own_weight(module).float()
    if adapter is not None and adapter in getattr(module, "lora_A", {}):
        update: Tensor = module.get_delta_weight(adapter).to(weight.dtype)
        return weight + update
    return weight


def _own_weight(module: Any) -> Tensor:
    base = module.get_base_layer() if hasattr(module, "get_base_layer") else module
    weight: Tensor = base.weight.detach()
    return weight


def _check_adapter(model: Any, adapter: str) -> None:
    """Raise ``NotFused`` unless every part of the adapter sits on a projection of a layer."""
    allowed = {
        id(module)
        for block in model.model.layers
        for part in (block.self_attn, block.mlp)
        for module in part.children()
    }
    for name, module in model.named_modules():
        parts = [k for k in ("lora_A", "lora_embedding_A") if adapter in getattr(module, k, {})]
        if parts and (id(module) not in allowed or parts != ["lora_A"]):
            raise NotFused(f"adapter {adapter!r} changes {name}")
        plain = not getattr(module, "lora_bias", {}).get(adapter, False)
        if parts and (not plain or adapter in getattr(module, "lora_variant", {})):
            raise NotFused(f"adapter {adapter!r} is more than a plain LoRA on {name}")
    config = getattr(model, "peft_config", {}).get(adapter)
    if config is not None and (config.peft_type != "LORA" or config.bias != "none"):
        raise NotFused(f"adapter {adapter!r} is {config.peft_type} with bias {config.bias!r}")
    if config is not None and config.modules_to_save:
        raise NotFused(f"adapter {adapter!r} replaces {config.modules_to_save}")
