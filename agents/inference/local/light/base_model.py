"""A base model and its adapters: light as long as that will do, then as the libraries read them."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any

import torch
from safetensors.torch import save_file

from agents.inference.local.adapter_kinds import check_adapter_tensors, num_facets
from agents.inference.local.light.llama import LightLlama, light_llama
from agents.inference.local.light.tokenizer import LightTokenizer, light_tokenizer
from agents.inference.local.loading import attach_adapter, load_model, load_tokenizer
from agents.inference.local.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    check_model_folder,
    check_runs_no_code,
)
from agents.inference.local.number_format import auto_dtype
from simenv.whole_files import write_whole

_TAKING_OVER = RLock()


class BaseModel:
    """A model of a folder or the hub.

    Attributes:
        first: what it was opened as: weights that the fused forward can lay out, or a model of
            transformers.
        reading: the tokenizer that came with it.
        taken_over: is told of the libraries' model when they take over from light weights.
    """

    def __init__(self, model: str | Path, device: torch.device, dtype: str, light: bool) -> None:
        """Open it.

        Args:
            model: folder or hub name.
            device: where the weights go.
            dtype: of the weights; see ``auto_dtype`` for ``auto``.
            light: whether light weights would do.

        Raises:
            OSError, ValueError: as ``load_model`` does.
        """
        self._name, self._device, self._dtype = model, device, dtype
        opened = _open_light(Path(model), device, dtype) if light else None
        self.reading: Any
        self.first: Any
        self.reading, self.first = opened or load_model(model, device, dtype)
        self._light: LightLlama | None = opened[1] if opened else None
        self._model: Any = None if opened else self.first
        self.taken_over: Callable[[Any], None] | None = None

    def tokenizer(self) -> Any:
        """The tokenizer as Hugging Face has it."""
        light = isinstance(self.reading, LightTokenizer)
        return load_tokenizer(self._name) if light else self.reading

    @property
    def model(self) -> Any:
        """The model as Hugging Face or peft has it; None once closed.

        Raises:
            ValueError: the folder holds other weights than when it was opened.
        """
        with _TAKING_OVER:
            if self._light is not None:
                self._take_over(self._light)
            return self._model

    def attach(self, name: str, folder: str | Path, called: str) -> None:
        """Add a peft adapter.

        Args:
            name: of the adapter, which none has.
            folder: where it lies.
            called: what the base is called in errors.

        Raises:
            FileNotFoundError, ValueError: as ``check_adapter_tensors`` and ``attach_adapter`` do.
        """
        check_adapter_tensors(name, folder, self._light or self._model)
        light = None if num_facets(folder) else self._light
        if light is None or not light.attach(name, Path(folder)):
            self._model = attach_adapter(self.model, name, folder, called)

    def detach(self, name: str, others: tuple[str, ...]) -> None:
        """Take an adapter off; ``others`` stay."""
        if self._light is not None:
            self._light.detach(name)
        elif others:
            self._model.set_adapter(others[0])  # peft warns when it has to choose
            self._model.delete_adapter(name)
        else:
            self._model = self._model.unload()

    def close(self) -> None:
        """Let go of everything."""
        self.first = self._light = self._model = None

    @torch.inference_mode(False)  # what is made in that mode can never be trained or switched
    def _take_over(self, light: LightLlama) -> None:
        _, base = load_model(self._name, self._device, self._dtype)
        self._model = _with_kept_adapters(base, light, str(self._name))
        self.first, self._light = base, None
        if self.taken_over is not None:
            self.taken_over(base)


def _open_light(
    folder: Path, device: torch.device, dtype: str
) -> tuple[LightTokenizer, LightLlama] | None:
    """Tokenizer and float32 weights of a folder; None where the libraries have to look at it."""
    if device.type != "cpu" or dtype not in ("auto", "float32") or not folder.is_dir():
        return None
    try:
        check_model_folder(folder)
        check_runs_no_code(folder)
        if dtype == "auto" and auto_dtype(folder, device) != "float32":
            return None
        tokenizer = light_tokenizer(folder)
        model = light_llama(folder) if tokenizer is not None else None
    except Exception:  # the libraries' loader finds the same fault, and names it
        return None
    return None if tokenizer is None or model is None else (tokenizer, model)


def _with_kept_adapters(base: Any, light: LightLlama, called: str) -> Any:
    """The libraries' model with the adapters of a light one, as they were when attached.

    Raises:
        ValueError: the folder holds other weights than when it was opened.
    """
    now, before = base.state_dict(), light.state_dict()
    if now.keys() != before.keys() or not all(torch.equal(now[k], before[k]) for k in now):
        raise ValueError(
            f"language model {called!r} holds other weights than when it was opened, so answers"
            " would be of two models; open a new engine"
        )
    model = base
    for name, settings in light.adapters.items():
        with TemporaryDirectory() as place:
            folder = Path(place)
            write_whole(folder / ADAPTER_CONFIG, json.dumps(settings).encode())
            save_file(light.tensors_of(name), folder / ADAPTER_WEIGHTS)
            model = attach_adapter(model, name, folder, called)
    return model
