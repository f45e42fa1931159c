"""Files and folders that are either whole or not there: written beside their place, then moved in.

The project's one way to write what a later run reads: states, results, adapters, logs, populations.
It knows no format. A process that is killed leaves at most a hidden ``.NAME.part`` file or a hidden
``.NAME.*.part`` folder, which nobody reads; the next save of the same folder removes the latter.
"""

import ctypes
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HERE = -100  # AT_FDCWD: names are as this process sees them
_EXCHANGE = 2  # RENAME_EXCHANGE


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
        _flush(unfinished)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of ``path`` when the block ends.

    It lies beside ``path`` under a name that nobody else has. The two are exchanged in one step
    where the system can (Linux); elsewhere the old folder is moved aside first, and back if the
    new one cannot take its place. If the block raises, ``path`` is as it was.

    Args:
        path: may be there or not; missing parents are made. Whether it may be replaced is for the
            caller to say.
    """
    path = Path(os.path.realpath(path))  # a link to a folder stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    building = _unused(path)
    building.mkdir()
    lock = _locked(building)
    try:
        yield building
        for written in building.rglob("*"):
            _flush(written)
        _flush(building)
        _put_in_place(building, path)
        with suppress(OSError):
            _flush(path.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)  # the unfinished one, or the one before
        if lock is not None:
            os.close(lock)


def _put_in_place(building: Path, path: Path) -> None:
    """``building`` becomes ``path``; what was there is called ``building`` afterwards, or gone."""
    if not path.exists():
        building.rename(path)
    elif not _exchanged(building, path):
        aside = _unused(path)
        path.rename(aside)
        try:
            building.rename(path)
        except BaseException:
            aside.rename(path)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _unused(path: Path) -> Path:
    """A name beside ``path`` that nobody else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def _exchanged(left: Path, right: Path) -> bool:
    """Let two folders change names in one step; False where the system has no such step."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    failed = rename(_HERE, os.fsencode(left), _HERE, os.fsencode(right), _EXCHANGE)
    return not failed


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished folders of ``path`` whose writers are gone."""
    for left in path.parent.glob(f".{_literal(path.name)}.????????.part"):
        if left.is_symlink() or not left.is_dir() or not any(left.iterdir()):
            continue
        lock = _locked(left)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """An open handle that keeps others from taking ``folder`` for a leftover; None if one does."""
    try:
        import fcntl
    except ModuleNotFoundError:  # no such locks on Windows: leftovers stay
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _literal(name: str) -> str:
    """A name with the signs that a search pattern would read as its own put in brackets."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _flush(path: Path) -> None:
    """Make the disk hold what was written."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
