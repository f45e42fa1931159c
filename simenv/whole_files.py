"""Files that are either whole or not there: written beside their place, then moved into it.

The project's one way to write what a later run reads: states, results, adapters, logs. It knows no
format. A process that is killed leaves at most a hidden ``.NAME.part`` file, which nobody reads.
"""

import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write bytes, or text in UTF-8; a reader finds the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    replace_whole(path, lambda unfinished: unfinished.write_bytes(data))


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a file beside ``path``, flush it to the disk and move it into place.

    Args:
        path: in a folder that exists.
        write: is given a path with the suffix of ``path``. If it raises, the unfinished file is
            removed, and ``path`` is as it was.
    """
    unfinished = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        write(unfinished)
        with unfinished.open("rb") as handle:
            os.fsync(handle.fileno())
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)
