"""Files and folders that are either whole or not there: written beside their place, then moved in.

The project's one way to write what a later run reads: states, results, adapters, logs, populations.
It knows no format. Two processes that write the same place do not meet: each has a name of its own
beside it, and the last one stays. A process that is killed leaves at most a hidden ``.NAME.*.part``
file or folder, which nobody reads; the next save of the same name removes it.
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
_TRIES = 3  # new names, where others clean up at the same moment


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

    Raises:
        OSError: naming ``path``, where the disk is full or may not be written.
    """
    _remove_leftovers(path)
    unfinished, lock = _claimed(path, Path.touch)
    try:
        write(unfinished)
        _flush(unfinished)
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            named = error.filename not in (None, str(unfinished))
            error.filename = error.filename if named else str(path)
        raise
    finally:
        _unlock(lock)


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
    building, lock = _claimed(path, Path.mkdir)
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
        _unlock(lock)


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Whether nobody else is in such a block with ``folder``, in this process or another.

    A process that is killed is in no block any more. Where there are no locks (Windows, some
    network disks) everybody is alone.

    Args:
        folder: that is there.
    """
    lock = _locked(folder)
    try:
        yield lock is not None or not _taken(folder)
    finally:
        _unlock(lock)


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
    """A name beside ``path`` that nobody else has, with its suffix for writers that go by it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part{path.suffix}")


def _exchanged(left: Path, right: Path) -> bool:
    """Let two folders change names in one step; False where the system has no such step."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    failed = rename(_HERE, os.fsencode(left), _HERE, os.fsencode(right), _EXCHANGE)
    return not failed


def _claimed(path: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """A new file or folder beside ``path``, and its lock; None where there are no locks."""
    for _ in range(_TRIES):
        place = _unused(path)
        make(place)
        lock = _locked(place)
        if lock is not None and place.exists():
            return place, lock
        _unlock(lock)  # another writer took it for a leftover before it was locked
        _remove(place)
    make(place)
    return place, None


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished files and folders of ``path`` whose writers are gone."""
    name = _literal(path.name)
    for left in path.parent.glob(f".{name}.????????.part{_literal(path.suffix)}"):
        lock = None if left.is_symlink() else _locked(left)
        if lock is not None:
            _remove(left)
            _unlock(lock)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _locked(path: Path) -> int | None:
    """An open handle that keeps others from taking ``path`` for a leftover; None if one does."""
    try:
        import fcntl
    except ModuleNotFoundError:  # no such locks on Windows: leftovers stay
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # it has just taken its place, or is not ours to read
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _taken(path: Path) -> bool:
    """Whether somebody has a lock on ``path``; False where nobody can have one."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # this disk has no locks
        return False
    finally:
        os.close(handle)
    return False


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


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
