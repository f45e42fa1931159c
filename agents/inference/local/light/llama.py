"""A Llama's weights under the names that Hugging Face gives them; it cannot be run by itself.

``fused.llama_weights`` lays them out and ``fused.llama`` runs them.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from agents.inference.blocks.places import CONFIG_KEY
from agents.inference.local.light.lora import LowRankLinear, read_lora, tensor_name
from agents.inference.local.model_files import weights_of
from agents.inference.local.plain_files import read_json

_SIZES = {  # of a configuration; all else must be as it is below, or without effect on scores
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "head_dim"),
    *("num_attention_heads", "num_key_value_heads", "max_position_embeddings", "rms_norm_eps"),
}
_AS = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "pretraining_tp": 1,
    "tie_word_embeddings": True,
}
_FREE = {
    *("bos_token_id", "eos_token_id", "pad_token_id", "dtype", "torch_dtype", "use_cache"),
    *("initializer_range", "transformers_version", "rope_parameters", CONFIG_KEY),
}


class LightConfig(SimpleNamespace):
    """A configuration's values as attributes, as transformers has them."""

    def get_text_config(self) -> "LightConfig":
        """Itself: there is nothing but text."""
        return self


class LightLlama(nn.Module):
    """Weights on the processor, in float32, and adapters beside them.

    Attributes:
        config: what ``config.json`` states.
        architecture: the class of transformers that it stands for.
        adapters: name → settings of the adapters that are attached.
    """

    architecture = "LlamaForCausalLM"

    def __init__(self, config: LightConfig) -> None:
        """Weights of ``config``'s sizes that hold nothing yet."""
        super().__init__()
        self.config = config
        self.adapters: dict[str, dict[str, Any]] = {}
        width, words = config.hidden_size, config.vocab_size
        self.model = nn.Module()
        self.model.embed_tokens = _Weight(words, width)
        self.model.layers = nn.ModuleList(_block(config) for _ in range(config.num_hidden_layers))
        self.model.norm = _Weight(width)
        self.model.rotary_emb = _Turns(config)
        self.lm_head = _Weight(words, width)

    @property
    def device(self) -> torch.device:
        """The processor."""
        return torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """Of all weights."""
        return next(self.parameters()).dtype

    def num_parameters(self) -> int:
        """Numbers that it holds, those of shared weights once."""
        return sum(weight.numel() for weight in self.parameters())

    def get_input_embeddings(self) -> nn.Module:
        """The table of the tokens' vectors."""
        return self.model.get_submodule("embed_tokens")

    def attach(self, name: str, folder: Path) -> bool:
        """Put a plain LoRA beside the projections; False where it is left to peft.

        Args:
            name: of the adapter.
            folder: that ``check_adapter_folder`` lets pass.
        """
        read = read_lora(folder, self._projections)
        if read is None:
            return False
        for layer, down, up in read.updates:
            layer.lora_A[name], layer.lora_B[name] = down, up
            layer.scaling[name] = read.scaling
        self.adapters[name] = read.settings
        return True

    def detach(self, name: str) -> None:
        """Take an adapter off again."""
        del self.adapters[name]
        for layer in self._projections.values():
            for parts in (layer.lora_A, layer.lora_B, layer.scaling):
                parts.pop(name, None)

    def tensors_of(self, name: str) -> dict[str, Tensor]:
        """An adapter's tensors as its file names them."""
        return {
            tensor_name(place, side): getattr(layer, f"lora_{side}")[name]
            for place, layer in self._projections.items()
            for side in "AB"
            if name in layer.lora_A
        }

    @property
    def _projections(self) -> dict[str, LowRankLinear]:
        """What an adapter may sit on, by the names of ``state_dict``."""
        named = self.named_modules()
        return {name: module for name, module in named if isinstance(module, LowRankLinear)}


class _Weight(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*shape))


class _Turns(nn.Module):
    """The rotary positions' frequencies, as transformers computes them."""

    inv_freq: Tensor
    attention_scaling = 1.0

    def __init__(self, config: LightConfig) -> None:
        super().__init__()
        places = torch.arange(0, config.head_dim, 2, dtype=torch.int64, device="cpu").float()
        base = config.rope_parameters["rope_theta"]
        self.register_buffer("inv_freq", 1.0 / base ** (places / config.head_dim), False)


def _block(config: LightConfig) -> nn.Module:
    """One layer, whose parts have the names that transformers gives them."""
    w, f, d = config.hidden_size, config.intermediate_size, config.head_dim
    heads, key_heads = config.num_attention_heads * d, config.num_key_value_heads * d
    block, attention, mlp = nn.Module(), nn.Module(), nn.Module()
    for name, size in (("q_proj", heads), ("k_proj", key_heads), ("v_proj", key_heads)):
        attention.add_module(name, LowRankLinear(w, size))
    attention.add_module("o_proj", LowRankLinear(heads, w))
    for name, sizes in (("gate_proj", (w, f)), ("up_proj", (w, f)), ("down_proj", (f, w))):
        mlp.add_module(name, LowRankLinear(*sizes))
    block.add_module("self_attn", attention)
    block.add_module("mlp", mlp)
    block.add_module("input_layernorm", _Weight(w))
    block.add_module("post_attention_layernorm", _Weight(w))
    return block


def light_llama(folder: Path) -> LightLlama | None:
    """The float32 model of a folder that ``check_model_folder`` lets pass, unless it is unusual."""
    settings = read_json(folder / "config.json")
    if not _is_plain(settings) or not (folder / "model.safetensors").exists():
        return None
    with torch.device("meta"):
        model = LightLlama(LightConfig(**settings))
    wanted = {name: tuple(own.shape) for name, own in model.state_dict().items()}
    del wanted["lm_head.weight"]  # the embedding's
    if weights_of(folder) != wanted:
        return None
    read = load_file(str(folder / "model.safetensors"))
    weights = {name: weight.float() for name, weight in read.items()}
    if not all(bool(weight.isfinite().all()) for weight in weights.values()):
        return None
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, assign=True)
    model.lm_head.weight = model.get_parameter("model.embed_tokens.weight")
    return model.requires_grad_(False).eval()


def _is_plain(settings: dict[str, Any]) -> bool:
    rope = settings.get("rope_parameters") or {}
    return (
        set(settings) <= {*_SIZES, *_AS, *_FREE}
        and set(settings) >= {*_SIZES, *_AS}
        and all(settings[key] == value for key, value in _AS.items())
        and set(rope) == {"rope_theta", "rope_type"}
        and rope["rope_type"] == "default"
    )
