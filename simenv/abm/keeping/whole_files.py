"""Files that are either whole or not there: written beside their place, then moved into it."""

import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes; whoever reads ``path`` finds the old content or the new one, never a part."""
    replace_whole(path, lambda unfinished: _write(unfinished, content))


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a file beside ``path``, flush it to the disk and move it into place."""
    unfinished = path.with_name(f".{path.name}.part{path.suffix}")
    write(unfinished)
    with unfinished.open("rb") as handle:
        os.fsync(handle.fileno())
    unfinished.replace(path)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
