"""The model that is trained: a frozen base with a fresh adapter, or with one to be trained further.

It knows no examples and no training loop. peft and bitsandbytes load at use.
"""

from pathlib import Path
from typing import Any

import torch

from agents.inference.local.adapter_kinds import check_adapter_kind
from agents.inference.local.architectures import check_causal, context_of
from agents.inference.local.loading import attach_adapter, load_model
from training.adapters.lora_presets import LoraPreset
from training.adapters.shared_prefix import PromptIds

_MANY_WORDS = 8_192  # of a vocabulary whose copies cost time


def resumed_lora(model: Any, start: str | Path, seed: int) -> Any:
    """The model, frozen, with the adapter of ``start`` to be trained further.

    Raises:
        ValueError: the adapter is no ordinary LoRA, does not fit the base, or is corrupt.
    """
    check_adapter_kind("default", start)
    torch.manual_seed(seed)
    tuned = attach_adapter(model, "default", start, str(model.name_or_path), trainable=True)
    # Its own card names the base without a place; peft would look for that name on the hub.
    tuned.peft_config["default"].base_model_name_or_path = model.name_or_path
    return tuned


def with_lora(model: Any, preset: LoraPreset, seed: int) -> Any:
    """The model, frozen, with a fresh adapter that changes nothing yet.

    Raises:
        ValueError: the model has none of the layers that the preset wants.
    """
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=preset.rank,
        lora_alpha=preset.alpha,
        lora_dropout=preset.dropout,
        target_modules=list(preset.target_modules),
        layers_to_transform=_last(preset.last_layers, model.config),
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        linear = {n.rpartition(".")[2] for n, m in model.named_modules() if hasattr(m, "weight")}
        raise ValueError(
            f"training preset wanted layers {', '.join(preset.target_modules)}, which"
            f" {type(model).__name__} has not; set target_modules to some of"
            f" {', '.join(sorted(linear))}"
        ) from error


def _last(count: int, config: Any) -> list[int] | None:
    """Numbers of the last layers; None = all of them."""
    layers = int(config.get_text_config().num_hidden_layers)
    return list(range(max(0, layers - count), layers)) if count else None


def frozen_base(base: str | Path, preset: LoraPreset, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and base model, in four bits where the preset says so.

    Raises:
        ModuleNotFoundError: the preset is quantized and bitsandbytes is not installed.
        ValueError: the model is recurrent, an encoder or half of an encoder-decoder.
    """
    tokenizer, model = _loaded_base(base, preset, device)
    check_causal(model.config, str(base))
    head = model.get_output_embeddings()
    if head is not None and len(head.weight) >= _MANY_WORDS:
        head.register_forward_pre_hook(_side_by_side)
    return tokenizer, model


def _side_by_side(head: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The last states one after the other: else torch copies the head once for every prompt."""
    return (inputs[0].contiguous(), *inputs[1:])


def _loaded_base(base: str | Path, preset: LoraPreset, device: torch.device) -> tuple[Any, Any]:
    if not preset.quantized:
        return load_model(base, device, "auto")
    try:
        import bitsandbytes  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a quantized training preset needs bitsandbytes: pip install 'personarec[train]', or"
            " set quantized to false and the base is trained in its full number format",
            name="bitsandbytes",
        ) from error
    return _base_in_four_bits(str(base), device, preset.double_quantized)


def _base_in_four_bits(base: str, device: torch.device, double: bool) -> tuple[Any, Any]:
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    in_four_bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=double,
        bnb_4bit_compute_dtype=torch.float32 if device.type == "cpu" else torch.bfloat16,
    )
    tokenizer, model = load_model(
        base,
        device,
        "auto",
        quantization_config=in_four_bits,
        device_map={"": device.type if device.index is None else str(device)},
    )
    # A shared prefix saves more memory than gradient checkpointing, and needs the cache.
    return tokenizer, prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def check_lengths(prompts: PromptIds, model: Any) -> None:
    """Raise unless every prompt fits into the model's context."""
    context = context_of(model.config)
    turns = len(prompts.suffixes) // len(prompts.prefixes)
    for row, suffix in enumerate(prompts.suffixes):
        length = len(prompts.prefixes[row // turns]) + len(suffix)
        if length > context:
            raise ValueError(
                f"turn {row % turns} of block {row // turns} has {length} tokens but the model's"
                f" context is {context}; give fewer memories, a shorter profile or summary"
            )
