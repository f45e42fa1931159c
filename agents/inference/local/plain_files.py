"""Files out of folders that others made: plain ones, without surprises.

JSON of a stated size and depth, headers of safetensors that agree with their file, no links and no
pipes. It knows no model.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

_MOST_JSON = 64 * 2**20  # bytes; a tokenizer of 256,000 words takes 33 MB

Shapes = dict[str, tuple[int, ...]]


def is_known(name: str, patterns: Iterable[str]) -> bool:
    """Whether a file of this name is one of ``patterns``."""
    return any(fnmatch(name, pattern) for pattern in patterns)


def read_json(path: Path) -> dict[str, Any]:
    """An object out of a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no plain file, too large, no JSON, no object, nested too deeply, or holds
            NaN or infinity.
    """
    check_plain(path)
    if (size := path.stat().st_size) > _MOST_JSON:
        raise ValueError(f"{path.name} has {size} bytes, at most {_MOST_JSON} are read")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        what = "is nested too deeply" if isinstance(error, RecursionError) else f"({error})"
        raise ValueError(f"{path.name} is corrupt: wanted JSON, {what}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: wanted a JSON object, got {type(content).__name__}")
    return content


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def check_plain(path: Path) -> None:
    """Raise unless ``path`` is a file with content of its own, or a link to one.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is a folder, a pipe or a device, which may never end.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing in {str(path.parent)!r}")
    if not path.is_file():
        raise ValueError(f"{path.name} in {str(path.parent)!r} is no plain file")


def refuse_links(folder: Path) -> None:
    """Raise if anything in ``folder`` is a link, a pipe or a device, whatever its depth.

    The hub's own cache is made of links into its ``blobs``, which are let through.

    Raises:
        ValueError: names the link.
    """
    root = Path(os.path.realpath(folder))
    cached = next((p.parent / "blobs" for p in root.parents if p.name == "snapshots"), None)
    for path in _walk(root):
        if path.is_symlink() and Path(os.path.realpath(path)).parent != cached:
            name = path.relative_to(root)
            raise ValueError(
                f"{str(folder)!r} holds the link {str(name)!r} to {os.readlink(path)!r}; what it"
                " leads to is not read or copied: put the file itself there"
            )
        if not path.is_dir():
            check_plain(path)


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):  # links to folders are named, not entered
        yield from (Path(place) / name for name in sorted([*folders, *files]))


def tensor_shapes(path: Path, cure: str) -> Shapes:
    """Names and shapes of the tensors of a safetensors file, out of its header.

    Args:
        path: of the file.
        cure: what to do if it is corrupt.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the header is corrupt or does not agree with the file's length.
    """
    from safetensors import SafetensorError, safe_open

    check_plain(path)
    try:
        with safe_open(str(path), framework="numpy") as weights:
            return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is corrupt ({error}); {cure}") from error


def named(what: str, check: Callable[[], Any]) -> Any:
    """What ``check`` returns; its errors begin with ``what``, which says whose file it is."""
    try:
        return check()
    except (FileNotFoundError, ValueError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        raise kind(f"{what}: {error}") from error
