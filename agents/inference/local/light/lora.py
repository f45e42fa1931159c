"""Plain LoRA beside a light model's projections; their updates are merged by the fused forward."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from agents.inference.local.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    check_adapter_folder,
)
from agents.inference.local.plain_files import read_json

_FREE = {  # of ``LoraConfig``: without effect on what an adapter that is done training answers
    *("alpha_pattern", "auto_mapping", "base_model_name_or_path", "inference_mode"),
    *("init_lora_weights", "lora_alpha", "lora_dropout", "megatron_core", "peft_type"),
    *("peft_version", "qalora_group_size", "r", "rank_pattern", "revision", "target_modules"),
    *("task_type", "layers_pattern", "layers_to_transform", "exclude_modules"),
}


class LowRankLinear(nn.Module):
    """A projection's weight (outputs, inputs), and the low-rank updates of adapters by name.

    Updates are no parameters of it, so that ``state_dict`` is the base model's. It is no
    ``nn.Linear``, whose random start imports torch's compiler.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """A projection that has no updates yet."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.lora_A: dict[str, Tensor] = {}
        self.lora_B: dict[str, Tensor] = {}
        self.scaling: dict[str, float] = {}

    def get_delta_weight(self, adapter: str) -> Tensor:
        """What an adapter adds to the weight (outputs, inputs)."""
        return (self.lora_B[adapter] @ self.lora_A[adapter]) * self.scaling[adapter]


class ReadLora(NamedTuple):
    """An adapter's updates, each with its projection, and what scales them."""

    settings: dict[str, Any]
    scaling: float
    updates: list[tuple[LowRankLinear, Tensor, Tensor]]  # (r, inputs) and (outputs, r)


def read_lora(folder: Path, projections: dict[str, LowRankLinear]) -> ReadLora | None:
    """The float32 LoRA of a folder; None where anything is unusual about it.

    Args:
        folder: of the adapter.
        projections: what it may sit on, by name.
    """
    try:
        check_adapter_folder(folder)
        settings = read_json(folder / ADAPTER_CONFIG)
        tensors = load_file(str(folder / ADAPTER_WEIGHTS))
    except Exception:  # the libraries' loader finds the same fault, and names it
        return None
    updates = _updates(projections, tensors, settings) if _is_plain(settings) else None
    if updates is None:
        return None
    return ReadLora(settings, settings["lora_alpha"] / settings["r"], updates)


def tensor_name(projection: str, side: str) -> str:
    """What peft calls one side (``A`` or ``B``) of an update in its file."""
    return f"base_model.model.{projection}.lora_{side}.weight"


def _is_plain(settings: dict[str, Any]) -> bool:
    """Whether these are the settings of an ordinary LoRA of one rank on named projections."""
    on = {
        k for k, v in settings.items() if k not in _FREE and v not in (None, False, "none", {}, [])
    }
    patterns = ("rank_pattern", "alpha_pattern")
    places = ("layers_pattern", "layers_to_transform", "exclude_modules")
    numbers = [settings.get(key) or 0 for key in ("r", "lora_alpha")]
    return (
        not on
        and settings.get("peft_type") == "LORA"
        and settings.get("init_lora_weights") in (True, False)
        and not any(settings.get(key) for key in (*patterns, *places))
        and all(type(number) in (int, float) and number > 0 for number in numbers)
        and isinstance(settings.get("target_modules"), list)
    )


def _updates(
    projections: dict[str, LowRankLinear], tensors: dict[str, Tensor], settings: dict[str, Any]
) -> list[tuple[LowRankLinear, Tensor, Tensor]] | None:
    """Updates by projection; None unless the file holds what the settings state, whole and finite.

    Shapes: down (r, inputs), up (outputs, r).
    """
    targets, rank = set(settings["target_modules"]), settings["r"]
    aimed = {name: own for name, own in projections.items() if _last(name) in targets}
    wanted = {}
    for name, layer in aimed.items():
        outputs, inputs = layer.weight.shape
        wanted[tensor_name(name, "A")], wanted[tensor_name(name, "B")] = (
            (rank, inputs),
            (outputs, rank),
        )
    fits = {name: tuple(tensor.shape) for name, tensor in tensors.items()} == wanted
    fits = fits and targets == set(map(_last, aimed))
    if not fits or not all(t.dtype == torch.float32 and _finite(t) for t in tensors.values()):
        return None
    return [
        (layer, tensors[tensor_name(name, "A")], tensors[tensor_name(name, "B")])
        for name, layer in aimed.items()
    ]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
