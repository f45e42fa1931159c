"""Runs ``LlamaForward`` over many requests: merged adapters, cached prefixes, small chunks.

Chunks are sized for the processor's caches, and a small model's chunks run side by side, one a
core, which costs less than splitting every small product over the cores.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from agents.inference.llama import Batch, Group, LlamaForward
from agents.inference.llama_weights import Weights, fuse
from agents.inference.prefix_cache import PrefixCache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import IntArray

CHUNK_TOKENS = 1536  # measured: 500 to 2,000 tokens a chunk are about equally fast, more is slower
_SMALL = 50_000_000  # weights of a model whose chunks run side by side
_MERGED_BYTES = 2**31  # merged adapters kept

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Lead = tuple[str, tuple[int, ...]]  # a prefix, and the tokens after it


class FastForward:
    """See the module. The answers do not depend on the number of threads."""

    def __init__(
        self,
        model: Any,
        tokens: Tokens,
        cache: PrefixCache,
        stats: EngineStats,
        repeatable: bool = False,
    ) -> None:
        """Build the forward.

        Args:
            model: a base model for which ``why_not`` is None; its peft layers are seen too.
            tokens: encodes prefixes.
            cache: of keys and values.
            stats: counts the tokens run.
            repeatable: kept states do not depend on what was computed beside them: prefixes run
                alone, and first lines, which are too short for that, are not kept.
        """
        self._model, self._tokens, self._cache, self._stats = model, tokens, cache, stats
        self._repeatable = repeatable
        self._forward = LlamaForward(model)
        self._num_weights = sum(p.numel() for p in model.model.layers.parameters())
        self._merged: OrderedDict[str | None, Weights] = OrderedDict()
        self._crew = _crew(torch.get_num_threads() if self._num_weights <= _SMALL else 1)

    def logits(
        self,
        adapter: str | None,
        prefixes: Sequence[str],
        suffixes: Sequence[list[int]],
        choices: list[int],
    ) -> Tensor:
        """Logits (n, c) of the chosen tokens after each of n prompts.

        A suffix's first line (what was recalled) is kept as prefixes are: the items of a slate
        recall the same decisions, and so do slates to come.

        Raises:
            NotFused: the adapter or the size of the scores is beyond the fast forward.
        """
        weights = self._weights(adapter)
        states = self._cache.fetch(adapter, prefixes, lambda new: self._prefill(weights, new))
        cuts = [0 if self._repeatable else self._tokens.first_line(ids) for ids in suffixes]
        keys = [(p, tuple(s[:c])) for p, s, c in zip(prefixes, suffixes, cuts, strict=True) if c]
        kept = self._cache.fetch(
            adapter, keys, lambda new: self._prefill_leads(weights, new, states)
        )
        rests = [ids[cut:] for ids, cut in zip(suffixes, cuts, strict=True)]
        leads = [
            kept.get((p, tuple(s[:c]))) for p, s, c in zip(prefixes, suffixes, cuts, strict=True)
        ]
        lengths = np.array([len(ids) for ids in rests], dtype=np.int64)
        chunks = make_chunks(prefixes, lengths, CHUNK_TOKENS)

        def run(rows: IntArray) -> Tensor:
            batch = _batch(
                [rests[i] for i in rows],
                [states[prefixes[i]] for i in rows],
                [leads[i] for i in rows],
            )
            return self._forward.logits(weights, batch, choices)

        self._count(lengths, chunks)
        out = torch.empty(len(suffixes), len(choices))
        for rows, part in zip(chunks, self._map(run, chunks), strict=True):
            out[torch.from_numpy(rows)] = part
        return out

    def forget(self, adapter: str) -> None:
        """Let go of the merged weights of an adapter."""
        self._merged.pop(adapter, None)

    def close(self) -> None:
        """End the threads and let go of the weights."""
        if self._crew is not None:
            self._crew.shutdown()
        self._merged.clear()

    def _prefill(self, weights: Weights, prefixes: list[str]) -> list[Tensor]:
        return self._states(weights, prefixes, [self._tokens.prefix(p) for p in prefixes], {})

    def _prefill_leads(
        self, weights: Weights, keys: list[_Lead], states: Mapping[str, Tensor]
    ) -> list[Tensor]:
        prefixes = [prefix for prefix, _ in keys]
        return self._states(weights, prefixes, [list(ids) for _, ids in keys], states)

    def _states(
        self,
        weights: Weights,
        prefixes: list[str],
        ids: list[list[int]],
        behind: Mapping[str, Tensor],
    ) -> list[Tensor]:
        """Keys and values of n texts, each behind its prefix where ``behind`` has that."""
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        chunks = make_chunks(prefixes, lengths, 1 if self._repeatable else CHUNK_TOKENS)
        self._count(lengths, chunks)
        found: list[Tensor] = [torch.empty(0)] * len(ids)

        def run(rows: IntArray) -> list[Tensor]:
            before = [behind[prefixes[i]] for i in rows] if behind else []
            return self._forward.prefill(weights, _batch([ids[i] for i in rows], before))

        for rows, part in zip(chunks, self._map(run, chunks), strict=True):
            for row, own in zip(rows, part, strict=True):
                found[row] = own
        return found

    def _weights(self, adapter: str | None) -> Weights:
        """Fused weights, the adapter merged in; the least recently used sets are let go."""
        if adapter not in self._merged:
            self._merged[adapter] = fuse(self._model, self._forward.shape, adapter)
            most = max(1, _MERGED_BYTES // self._merged[adapter].num_bytes)
            while len(self._merged) > most:
                self._merged.popitem(last=False)
        self._merged.move_to_end(adapter)
        return self._merged[adapter]

    def _count(self, lengths: IntArray, chunks: list[IntArray]) -> None:
        padded = sum(len(rows) * int(lengths[rows].max()) for rows in chunks)
        self._stats.add_run(int(lengths.sum()), padded, self._num_weights)

    def _map(self, run: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
        if self._crew is None:
            return [run(item) for item in items]
        return list(self._crew.map(run, items))


def make_chunks(prefixes: Sequence[str], lengths: IntArray, most: int) -> list[IntArray]:
    """Partition rows into chunks of at most ``most`` padded tokens (a longer row runs alone).

    Rows of one prefix stay neighbours, in order of length; prefixes follow each other in order of
    their longest row, so that little is padding.
    """
    groups: dict[str, list[int]] = {}
    for row, prefix in enumerate(prefixes):
        groups.setdefault(prefix, []).append(row)
    parts: list[IntArray] = []
    for rows in groups.values():
        order = np.array(rows)[np.argsort(lengths[rows], kind="stable")]
        side_by_side = max(1, most // int(lengths[order[-1]]))
        parts += np.array_split(order, -(-len(rows) // side_by_side))
    parts.sort(key=lambda part: int(lengths[part[-1]]))
    chunks: list[list[IntArray]] = []
    num_rows = 0
    for part in parts:
        num_rows += len(part)
        if not chunks or num_rows * int(lengths[part].max()) > most:
            chunks.append([])
            num_rows = len(part)
        chunks[-1].append(part)
    return [np.concatenate(chunk) for chunk in chunks]


def _batch(
    rows: Sequence[list[int]], states: Sequence[Tensor], leads: Sequence[Tensor | None] = ()
) -> Batch:
    """Rows behind their prefixes' states (one a row, equal neighbours share), or behind nothing.

    ``leads`` stand between: one a row, where it has one.
    """
    lengths = np.array([len(row) for row in rows])
    tokens = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = [i for row in rows for i in row]
    starts, groups = np.zeros(len(rows), dtype=np.int64), []
    begin = 0
    for end in range(1, len(states) + 1):
        if end == len(states) or states[end] is not states[begin]:
            groups.append(Group(begin, end, states[begin]))
            starts[begin:end] = states[begin].shape[3]
            begin = end
    starts += np.array(
        [0 if lead is None else lead.shape[3] for lead in leads or [None] * len(rows)]
    )
    return Batch(
        torch.from_numpy(tokens),
        torch.from_numpy(lengths),
        torch.from_numpy(starts),
        groups,
        leads,
    )


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
