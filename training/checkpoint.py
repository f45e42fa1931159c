"""Checkpoints of a training run: the newest and the one before, of which one is always whole.

``state.pt`` holds all that a resumed run needs, weights, shape and tokenizer included;
``state.before.pt`` is the checkpoint before it. It knows no training.
"""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from agents.inference.local.loading import load_model
from simenv.whole_files import replace_whole

_NEWEST, _BEFORE = "state.pt", "state.before.pt"
_log = logging.getLogger(__name__)


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Keep ``state`` as the newest checkpoint, and what was the newest as the one before.

    Raises:
        OSError: the disk is full or may not be written; what was there still is.
    """
    written = folder / "state.next.pt"
    replace_whole(written, lambda path: torch.save(dict(state), path))
    if (folder / _NEWEST).exists():
        (folder / _NEWEST).replace(folder / _BEFORE)
    written.replace(folder / _NEWEST)


def read_state(folder: Path) -> dict[str, Any] | None:
    """The newest whole checkpoint of ``folder``; None if there is none at all.

    Raises:
        ValueError: there are checkpoints, and all of them are torn.
    """
    torn = []
    for name in ("state.next.pt", _NEWEST, _BEFORE):
        path = folder / name
        if not path.exists():
            continue
        try:
            return _read(path)
        except Exception as error:  # of zip files, of pickles that hold more than tensors, of disks
            _log.warning("checkpoint %s is torn (%s); the one before is used", path, error)
            torn.append(name)
    if torn:
        raise ValueError(
            f"checkpoints {', '.join(torn)} in {folder} are torn, and there is no whole one; delete"
            " the folder to start anew"
        )
    return None


def _read(path: Path) -> dict[str, Any]:
    state = torch.load(path, weights_only=True, map_location="cpu")
    wanted = {"config", "model", "optimizer", "step", "seconds", "losses"}
    if not isinstance(state, dict) or not wanted <= set(state):
        raise ValueError(f"wanted {', '.join(sorted(wanted))}")
    return state


def settings_files(model: Any, tokenizer: Any) -> dict[str, str]:
    """The files of a model beside its weights: shape and tokenizer, as texts by name."""
    with tempfile.TemporaryDirectory() as folder:
        model.config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return {p.name: p.read_text(encoding="utf-8") for p in Path(folder).iterdir()}


def restored_model(state: Mapping[str, Any], folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model of a checkpoint, in float32 on the CPU.

    Args:
        state: as ``read_state`` returns it.
        folder: of the model; read only for a checkpoint of an earlier version, which had not all.
    """
    cpu = torch.device("cpu")
    if "files" not in state:
        tokenizer, model = load_model(folder, cpu, "float32")
        model.load_state_dict(state["model"])
        return tokenizer, model
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as place:
        for name, text in state["files"].items():
            (Path(place) / Path(name).name).write_text(text, encoding="utf-8")
        weights = _without_twins(state["model"])
        save_file(weights, Path(place) / "model.safetensors", metadata={"format": "pt"})
        return load_model(place, cpu, "float32")


def _without_twins(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Every tensor once: a head that is tied to the embedding is the embedding."""
    kept = {weights[name].data_ptr(): name for name in reversed(list(weights))}
    return {name: weights[name].contiguous() for name in sorted(kept.values())}
