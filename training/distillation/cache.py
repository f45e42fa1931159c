"""Answers already paid for, on disk, by a hash of everything that was asked. Holds no key.

Nothing is evicted, and nothing in the folder is ever unpickled.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One answer of the model."""

    text: str
    cut: bool  # at the token limit


def cache_key(asked: Mapping[str, Any]) -> bytes:
    """(32,) bytes: the hash of a request's body (prompt, model and settings), in any order."""
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).digest()


class PaidAnswers:
    """A folder of answers, made where it is missing; several runs may share it at once.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
        ValueError: the folder is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder).expanduser()
        try:
            self._cache = _open(folder)
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"the cache of paid answers {folder.name!r} is damaged ({error}); move it away and"
                " run again"
            ) from error

    def get(self, key: bytes) -> Answer | None:
        """The answer; None if it was never given, or cannot be read."""
        kept = self._cache.get(key, retry=True)
        try:
            answer = json.loads(kept) if isinstance(kept, bytes) else None
            return Answer(str(answer["text"]), bool(answer["cut"])) if answer else None
        except (ValueError, KeyError, TypeError):
            return None

    def put(self, key: bytes, answer: Answer) -> None:
        """Keep an answer; on disk when this returns."""
        text = json.dumps(answer._asdict(), ensure_ascii=False)
        self._cache.set(key, text.encode(), retry=True)

    def forget(self, key: bytes) -> None:
        """Drop an answer, so that a later run asks again."""
        self._cache.delete(key, retry=True)

    def close(self) -> None:
        """Close the folder."""
        self._cache.close()


def _open(folder: Path) -> Any:
    try:
        import diskcache
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "keeping a model's answers needs diskcache: pip install 'personarec[serve]'",
            name="diskcache",
        ) from error

    class BytesDisk(diskcache.Disk):
        """Reads what diskcache would unpickle as absent."""

        def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
            wanted = mode in (diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY)
            return super().fetch(mode, filename, value, read) if wanted else None

    return diskcache.Cache(str(folder), disk=BytesDisk, eviction_policy="none")
