"""Distributions that were asked for before, in memory and optionally on disk: exact and bounded.

A second policy over the same users then costs only what is new. The key is the content of the
model and of the adapter, the prompt and the choices; the value is the float64 row, bit for bit.
Several processes may share a folder.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.inference.engine import Engine, Request, UnknownAdapterError
from agents.inference.facets.mixtures import read_mixture
from agents.inference.packaged import is_packaged, packaged_identity
from agents.inference.stats import AnswerStats
from agents.inference.wrapped.answer_store import DiskStore, MemoryStore, RowStore
from agents.inference.wrapped.ask_once import ask_once
from agents.inference.wrapped.engine_wrapper import EngineWrapper, refuse_masked_failures
from agents.inference.wrapped.identity import content_hash
from agents.inference.wrapped.proper_rows import proper_or_failed
from simenv.events import FloatArray
from simenv.ranges import check_number


class CachedEngine(EngineWrapper):
    """Another engine with its distributions kept; ``generate`` passes through.

    Only misses go inside, in one call, each once. Only proper distributions are kept or served:
    failed requests and rows that are none are not kept, and one found on disk is asked for anew.

    Args:
        inner: the engine that answers; its description stays on the report.
        identity: what the base model is and how it is run, by content; see ``cached_engine``.
        adapters: name → what that adapter is, by content.
        folder: shared cache on disk; None = in memory only.
        max_bytes: most bytes in memory; least recently used out.
        max_disk_bytes: most bytes on disk, about; least recently stored out.
        store: keeps the rows in place of ``folder``.

    Raises:
        ModuleNotFoundError: ``folder`` is given and diskcache is not installed.
        ValueError: the folder is damaged, or the engine inside masks failures.
    """

    def __init__(
        self,
        inner: Engine,
        identity: str,
        adapters: Mapping[str, str] | None = None,
        *,
        folder: str | Path | None = None,
        max_bytes: int = 2**28,
        max_disk_bytes: int = 2**30,
        store: RowStore | None = None,
    ) -> None:
        refuse_masked_failures(inner, "an answer cache")
        for name, number in (("max_bytes", max_bytes), ("max_disk_bytes", max_disk_bytes)):
            check_number("engine=cached", name, number, "whole [0, inf)", "it counts bytes")
        super().__init__(inner)
        self._identity = identity
        self._adapters = dict(adapters or {})
        self._memory = MemoryStore(max_bytes)
        self._disk: RowStore | None = store
        if folder is not None:
            self._disk = DiskStore(Path(folder), max_disk_bytes)
        self._misses = self._hits = self._from_disk = 0

    @property
    def answer_stats(self) -> AnswerStats:
        """Counts since construction."""
        return AnswerStats(self._hits, self._misses, self._from_disk, self._memory.num_bytes)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            UnknownAdapterError: a request names an adapter whose content is not known.
            FailedRequestsError: of the engine inside, or its answers are no distributions.
        """
        keys = [self._key(request, choices) for request in requests]
        known = self._look_up(dict.fromkeys(keys), len(choices))

        def ask(rows: list[int]) -> Iterable[Any]:
            self._misses += len(rows)
            self._hits -= len(rows)
            asked = [requests[row] for row in rows]
            inside, who = partial(self.inner.score, asked, choices), self.inner.description
            return proper_or_failed(inside, len(rows), len(choices), who)

        def pack(rows: list[Any]) -> FloatArray:
            return np.array(rows, dtype=np.float64).reshape(-1, len(choices))

        self._hits += len(requests)
        return np.asarray(ask_once(keys, known, ask, self._keep, pack))

    def close(self) -> None:
        """Close the folder and the engine inside."""
        if self._disk is not None:
            self._disk.close()
        self.inner.close()

    def _key(self, request: Request, choices: Sequence[str]) -> bytes:
        """Every part with its length before it, so that no two prompts run into one."""
        adapter, (name, gate) = "", read_mixture(request.adapter)
        if name is not None:
            if name not in self._adapters:
                raise UnknownAdapterError(name, tuple(self._adapters))
            adapter = f"+{self._adapters[name]}{gate or ''}"
        digest = hashlib.sha256()
        for part in (self._identity, adapter, request.prefix, request.rest, *choices):
            data = part.encode()
            digest.update(struct.pack("<q", len(data)))
            digest.update(data)
        return digest.digest()

    def _look_up(self, keys: Mapping[bytes, None], num_choices: int) -> dict[bytes, FloatArray]:
        found = {key: row for key in keys if (row := self._memory.get(key)) is not None}
        if self._disk is not None:
            stored = self._disk.get([key for key in keys if key not in found], num_choices)
            self._from_disk += len(stored)
            for key, row in stored.items():
                self._memory.put(key, row)
            found.update(stored)
        return found

    def _keep(self, fresh: dict[bytes, FloatArray]) -> None:
        for key, row in fresh.items():
            self._memory.put(key, row)
        if self._disk is not None and fresh:
            self._disk.put(fresh)


def cached_engine(
    model: str,
    adapters: Mapping[str, str] | None = None,
    *,
    engine: Callable[..., Engine],
    folder: str | Path | None = None,
    max_bytes: int = 2**28,
    max_disk_bytes: int = 2**30,
    identity: str | None = None,
) -> CachedEngine:
    """The cache around the engine that ``engine(model, adapters=…)`` makes; for configs.

    Model and adapters are identified by ``content_hash``; the maker's settings and the inner
    engine's identity, device and number format are part of the key too, since they change the last
    digits.

    Args:
        model: folder of the base model.
        adapters: name → folder.
        engine: makes the engine inside.
        folder: see ``CachedEngine``; so are the sizes.
        max_bytes: in memory.
        max_disk_bytes: on disk.
        identity: stands for the content of model and adapters where they are not on this machine
            (a server's): a text that you change whenever the weights change.

    Raises:
        FileNotFoundError: the model or an adapter is no folder here and ``identity`` is None.
    """
    names = dict(adapters or {})
    if identity is None:
        base, known = _identity(model), {n: content_hash(f) for n, f in names.items()}
    else:
        base, known = f"said: {identity}", {n: f"said: {identity}, adapter {n}" for n in names}
    inner = engine(model, adapters=adapters)
    return CachedEngine(
        inner,
        f"{base}; {how_it_answers(inner, engine)}",
        known,
        folder=folder,
        max_bytes=max_bytes,
        max_disk_bytes=max_disk_bytes,
    )


def _identity(model: str | Path) -> str:
    return packaged_identity(str(model)) if is_packaged(model) else content_hash(model)


def how_it_answers(
    inner: Engine, maker: Callable[..., Engine], without: Set[str] = frozenset()
) -> str:
    """How an engine computes, as far as it is known; no secret, no path.

    The text is part of the keys of folders that exist: to change it is to forget them.

    Args:
        inner: the engine.
        maker: what made it; a partial's arguments count.
        without: names of arguments that shape no answer.
    """
    facts = inner.facts
    numbers = f"torch.{facts.dtype}" if facts.dtype else ""
    settings = _settings(maker, without | {"api_key"})
    return f"{type(inner).__name__} {settings} {facts.identity} {facts.device} {numbers}"


def _settings(maker: Callable[..., Engine], without: Set[str]) -> str:
    """What a config set, makers inside makers too; never where an object lies in memory."""
    given = maker.keywords if isinstance(maker, partial) else {}
    known = {
        k: _settings(v, without) if callable(v) else v for k, v in given.items() if k not in without
    }
    return str(sorted(known.items()))
