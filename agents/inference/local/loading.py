"""The one place where base models, tokenizers and peft adapters are loaded.

Safetensors only, never code out of a folder or from the hub, one load at a time (transformers and
peft build models under switches that hold for the whole process), and all or nothing: a tensor that
is missing, left over, misshapen, NaN or infinite refuses to load. Errors come with a cure.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from threading import RLock
from typing import Any

import torch

from agents.inference.local.model_files import (
    ADAPTER_WEIGHTS,
    MODEL_FILES,
    check_adapter_folder,
    check_model_folder,
    check_runs_no_code,
)
from agents.inference.local.number_format import auto_dtype
from agents.inference.local.packaged_models import packaged_folder
from agents.inference.local.plain_files import Shapes, named
from agents.inference.packaged import is_packaged

_LOADING = RLock()
_IGNORED = ("rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias")  # buffers of old versions


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` = a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def load_model(
    model: str | Path, device: torch.device, dtype: str, kind: str = "CausalLM", **options: Any
) -> tuple[Any, Any]:
    """Tokenizer and model from a folder or hub name.

    Args:
        model: folder or hub name.
        device: where the weights go.
        dtype: of the weights; see ``auto_dtype`` for ``auto``.
        kind: what it is to transformers, as ``SequenceClassification``.
        options: of ``from_pretrained``, such as a quantization.

    Raises:
        OSError: there is no such model, or its weights are not safetensors.
        ValueError: a file is corrupt, asks for code, or the weights are not those of the model.
    """
    with _LOADING:  # imports too: transformers is half there while another thread imports it
        import transformers
        from transformers.utils import logging

        logging.disable_progress_bar()  # a bar for every model drowns the experiment's own
        folder = _folder_of(model)
        named(_called(model), lambda: check_model_folder(folder))
        dtype = auto_dtype(folder, device) if dtype == "auto" else dtype
        tokenizer = _tokenizer(folder, model)
        loaded, found = _quietly(
            model,
            "config.json and model.safetensors do not make a causal model",
            lambda: getattr(transformers, f"AutoModelFor{kind}").from_pretrained(
                str(folder),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                dtype=getattr(torch, dtype),
                **options,
            ),
        )
        _check_complete(_called(model), found)
        _check_finite(f"{_called(model)}: model.safetensors", loaded.named_parameters())
        loaded.name_or_path = str(folder if is_packaged(model) else model)
        if "device_map" not in options:
            loaded = loaded.to(device)
        return tokenizer, loaded.eval()


def load_tokenizer(model: str | Path) -> Any:
    """The tokenizer of a folder or hub name; raises as ``load_model`` does."""
    with _LOADING:
        return _tokenizer(_folder_of(model), model)


def load_shape(model: str | Path) -> Any:
    """The configuration of a base model, without its weights; raises as ``load_model`` does."""
    with _LOADING:
        from transformers import AutoConfig

        folder = _folder_of(model)
        named(_called(model), lambda: check_model_folder(folder))
        return _quietly(
            model,
            "config.json is not that of a causal model",
            lambda: AutoConfig.from_pretrained(str(folder), trust_remote_code=False),
        )


def save_gguf(source: Path, folder: Path) -> None:
    """Write a GGUF file's tokenizer and weights, dequantised to float32, as safetensors.

    Args:
        source: a file that is known by its hash, alone in its folder.
        folder: an empty one.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    at = str(source.parent)
    own: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    AutoTokenizer.from_pretrained(at, trust_remote_code=False, **own).save_pretrained(folder)
    own["dtype"] = torch.float32
    with redirect_stderr(StringIO()):  # bars for every tensor and file
        read = AutoModelForCausalLM.from_pretrained(at, trust_remote_code=False, **own)
    config = read.config.to_dict()
    config.pop("quantization_config", None)
    # transformers saves no model that it read from GGUF; a new one of that shape takes the numbers
    plain = AutoModelForCausalLM.from_config(type(read.config)(**config))
    plain.load_state_dict(read.state_dict())
    plain.tie_weights()
    with redirect_stderr(StringIO()):
        plain.save_pretrained(folder)


def _tokenizer(folder: Path, model: str | Path) -> Any:
    from transformers import AutoTokenizer

    named(_called(model), lambda: check_runs_no_code(folder))
    return _quietly(
        model,
        "tokenizer.json and tokenizer_config.json do not make a tokenizer",
        lambda: AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        ),
    )


def _folder_of(model: str | Path) -> Path:
    """The folder itself, or the hub's files in huggingface_hub's cache: those of a known name."""
    folder = Path(model)
    if folder.is_dir():
        return folder
    if is_packaged(model):
        return packaged_folder(str(model), save_gguf)
    error: Exception | None = None
    if not folder.is_absolute() and str(model).count("/") <= 1 and not folder.exists():
        from huggingface_hub import snapshot_download

        try:
            return Path(snapshot_download(str(model), allow_patterns=list(MODEL_FILES)))
        except Exception as refused:  # of HTTP, of names, of the cache
            error = refused
    raise OSError(
        f"{_called(model)}: wanted a folder or hub name of a causal model with safetensors weights,"
        f" which it is not ({type(error).__name__ if error else 'no such folder'})"
    ) from error


