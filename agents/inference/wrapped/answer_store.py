"""Where cached rows lie: float64 by key, in memory or in a folder that processes share.

It knows no engine and no request. Nothing in a folder is ever unpickled.
"""

import logging
import sqlite3
import struct
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agents.inference.wrapped.proper_rows import is_distribution
from simenv.events import FloatArray

_LOG = logging.getLogger(__name__)
_ENTRY_OVERHEAD = 250  # bytes that Python adds to an entry; 203 measured, and room for growth


class RowStore(Protocol):
    """Keeps rows between runs."""

    def get(self, keys: Sequence[bytes], num_choices: int) -> dict[bytes, FloatArray]:
        """The rows that are there and whole."""
        ...

    def put(self, rows: Mapping[bytes, FloatArray]) -> None:
        """Store rows; what cannot be stored is no error."""
        ...

    def close(self) -> None:
        """Let files go."""
        ...


class MemoryStore:
    """Rows by key within a byte budget, least recently used out."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._rows: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> FloatArray | None:
        """The row, now the most recently used; None if it is not there."""
        row = self._rows.get(key)
        if row is None:
            return None
        self._rows.move_to_end(key)
        return np.frombuffer(row, dtype=np.float64)

    def put(self, key: bytes, row: FloatArray) -> None:
        """Keep a copy of the row, throwing out the least recently used for room."""
        data = np.asarray(row, dtype=np.float64).tobytes()
        if key in self._rows:
            self.num_bytes -= len(self._rows.pop(key)) + _ENTRY_OVERHEAD
        self._rows[key] = data
        self.num_bytes += len(data) + _ENTRY_OVERHEAD
        while self.num_bytes > self.max_bytes:
            _, old = self._rows.popitem(last=False)
            self.num_bytes -= len(old) + _ENTRY_OVERHEAD


class DiskStore:
    """Rows in a diskcache folder: bytes in, bytes out, with a checksum; safe between processes."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        try:
            self._cache = _open_cache(folder, max_bytes)
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"answer cache {folder.name!r} is damaged ({error}); delete the folder"
            ) from error

    def get(self, keys: Sequence[bytes], num_choices: int) -> dict[bytes, FloatArray]:
        """The rows that are there, whole and proper distributions."""
        rows: dict[bytes, FloatArray] = {}
        for key in keys:
            try:
                data = self._cache.get(key, retry=True)
            except sqlite3.DatabaseError as error:
                _LOG.warning("the answer cache on disk cannot be read (%s); delete it", error)
                break
            if isinstance(data, bytes) and len(data) == 8 * num_choices + 4:
                row, checksum = data[:-4], data[-4:]
                if _checksum(row) == checksum:
                    rows[key] = np.frombuffer(row, dtype="<f8").astype(np.float64)
        proper = {key: row for key, row in rows.items() if is_distribution(row)}
        if len(proper) < len(rows):
            count = len(rows) - len(proper)
            _LOG.warning("%d answers in the cache are no distributions; they are asked anew", count)
        return proper

    def put(self, rows: Mapping[bytes, FloatArray]) -> None:
        """Store rows in one transaction; a full disk costs the cache, not the answers."""
        try:
            with self._cache.transact(retry=True):
                for key, row in rows.items():
                    data = np.asarray(row, dtype="<f8").tobytes()
                    self._cache.set(key, data + _checksum(data), retry=True)
        except (sqlite3.DatabaseError, OSError) as error:
            _LOG.warning("the answer cache on disk keeps nothing more (%s)", error)

    def close(self) -> None:
        """Close the folder."""
        self._cache.close()


def _checksum(row: bytes) -> bytes:
    return struct.pack("<I", zlib.crc32(row))


def _open_cache(folder: Path, max_bytes: int) -> Any:
    """A diskcache folder whose values are bytes in the database; pickles read as absent."""
    try:
        import diskcache
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "an answer cache on disk needs diskcache: pip install 'personarec[serve]', or leave"
            " folder out"
        ) from error

    class BytesDisk(diskcache.Disk):
        """Refuses what diskcache would pickle."""

        def store(self, value: Any, read: bool, key: Any = None) -> Any:
            if type(value) is not bytes:
                raise TypeError(f"the answer cache stores bytes, got {type(value).__name__}")
            return super().store(value, False, key)

        def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
            return value if mode == diskcache.core.MODE_RAW else None

    return diskcache.Cache(
        str(folder),
        disk=BytesDisk,
        size_limit=max_bytes,
        eviction_policy="least-recently-stored",
        cull_limit=64,
        disk_min_file_size=2**16,
    )
