"""Runs ``LlamaForward`` over many requests: merged adapters, cached prefixes, small chunks.

Chunks are sized for the processor's caches, and a small model's chunks run side by side, one a
core, which costs less than splitting every small product over the cores.
"""

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from agents.inference.facets.mixtures import adapter_of, read_mixture
from agents.inference.fused.llama import LlamaForward, Row
from agents.inference.fused.llama_weights import Weights, beside, fuse
from agents.inference.prefix_cache import PrefixCache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import IntArray

CHUNK_TOKENS = 1536  # measured: 800 to 3,000 tokens a chunk are about equally fast
_LEAST_TOKENS = 128  # of a chunk; less is not worth a second core
_SMALL = 50_000_000  # weights of a model whose chunks run side by side
_MERGED_BYTES = 2**31  # merged adapters kept

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Prefix = tuple[str | None, str]  # an adapter or a mixture, and the text read under it
_Lead = tuple[_Prefix, tuple[int, ...]]  # a prefix, and the tokens after it


class FusedForward:
    """See the module. The answers do not depend on the number of threads.

    Nor on what is asked beside them or was asked before: a row's bits are its own, see
    ``LlamaForward``.
    """

    def __init__(
        self,
        model: Any,
        tokens: Tokens,
        cache: PrefixCache,
        stats: EngineStats,
    ) -> None:
        """Build the forward.

        Args:
            model: a base model for which ``why_not`` is None; its peft layers are seen too.
            tokens: encodes prefixes.
            cache: of keys and values.
            stats: counts the tokens run.
        """
        self._model, self._tokens, self._cache, self._stats = model, tokens, cache, stats
        self._forward = LlamaForward(model)
        self._num_weights = sum(p.numel() for p in model.model.layers.parameters())
        self._merged: OrderedDict[str | None, Weights] = OrderedDict()
        self._mixed: dict[str, Weights] = {}  # by adapters whose facets are mixed
        self._crew, self._process = self._hire(), os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        """All but the threads, so that a copy has its own."""
        return self.__dict__ | {"_crew": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._crew, self._process = self._hire(), os.getpid()

    def _hire(self) -> ThreadPoolExecutor | None:
        return _crew(torch.get_num_threads() if self._num_weights <= _SMALL else 1)

    def logits(
        self,
        adapters: Sequence[str | None],
        prefixes: Sequence[str],
        suffixes: Sequence[list[int]],
        choices: list[int],
    ) -> Tensor:
        """Logits (n, c) of the chosen tokens after each of n prompts.

        A suffix's first line (what was recalled) is kept as prefixes are: the items of a slate
        recall the same decisions, and so do slates to come.

        ``adapters`` (n,) must be one and the same; mixtures of one adapter's facets may differ.

        Raises:
            NotFused: the adapter or the size of the scores is beyond the fast forward.
        """
        weights = self._weights(adapters[0])
        rows = self._rows(weights, list(zip(adapters, prefixes, strict=True)), suffixes)
        rests = [row.tokens for row in rows]
        chunks = make_chunks(prefixes, [len(rest) for rest in rests], CHUNK_TOKENS)
        self._count(rests)

        def run(chunk: IntArray) -> Tensor:
            return self._forward.logits(weights, [rows[i] for i in chunk], choices)

        out = torch.empty(len(suffixes), len(choices))
        for chunk, part in zip(chunks, self._map(run, chunks), strict=True):
            out[torch.from_numpy(chunk)] = part
        return out

    def _rows(
        self, weights: Weights, prefixes: Sequence[_Prefix], suffixes: Sequence[list[int]]
    ) -> list[Row]:
        """What is left to run of every prompt, behind the states of its prefix and first line.

        States of a mixture are kept under its gate, with those of the adapter.
        """
        adapter = adapter_of(prefixes[0][0])
        states = self._cache.fetch(adapter, prefixes, lambda new: self._prefill(weights, new))
        cuts = [self._tokens.first_line(ids) for ids in suffixes]
        keys = [(p, tuple(s[:c])) for p, s, c in zip(prefixes, suffixes, cuts, strict=True)]
        leads = self._cache.fetch(
            adapter,
            [key for key, cut in zip(keys, cuts, strict=True) if cut],
            lambda new: self._prefill_leads(weights, new, states),
        )
        return [
            Row(ids[cut:], states[key[0]], leads.get(key), read_mixture(key[0][0]).gate)
            for ids, cut, key in zip(suffixes, cuts, keys, strict=True)
        ]

    def states_of(self, adapter: str | None, rows: Sequence[Row]) -> list[Tensor]:
        """Keys and values of rows' own tokens under an adapter; nothing is kept.

        Raises:
            NotFused: as ``logits`` does.
        """
        weights = self._weights(adapter)
        found: list[Tensor] = [torch.empty(0)] * len(rows)

        def run(chunk: IntArray) -> list[Tensor]:
            return self._forward.prefill(weights, [rows[i] for i in chunk])

        chunks = self._chunks(rows)
        for chunk, part in zip(chunks, self._map(run, chunks), strict=True):
            for row, own in zip(chunk, part, strict=True):
                found[row] = own
        return found

    def logits_of(self, adapter: str | None, rows: Sequence[Row], choices: list[int]) -> Tensor:
        """Logits (n, c) of the chosen tokens after each row; neighbours share their prefix's state.

        Raises:
            NotFused: as ``logits`` does.
        """
        weights = self._weights(adapter)
        chunks = self._chunks(rows)

        def run(chunk: IntArray) -> Tensor:
            return self._forward.logits(weights, [rows[i] for i in chunk], choices)

        out = torch.empty(len(rows), len(choices))
        for chunk, part in zip(chunks, self._map(run, chunks), strict=True):
            out[torch.from_numpy(chunk)] = part
        return out

    def _chunks(self, rows: Sequence[Row]) -> list[IntArray]:
        """Rows behind one state side by side; counted as run."""
        self._count([row.tokens for row in rows])
        states = [id(row.prefix) if row.prefix is not None else -i for i, row in enumerate(rows)]
        return make_chunks(states, [len(row.tokens) for row in rows], CHUNK_TOKENS)

    def rest_on(self, model: Any) -> None:
        """Read weights off another object from now on, which holds the same ones."""
        self._model = model

    def forget(self, adapter: str) -> None:
        """Let go of the merged weights of an adapter."""
        self._merged.pop(adapter, None)
        self._mixed.pop(adapter, None)

    def close(self) -> None:
        """End the threads and let go of the weights."""
        if self._crew is not None:
            self._crew.shutdown()
        self._merged.clear()
        self._mixed.clear()

    def _prefill(self, weights: Weights, prefixes: list[_Prefix]) -> list[Tensor]:
        return self._states(weights, prefixes, [self._tokens.prefix(p) for _, p in prefixes], {})

    def _prefill_leads(
        self, weights: Weights, keys: list[_Lead], states: Mapping[_Prefix, Tensor]
    ) -> list[Tensor]:
        prefixes = [prefix for prefix, _ in keys]
        return self._states(weights, prefixes, [list(ids) for _, ids in keys], states)

    def _states(
        self,
        weights: Weights,
        prefixes: list[_Prefix],
        ids: list[list[int]],
        behind: Mapping[_Prefix, Tensor],
    ) -> list[Tensor]:
        """Keys and values of n texts, each behind its prefix where ``behind`` has that."""
        rows = [
            Row(own, behind.get(key), gate=read_mixture(key[0]).gate)
            for own, key in zip(ids, prefixes, strict=True)
        ]
        chunks = make_chunks(prefixes, [len(own) for own in ids], CHUNK_TOKENS)
        self._count(ids)
        found: list[Tensor] = [torch.empty(0)] * len(ids)

        def run(chunk: IntArray) -> list[Tensor]:
            return self._forward.prefill(weights, [rows[i] for i in chunk])

        for chunk, part in zip(chunks, self._map(run, chunks), strict=True):
            for row, own in zip(chunk, part, strict=True):
                found[row] = own
        return found

    def _weights(self, name: str | None) -> Weights:
        """Fused weights for an adapter or a mixture of its facets, which are put beside the base's.

        An ordinary adapter is merged in; the least recently used sets are let go.
        """
        adapter, gate = read_mixture(name)
        if adapter is None or not gate:
            return self._merged_weights(adapter)
        if adapter not in self._mixed:
            base = self._merged_weights(None)
            self._mixed[adapter] = beside(base, self._model, self._forward.shape, adapter)
        return self._mixed[adapter]

    def _merged_weights(self, adapter: str | None) -> Weights:
        if adapter not in self._merged:
            self._merged[adapter] = fuse(self._model, self._forward.shape, adapter)
            most = max(1, _MERGED_BYTES // self._merged[adapter].num_bytes)
            while len(self._merged) > most:
                self._merged.popitem(last=False)
        self._merged.move_to_end(adapter)
        return self._merged[adapter]

    def _count(self, rows: Sequence[Sequence[int]]) -> None:
        tokens = sum(len(row) for row in rows)
        self._stats.add_run(tokens, tokens, self._num_weights)

    def _map(self, run: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
        if self._process != os.getpid():  # forked: the threads stayed with the parent
            self._crew, self._process = self._hire(), os.getpid()
        if self._crew is None:
            return [run(item) for item in items]
        return list(self._crew.map(run, items))


def make_chunks(prefixes: Sequence[Hashable], lengths: Sequence[int], most: int) -> list[IntArray]:
    """Partition rows into chunks of about equal tokens, ``most`` or a little more (a row is whole).

    Rows of one prefix stay neighbours; prefixes follow each other as they first appear. The number
    of chunks is even, if there is enough for two, so that two cores end together; it does not
    depend on the cores, so that the answers do not.
    """
    groups: dict[Hashable, list[int]] = {}
    for row, prefix in enumerate(prefixes):
        groups.setdefault(prefix, []).append(row)
    order = np.array(list(itertools.chain.from_iterable(groups.values())), dtype=np.int64)
    tokens = np.asarray(lengths, dtype=np.int64)[order]
    ends = np.cumsum(tokens)
    total = int(tokens.sum())
    count = -(-total // most)
    if count % 2 and total >= 2 * _LEAST_TOKENS:
        count += 1
    middles = ends - tokens / 2
    places = (middles * count / max(total, 1)).astype(np.int64)
    return [part for part in np.split(order, np.flatnonzero(np.diff(places)) + 1) if len(part)]


def _crew(size: int) -> ThreadPoolExecutor | None:
    """Threads that each compute on one core; None if one would be all."""
    if size < 2:
        return None
    threads, together = torch.get_num_threads(), threading.Barrier(size + 1)
    crew = ThreadPoolExecutor(size, thread_name_prefix="llama", initializer=_take_one_core)
    for _ in range(size):
        crew.submit(together.wait)
    together.wait()
    torch.set_num_threads(threads)  # torch also keeps the last number set, for threads to come
    return crew


def _take_one_core() -> None:
    torch.get_num_threads()  # the first call in a thread takes over what all threads were given
    torch.set_num_threads(1)
