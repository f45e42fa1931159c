"""Checkpoints of a training that can be relied on: sealed when they are whole, checked before use.

A kill, a full disk or a machine that lost its power leaves files that are torn or not there; the
Trainer would stop at some of them and silently go on without others. It knows no model.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

from simenv.whole_files import write_whole

SEAL = "whole.json"


def seal(checkpoint: Path) -> None:
    """Say of a checkpoint that has just been written that it is whole, by the hashes of files."""
    write_whole(checkpoint / SEAL, json.dumps(_hashes(checkpoint), indent=2))


def last_checkpoint(work: Path) -> str | None:
    """The newest checkpoint in ``work`` whose files are those that were sealed, or None.

    Newer ones that are not whole are removed, so that the Trainer counts none of them as kept.
    """
    found = {
        int(path.name.rpartition("-")[2]): path
        for path in work.glob("checkpoint-*")
        if re.fullmatch(r"checkpoint-\d+", path.name)
    }
    for step in sorted(found, reverse=True):
        if _is_whole(found[step]):
            return str(found[step])
        shutil.rmtree(found[step])
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        sealed = json.loads((checkpoint / SEAL).read_bytes())
        return bool(sealed == _hashes(checkpoint))
    except (OSError, ValueError):
        return False


def _hashes(checkpoint: Path) -> dict[str, str]:
    """SHA-256 of every file, by its name."""
    found = {}
    for path in sorted(p for p in checkpoint.iterdir() if p.is_file() and p.name != SEAL):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