def _quietly(model: str | Path, problem: str, load: Callable[[], Any]) -> Any:
    """What ``load`` returns; whatever a library raises becomes an error of ours."""
    try:
        return load()
    except Exception as error:  # of transformers, tokenizers, torch, safetensors and Python
        raise ValueError(
            f"{_called(model)}: {problem}"
            f" ({type(error).__name__}: {_first_line(error)}); copy the folder again"
        ) from error


def _called(model: str | Path) -> str:
    return f"language model {str(model)!r} cannot be loaded"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def _check_complete(what: str, found: dict[str, Any]) -> None:
    """Raise unless the weights are those of the model, one for one."""
    extra = {k for k in found["unexpected_keys"] if not k.endswith(_IGNORED)}
    mismatched = {k if isinstance(k, str) else k[0] for k in found["mismatched_keys"]}
    for names, problem in (
        (set(found["missing_keys"]), "lacks what config.json states:"),
        (extra, "has weights that the model of config.json does not:"),
        (mismatched, "has another shape for"),
    ):
        if names:
            raise ValueError(f"{what}: model.safetensors {problem} {_listed(names)}; copy it again")


def _check_finite(what: str, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
    for name, weight in weights:
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise ValueError(
                f"{what}: {name} holds NaN or infinity in {weight.dtype}; copy the weights again,"
                " or load them as float32 or bfloat16"
            )


def _listed(names: Iterable[str]) -> str:
    first, *rest = sorted(names)
    return f"{first!r}" + (f" and {len(rest)} more" if rest else "")


def attach_adapter(
    model: Any, name: str, folder: str | Path, base: str, *, trainable: bool = False
) -> Any:
    """The model with one more peft adapter, in the base's number format.

    Args:
        model: of transformers, or the peft model that an earlier call returned.
        name: of the adapter.
        folder: where it lies.
        base: what the base model is called in errors.
        trainable: the adapter is to be trained further, so it keeps its own number format.

    Raises:
        FileNotFoundError: the folder has no ``adapter_model.safetensors``.
        ValueError: the adapter was made for a base of another shape, or a file is corrupt. The
            model is as it was before.
    """
    what = f"adapter {name!r}"
    with _LOADING:
        shapes = named(what, lambda: check_adapter_folder(Path(folder)))
        before = set(getattr(model, "peft_config", {}))
        try:
            tuned = _with_adapter(model, name, folder, trainable)
        except Exception as error:  # of peft, torch, safetensors and Python
            _take_off(model, name, before)
            raise ValueError(
                f"{what} does not fit the base model {base!r} by its adapter_config.json and"
                f" {ADAPTER_WEIGHTS}; train it on this base, or name its own base"
                f" ({_first_line(error)})"
            ) from error
        try:
            _check_applied(what, tuned, name, shapes)
        except ValueError:
            _take_off(tuned, name, before)
            raise
        return tuned


def _with_adapter(model: Any, name: str, folder: str | Path, trainable: bool) -> Any:
    # peft loads bitsandbytes, which reports a kernel that it looks for in vain and nobody needs
    logging.getLogger("bitsandbytes.backends").setLevel(logging.ERROR)
    from peft import PeftModel

    how: dict[str, Any] = {"is_trainable": trainable, "autocast_adapter_dtype": trainable}
    if isinstance(model, PeftModel):
        model.load_adapter(str(folder), adapter_name=name, **how)
        return model
    tuned = PeftModel.from_pretrained(model, str(folder), adapter_name=name, **how)
    return tuned if trainable else tuned.eval()


def _check_applied(what: str, tuned: Any, name: str, shapes: Shapes) -> None:
    """Raise unless every tensor of the file is at work, and nothing else is."""
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(tuned, adapter_name=name, save_embedding_layers=False)
    if missing := set(weights) - set(shapes):
        raise ValueError(f"{what}: {ADAPTER_WEIGHTS} has no {_listed(missing)}; copy it again")
    # peft saves the base's own embeddings with an adapter on them: see ``check_adapter_tensors``
    own = {key for key in shapes if not key.endswith(".base_layer.weight")}
    if extra := own - set(weights):
        raise ValueError(
            f"{what}: {ADAPTER_WEIGHTS} has weights for no layer of the model: {_listed(extra)};"
            " train it on this base, or copy it again"
        )
    _check_finite(f"{what}: {ADAPTER_WEIGHTS}", weights.items())


def _take_off(model: Any, name: str, before: set[str]) -> None:
    """Leave the model as it was before the adapter that does not fit."""
    with suppress(Exception):  # what is half there may not come off; the first error matters
        if before and name not in before:
            model.delete_adapter(name)
        elif not before:
            _without_lora(model)


def _without_lora(model: Any) -> None:
    """Put the base's own layers back in the place of those that peft wrapped around them."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    wrapped = [(n, m) for n, m in base.named_modules() if isinstance(m, BaseTunerLayer)]
    for path, layer in reversed(wrapped):
        parent, _, last = path.rpartition(".")
        setattr(base.get_submodule(parent), last, layer.get_base_layer())
    vars(base).pop("peft_config", None)
