"""The base model and the adapters of a population's folder: copied, named, and known again.

Only files of known names are copied, so that nothing else that lies beside them is shared; their
hashes are kept, since another model of the same shape would answer, and answer otherwise.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.inference.local.model_files import ADAPTER_FILES, MODEL_FILES, check_model_folder
from agents.inference.local.plain_files import (
    check_plain,
    is_known,
    named,
    read_json,
    refuse_links,
)
from agents.inference.wrapped.identity import DECIDING
from agents.population.folder import HEAD
from agents.population.shared_taste import GATES, PEERS, WARINESS


def model_of(folder: Path, name: str) -> str:
    """Folder or hub name of a population's base model, which its head calls ``name``.

    Raises:
        FileNotFoundError: a file of the model in ``folder`` is missing.
        ValueError: a file of it is corrupt, or there is none and ``name`` names none elsewhere.
    """
    from agents.population.schema import is_model_name

    if (folder / "model").exists():
        named("model", lambda: check_model_folder(folder / "model"))
        return str(folder / "model")
    if name == "model" or not is_model_name(name):
        raise ValueError(
            f"{HEAD}: wanted the base model in model/, a whole path or a hub name, got"
            f" {name[:80]!r}"
        )
    return name


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of numbers in a population, by their place in it.

    These are the model, the adapters and the vectors. The tables have checksums of their own, and
    may be edited.
    """
    found = {}
    known = (*MODEL_FILES, *ADAPTER_FILES, "vectors.safetensors", GATES, PEERS, WARINESS)
    places = ("*.safetensors", "model/*", "adapters/*/*")
    for path in sorted(path for place in places for path in folder.glob(place)):
        if path.suffix in DECIDING and is_known(path.name, known):
            check_plain(path)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.relative_to(folder).as_posix()] = digest
    return found


def check_saved_files(folder: Path) -> None:
    """Raise if a file of the model, of an adapter or of vectors is not what was saved.

    Raises:
        ValueError: names the file.
    """
    stated = read_json(folder / HEAD).get("files")
    if stated is None:
        return  # saved by an earlier version
    found = hashes(folder)
    for name in sorted({*stated, *found}):
        if stated.get(name) != found.get(name):
            how = "is missing" if name not in found else "is not the file that was saved"
            how = how if name in stated else "was not there when it was saved"
            raise ValueError(
                f"population {str(folder)!r} cannot be read ({name} {how}); copy the whole folder"
                " again, or build it anew"
            )


def write_model(folder: Path, model: str, *, copy: bool, identified: bool) -> str:
    """Copy a local model into the folder; its name for ``write_head``.

    Args:
        folder: of the population.
        model: folder or hub name.
        copy: else the place of a local model is named, as a hub model's name always is.
        identified: whether adapters know the model by all its files.

    Raises:
        ValueError: a file is a link, or adapters know the model by a file that is none of a
            model's.
    """
    local = Path(model)
    if not local.is_dir():
        return model
    if not copy:
        return str(local.resolve())
    left_out = _copy_known(local, folder / "model", MODEL_FILES)
    decides = [name for name in left_out if Path(name).suffix in DECIDING]
    if identified and decides:
        raise ValueError(
            f"model {str(local)!r} holds {decides[0]!r}, which is no file of a model and is not"
            " copied, but the adapters were trained with it there; save with copy_model=False, or"
            " train them on a folder without it"
        )
    return "model"


def write_adapters(folder: Path, adapters: Mapping[str, str]) -> None:
    """Copy the files of every adapter (name → folder).

    Raises:
        ValueError: a file is a link.
    """
    for name, source in adapters.items():
        _copy_known(Path(source), folder / "adapters" / name, ADAPTER_FILES)


def _copy_known(source: Path, target: Path, patterns: Sequence[str]) -> list[str]:
    """Copy the files of known names; returns the names of the others.

    Nothing else is copied: a folder may hold keys, caches, or code.
    """
    refuse_links(source)
    target.mkdir(parents=True)
    left_out = []
    for path in sorted(source.iterdir()):
        if path.is_file() and is_known(path.name, patterns):
            shutil.copyfile(path, target / path.name)
        else:
            left_out.append(path.name)
    return left_out
