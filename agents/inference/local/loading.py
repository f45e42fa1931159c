"""Loads base models and peft adapters: safetensors only, no remote code, errors with a cure."""

from pathlib import Path
from typing import Any

import torch


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` = a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def load_model(model: str | Path, device: torch.device, dtype: str) -> tuple[Any, Any]:
    """Tokenizer and model from a folder or hub name.

    Raises:
        OSError: there is no such model, or its weights are not safetensors.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    loaded: Any
    logging.disable_progress_bar()  # a bar for every model drowns the experiment's own
    if dtype == "auto":
        dtype = "bfloat16" if device.type == "cuda" else "float32"
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(model))
        loaded = AutoModelForCausalLM.from_pretrained(
            str(model), use_safetensors=True, dtype=getattr(torch, dtype)
        )
    except OSError as error:
        raise OSError(
            f"language model {str(model)!r} cannot be loaded: wanted a folder or hub name of a"
            f" causal model with safetensors weights ({error})"
        ) from error
    return tokenizer, loaded.to(device).eval()


def attach_adapter(model: Any, name: str, folder: str | Path, base: str) -> Any:
    """The model with one more peft adapter, in the base's number format.

    Args:
        model: of transformers, or the peft model that an earlier call returned.
        name: of the adapter.
        folder: where it lies.
        base: what the base model is called in errors.

    Raises:
        FileNotFoundError: the folder has no ``adapter_model.safetensors``.
        ValueError: the adapter was made for a base of another shape, or the file is corrupt.
    """
    from peft import PeftModel

    if not (Path(folder) / "adapter_model.safetensors").exists():
        raise FileNotFoundError(
            f"adapter {name!r}: wanted {Path(folder) / 'adapter_model.safetensors'}, which is"
            " not there; adapters must be saved as safetensors"
        )
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), adapter_name=name, autocast_adapter_dtype=False)
            return model
        return PeftModel.from_pretrained(
            model, str(folder), adapter_name=name, autocast_adapter_dtype=False
        ).eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(
            f"adapter {name!r} does not fit the base model {base!r};"
            f" train it on this base, or name its own base ({error})"
        ) from error
    except Exception as error:  # safetensors raises its own kind for a corrupt file
        raise ValueError(
            f"adapter {name!r}: {folder} cannot be read ({error}); copy it again"
        ) from error
