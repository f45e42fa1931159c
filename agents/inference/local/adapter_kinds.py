"""Which peft adapters may be attached: those that are proven to change no other's answers.

An adapter is read by its configuration before it touches the model. A list says what may differ
from an ordinary LoRA; whatever else a configuration switches on, of this peft or of a later one, is
refused by name. Kinds that stay out: those that write into the base (PiSSA, OLoRA, CorDA, LoftQ,
biases), wrap whole layers of it (``modules_to_save``), stand before the prompt (prompt and prefix
tuning), or act from some token on (activated LoRA).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.inference.facets.gate import GATE, FacetGate
from agents.inference.local.model_files import ADAPTER_CONFIG
from agents.inference.local.plain_files import Shapes, read_json, tensor_shapes

if TYPE_CHECKING:
    import torch

_FREE = {  # of ``LoraConfig``: proven, or without effect on answers
    *("r", "lora_alpha", "lora_dropout", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora"),
    *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"),
    *("fan_in_fan_out", "peft_type", "task_type", "init_lora_weights", "inference_mode"),
    *("auto_mapping", "base_model_name_or_path", "revision", "peft_version", "runtime_config"),
    *("megatron_core", "qalora_group_size"),  # of what is refused when it is switched on
    "megatron_config",  # runs code: refused by whoever loads the folder
}
_STARTS = (None, True, False, "gaussian", "orthogonal", "eva")  # that leave the base as it is
_PREFIX = "lora_"  # peft mistakes an adapter of such a name for its own parameters
_CURE = (
    "train it as an ordinary LoRA, or merge it into a model of its own (peft's merge_and_unload)"
)


def check_adapter_kind(name: str, folder: str | Path) -> int:
    """Refuse an adapter of a kind that could change what others answer; how many facets it has.

    A folder without a readable configuration passes; whoever attaches it reports that.

    Raises:
        ValueError: peft cannot take the name, or the adapter is no ordinary LoRA.
    """
    _check_name(name)
    try:
        text = (Path(folder) / "adapter_config.json").read_text(encoding="utf-8")
        config = json.loads(text)
    except (OSError, ValueError):
        return 0
    if isinstance(config, dict) and (reason := _other_than_lora(config)):
        raise ValueError(
            f"adapter {name!r} wanted an ordinary LoRA (rsLoRA, DoRA and patterns of ranks too),"
            f" got {reason} in its adapter_config.json; {_CURE}"
        )
    return num_facets(folder)


def _check_name(name: str) -> None:
    if not name or "." in name or name in _PREFIX or name == "__base__" or _is_attribute(name):
        raise ValueError(
            f"an adapter wanted a name without dots that peft does not use itself, got {name!r};"
            " give it another name"
        )


def _is_attribute(name: str) -> bool:
    """Whether torch's dictionaries of layers have something else under this name."""
    import torch

    return any(hasattr(kind(), name) for kind in (torch.nn.ModuleDict, torch.nn.ParameterDict))


def _other_than_lora(config: dict[str, Any]) -> str | None:
    kind = config.get("peft_type")
    if kind != "LORA":
        return f"peft_type {kind!r}"
    if config.get("task_type") not in (None, "CAUSAL_LM"):
        return f"task_type {config['task_type']!r}"
    start = config.get("init_lora_weights", True)
    if start not in _STARTS:
        return f"init_lora_weights {start!r}"
    switched_on = (
        f"{key} {value!r}"
        for key, value in sorted(config.items())
        if key not in _FREE and value not in (None, False, "none", [], {})
    )
    return next(switched_on, None)


def check_adapter_tensors(name: str, folder: str | Path, model: Any) -> None:
    """Refuse an adapter whose file would overwrite weights of the base with others.

    peft saves the base's embeddings along with an adapter that sits on them; equal ones pass, and
    so does what the base has not, which whoever attaches it refuses.

    Args:
        name: of the adapter.
        folder: where it lies; one that cannot be read passes, whoever attaches it reports that.
        model: that it is for, with or without peft.

    Raises:
        ValueError: a tensor stands for one of the base's and differs from it.
    """
    from safetensors import SafetensorError, safe_open

    base = {_plain(key): weight for key, weight in model.state_dict(keep_vars=True).items()}
    try:
        with safe_open(str(Path(folder) / "adapter_model.safetensors"), "pt") as file:
            for key in file.keys():  # noqa: SIM118 (no dictionary)
                own = base.get(_plain(key))
                if own is not None and not _equal(file.get_tensor(key), own):
                    raise ValueError(
                        f"adapter {name!r} wanted low-rank updates alone, got {key!r} with other"
                        f" weights than the base model's; {_CURE}"
                    )
    except (SafetensorError, OSError):
        return


def _plain(key: str) -> str:
    return key.removeprefix("base_model.model.").replace(".base_layer", "")


def _equal(tensor: "torch.Tensor", weight: "torch.Tensor") -> bool:
    import torch

    return tensor.shape == weight.shape and torch.equal(
        tensor.to(weight.dtype), weight.detach().cpu()
    )


def read_gate(folder: str | Path) -> FacetGate | None:
    """The gate of an adapter's facets; None for an ordinary adapter.

    Raises:
        ValueError: the file is corrupt, or has not a row for each of K facets whose ranks the
            adapter can be parted into.
    """
    from safetensors.numpy import load_file

    path = Path(folder) / GATE
    if not path.exists():
        return None
    _check_shapes(tensor_shapes(path, "copy it again"))
    gate = FacetGate(**{k: v.astype(np.float64) for k, v in load_file(path).items()})
    if not all(np.isfinite(part).all() for part in gate):
        raise ValueError(f"{GATE} holds NaN or infinity; copy it again, or train it anew")
    _check_rank(read_json(Path(folder) / ADAPTER_CONFIG).get("r"), len(gate.bias))
    return gate


def _check_shapes(shapes: Shapes) -> None:
    weight, bias = shapes.get("weight", ()), shapes.get("bias", ())
    if set(shapes) != {"weight", "bias"} or len(weight) != 2 or bias != weight[:1] or weight[0] < 2:
        raise ValueError(
            f"{GATE} wanted weight (K, d) and bias (K,) of two facets or more, got {dict(shapes)};"
            " copy it again"
        )


def _check_rank(rank: object, facets: int) -> None:
    if not isinstance(rank, int) or rank % facets:
        raise ValueError(
            f"{GATE} mixes {facets} facets, but the rank {rank!r} of {ADAPTER_CONFIG} is no"
            " multiple of it; copy the whole adapter again"
        )


def num_facets(folder: str | Path) -> int:
    """Facets of an adapter; 0 = it is an ordinary one. Raises as ``read_gate`` does."""
    gate = read_gate(folder)
    return 0 if gate is None else len(gate.bias)
