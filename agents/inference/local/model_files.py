"""The files of a base model and of an adapter: which there are, and whether they are whole.

All is looked at before a library reads anything: no file that can run code counts, JSON is plain,
and the headers of weights agree with their files and with the sizes that ``config.json`` states. It
knows neither torch nor transformers.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from agents.inference.facets.gate import GATE
from agents.inference.local.plain_files import Shapes, read_json, tensor_shapes

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "chat_template.jinja",
    "chat_template.json",
    "README.md",
    "LICENSE*",
)
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_FILES = (ADAPTER_CONFIG, ADAPTER_WEIGHTS, GATE, "adapter_card.json", "README.md")

_WIDTHS = (
    *("hidden_size", "intermediate_size", "vocab_size", "n_embd", "d_model", "n_inner"),
    *("num_attention_heads", "num_key_value_heads", "head_dim", "n_head"),
)
_DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_SPARE = 16  # how far a stated size may exceed what is there: some architectures ignore one


def check_model_folder(folder: Path) -> None:
    """Raise unless ``folder`` holds a base model that may be given to transformers.

    Raises:
        FileNotFoundError: no ``config.json``, no weights as safetensors, or a part of them.
        ValueError: a file is corrupt, wants code to be run, or states sizes that the weights do not
            have.
    """
    if (folder / ADAPTER_CONFIG).exists():
        raise ValueError(
            f"{ADAPTER_CONFIG} lies beside the base model, which would be exchanged for another;"
            " name the base model's own folder, and the adapter as an adapter"
        )
    config = read_json(folder / "config.json")
    check_runs_no_code(folder)
    shapes = weights_of(folder)
    if not shapes:
        raise ValueError("model.safetensors holds no weights; copy it again")
    _check_sizes(config, shapes)


def check_runs_no_code(folder: Path) -> None:
    """Raise if a settings file asks for code that is not part of transformers.

    Raises:
        ValueError: names the file and what it asks for.
    """
    for path in sorted(folder.glob("*.json")):
        if path.name in ("tokenizer.json", "vocab.json", "model.safetensors.index.json"):
            continue
        asked = path.name.endswith("config.json") and _code_asked_for(read_json(path))
        if asked:
            raise ValueError(
                f"{path.name} asks for code of its own ({asked}), which is never run; use a model"
                " of an architecture that transformers knows, without auto_map"
            )


def _code_asked_for(content: Any) -> str | None:
    """The first setting, at any depth, that would make transformers run or fetch code."""
    if isinstance(content, list):
        return next(filter(None, map(_code_asked_for, content)), None)
    if not isinstance(content, dict):
        return None
    for key, value in content.items():
        is_kernel = "attn_implementation" in key and isinstance(value, str) and "/" in value
        if (key in ("auto_map", "custom_pipelines", "custom_generate") and value) or is_kernel:
            return f"{key}: {str(value)[:80]}"
        if found := _code_asked_for(value):
            return found
    return None


def weights_of(folder: Path) -> Shapes:
    """Names and shapes of all tensors of a base model, over all its files.

    Raises:
        FileNotFoundError: no safetensors, or a part of them is missing.
        ValueError: a file is corrupt, or the index names a file elsewhere.
    """
    cure = "copy it again"
    if (folder / "model.safetensors").exists():
        return tensor_shapes(folder / "model.safetensors", cure)
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        others = sorted(p.name for p in folder.glob("*") if p.suffix in (".bin", ".pt", ".pth"))
        raise FileNotFoundError(
            "wanted a folder or hub name of a causal model with safetensors weights"
            " (model.safetensors), got"
            f" {', '.join(others) or 'none'}; save it with safe_serialization=True (a pickle can"
            " run any code, so none is read)"
        )
    parts = read_json(index).get("weight_map")
    if not isinstance(parts, dict) or not all(isinstance(p, str) for p in parts.values()):
        raise ValueError(f"{index.name}: wanted a weight_map of tensors to files; {cure}")
    shapes: Shapes = {}
    for part in sorted(set(parts.values())):
        if PurePosixPath(part).name != part or not part.endswith(".safetensors"):
            raise ValueError(f"{index.name} names {part!r}, no safetensors file of this folder")
        shapes |= tensor_shapes(folder / part, cure)
    return shapes


def _check_sizes(config: Mapping[str, Any], shapes: Shapes) -> None:
    """A model of a million layers would be built before its weights are missed."""
    widest = max((max(shape, default=1) for shape in shapes.values()), default=0)
    for keys, most in ((_WIDTHS, widest * _SPARE), (_DEPTHS, len(shapes))):
        for key in keys:
            value = config.get(key)
            values = value if isinstance(value, list) else [value]
            if not all(v is None or (type(v) is int and 0 < v <= most) for v in values):
                raise ValueError(
                    f"config.json: {key} wanted a whole number from 1 to {most}, which is what the"
                    f" weights allow, got {str(value)[:40]}; copy the model's folder again"
                )


def check_adapter_folder(folder: Path) -> Shapes:
    """Raise unless ``folder`` holds an adapter that may be given to peft; its tensors' shapes.

    Raises:
        FileNotFoundError: no weights as safetensors (a pickle is never loaded), or no settings.
        ValueError: a file is corrupt, asks for code, or states a rank that the weights do not have.
    """
    if not (folder / ADAPTER_WEIGHTS).exists():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pkl"})
        raise FileNotFoundError(
            f"wanted {ADAPTER_WEIGHTS}, got {', '.join(pickles) or 'none'}; save it with"
            " safe_serialization=True (a pickle can run any code, so none is read)"
        )
    shapes = tensor_shapes(folder / ADAPTER_WEIGHTS, "copy it again or train it anew")
    if not shapes:
        raise ValueError(f"{ADAPTER_WEIGHTS} holds no weights; train it anew")
    config = read_json(folder / ADAPTER_CONFIG)
    check_runs_no_code(folder)
    if not isinstance(config.get("peft_type"), str):
        raise ValueError(f"{ADAPTER_CONFIG} states no peft_type; copy the adapter again")
    if config.get("megatron_config"):
        raise ValueError(f"{ADAPTER_CONFIG} asks for a module to be imported (megatron_config)")
    _check_ranks(config, shapes)
    return shapes


def _check_ranks(config: Mapping[str, Any], shapes: Shapes) -> None:
    """Rank and scale decide how much memory an adapter takes, and how strongly it speaks."""
    if config.get("peft_type") == "LORA":
        own, pattern = config.get("r"), config.get("rank_pattern") or {}
        stated = [own, *(pattern.values() if isinstance(pattern, dict) else (pattern,))]
        found = {_rank(name, shape) for name, shape in shapes.items()} - {None}
        fits = all(type(rank) is int and rank in found for rank in stated)
        if not found <= set(stated) or not fits:
            raise _unlike("r", stated, found)
        _check_scale(config)
    count = config.get("num_virtual_tokens")
    lengths = {max(shape, default=0) for shape in shapes.values()}
    if count is not None and (type(count) is not int or not 0 < count <= max(lengths)):
        raise _unlike("num_virtual_tokens", [count], lengths)


def _rank(name: str, shape: tuple[int, ...]) -> int | None:
    if re.search(r"lora_A\b", name):
        return shape[0] if shape else 0
    if "lora_embedding_A" in name:
        return min(shape, default=0)
    return None


def _unlike(key: str, stated: Iterable[Any], found: Iterable[Any]) -> ValueError:
    states = ", ".join(str(value)[:40] for value in stated)
    return ValueError(
        f"{ADAPTER_CONFIG}: {key} states {states}, {ADAPTER_WEIGHTS} has"
        f" {', '.join(sorted(map(str, found))) or 'none'}; copy the adapter again"
    )


def _check_scale(config: Mapping[str, Any]) -> None:
    scales = config.get("alpha_pattern") or {}
    for value in (config.get("lora_alpha"), *(scales.values() if isinstance(scales, dict) else ())):
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e6:
            raise ValueError(
                f"{ADAPTER_CONFIG}: lora_alpha wanted a number up to 1e6, got {str(value)[:40]};"
                " copy the adapter again"
            )
