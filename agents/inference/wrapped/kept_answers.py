"""Answers of a run on disk as they come, so that the same command goes on after it was stopped.

Every process appends to a file of its own in the folder and reads those of all earlier ones. A
record that was cut off in its writing, and all behind it in that file, reads as absent. It needs no
package beyond the core's and knows no experiment.
"""

import logging
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from agents.inference.engine import Engine
from agents.inference.wrapped.answer_cache import CachedEngine, how_it_answers
from agents.inference.wrapped.identity import content_hash
from simenv.events import FloatArray

_LOG = logging.getLogger(__name__)
_KEY = 32  # bytes of a SHA-256
_HEAD = struct.Struct("<32sH")  # key, number of choices
_CHECK = struct.Struct("<I")
# What a caller may change to get a failed run through; it shapes no answer.
_PATIENCE = frozenset({"timeout", "tries", "concurrency"})


class AnswerFiles:
    """Rows of float64 by key: all in memory, each on disk before ``put`` returns.

    Args:
        folder: of the files ``0000.answers``, ``0001.answers``, …; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[bytes, bytes] = {}
        self._file: BinaryIO | None = None
        for path in sorted(folder.glob("*.answers")):
            self._rows.update(_records(path.read_bytes()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, keys: Sequence[bytes], num_choices: int) -> dict[bytes, FloatArray]:
        """The rows that are there."""
        found = {key: self._rows[key] for key in keys if key in self._rows}
        return {
            key: np.frombuffer(row, dtype="<f8").astype(np.float64)
            for key, row in found.items()
            if len(row) == 8 * num_choices
        }

    def put(self, rows: Mapping[bytes, FloatArray]) -> None:
        """Append rows; one that is no distribution is left out, a full disk costs no answer."""
        records = []
        for key, row in rows.items():
            if np.isnan(row).any() or np.isposinf(row).any():
                continue
            data = np.asarray(row, dtype="<f8").tobytes()
            self._rows[key] = data
            body = _HEAD.pack(key, len(row)) + data
            records.append(body + _CHECK.pack(zlib.crc32(body)))
        try:
            file = self._opened()
            file.write(b"".join(records))
            file.flush()
        except OSError as error:
            _LOG.warning("the answers of this run are not kept any more (%s)", error)

    def close(self) -> None:
        """Close this process's own file; a later ``put`` begins another."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = len(list(self.folder.glob("*.answers")))
            while self._file is None:
                try:
                    self._file = (self.folder / f"{number:04d}.answers").open("xb")
                except FileExistsError:
                    number += 1
        return self._file


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and row of every whole record, up to the first that is none."""
    place = 0
    while place + _HEAD.size <= len(data):
        key, num_choices = _HEAD.unpack_from(data, place)
        end = place + _HEAD.size + 8 * num_choices
        body = data[place:end]
        if data[end : end + _CHECK.size] != _CHECK.pack(zlib.crc32(body)):
            return
        yield key, body[_HEAD.size :]
        place = end + _CHECK.size


def keeping(maker: Callable[..., Any], folder: str | Path) -> Callable[..., Any]:
    """A maker whose engine keeps its answers in ``folder``; wrappers stay around the store.

    Args:
        maker: ``maker(model, adapters=…)`` makes an engine. Where it is a partial that names
            another maker as ``engine`` (a cache, a recorder, tolerance), that one is wrapped.
        folder: of the run.
    """
    inner = maker.keywords.get("engine") if isinstance(maker, partial) else None
    if inner is not None:
        return partial(maker, engine=keeping(inner, folder))
    return partial(_kept_engine, engine=maker, folder=folder)


def _kept_engine(
    model: str,
    adapters: Mapping[str, str] | None = None,
    *,
    engine: Callable[..., Engine],
    folder: str | Path,
) -> Engine:
    inner = engine(model, adapters=adapters)
    if inner.facts.masks_failures:  # stand-ins for failed answers must not be kept
        return inner
    names = {name: _content(place) for name, place in dict(adapters or {}).items()}
    how = how_it_answers(inner, engine, without=_PATIENCE)
    return CachedEngine(inner, f"{_content(model)}; {how}", names, store=AnswerFiles(Path(folder)))


def _content(place: str | Path) -> str:
    """What a model is by its content, or by its name where it is not on this machine."""
    try:
        return content_hash(place)
    except FileNotFoundError:
        return f"named: {place}"
