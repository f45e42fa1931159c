"""Runs a causal language model in this process, with peft adapters.

A prefix is computed once per (adapter, prefix) and its keys and values are kept across calls.
Llama-like models on a CPU run on ``LlamaForward``, everything else on Hugging Face's own forward;
``reuse_prefixes=False`` runs whole prompts there and is the obviously correct twin of both.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from agents.inference.decoding import decode
from agents.inference.engine import Completion, Request, Sampling, UnknownAdapterError
from agents.inference.fast import FastForward
from agents.inference.huggingface import HuggingFaceForward
from agents.inference.llama_weights import NotFused, why_not
from agents.inference.loading import attach_adapter, choose_device, load_model
from agents.inference.plan import Segment, make_plan
from agents.inference.prefix_cache import CacheStats, PrefixCache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import FloatArray, IntArray

_FAST_WEIGHTS = 200_000_000  # larger models would pay for the copies that the fast forward makes


class LocalEngine:
    """One base model and its adapters.

    Args:
        model: folder or hub name of a causal language model.
        adapters: name → folder of a peft adapter for this base.
        device: ``auto`` = a GPU where there is one.
        dtype: ``auto`` = bfloat16 on a GPU, float32 on a CPU.
        token_budget: most tokens (padding included) of one segment of the plan.
        cache_bytes: budget of the prefix cache.
        reuse_prefixes: False runs every prompt whole.
        fast: ``auto`` = the fast forward where it can run this model and the model is small; True
            wants it, False leaves everything to Hugging Face.

    Attributes:
        stats: what was done since construction.
        tokens: texts to token ids, as the engine reads them.

    Raises:
        ValueError: ``fast=True`` and the model cannot run so; the text says why.
    """

    def __init__(
        self,
        model: str | Path,
        adapters: Mapping[str, str | Path] | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        token_budget: int = 32_768,
        cache_bytes: int = 2**30,
        reuse_prefixes: bool = True,
        fast: bool | Literal["auto"] = "auto",
    ) -> None:
        self.device = choose_device(device)
        self.token_budget = token_budget
        self.reuse_prefixes = reuse_prefixes
        self.description = "local " + "/".join(Path(model).parts[-2:])  # or owner/name of the hub
        self.tokenizer, base = load_model(model, self.device, dtype)
        self.context = int(getattr(base.config, "max_position_embeddings", 2**20))
        self.stats = EngineStats()
        self.tokens = Tokens(self.tokenizer)
        self._cache = PrefixCache(cache_bytes)
        kept = self._cache if reuse_prefixes else None
        self._plain = HuggingFaceForward(base, self.tokens, kept, self.stats)
        self._fast: FastForward | None = None
        if reuse_prefixes and _fits(base, fast):
            self._fast = FastForward(base, self.tokens, self._cache, self.stats)
        self.adapters: tuple[str, ...] = ()
        for name, folder in (adapters or {}).items():
            self.load_adapter(name, folder)

    @property
    def model(self) -> Any:
        """The model as Hugging Face or peft gave it; None once closed."""
        return self._plain.model

    @property
    def is_fast(self) -> bool:
        """Whether the fast forward answers (where it can)."""
        return self._fast is not None

    @property
    def cache_stats(self) -> CacheStats:
        """What the prefix cache did so far."""
        return self._cache.stats

    def load_adapter(self, name: str, folder: str | Path) -> None:
        """Add a peft adapter under ``name``; see ``attach_adapter`` for what may be raised."""
        self._plain.model = attach_adapter(self.model, name, folder, self.description)
        self.adapters = (*self.adapters, name)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``; what is asked twice in one call is computed once."""
        lead, digits = self.tokens.choices(choices)
        suffixes = [ids + lead for ids in self.tokens.encode([r.suffix for r in requests])]
        lengths = self._lengths(requests, suffixes)
        self._check_adapters(requests)
        scores = np.zeros((len(requests), len(choices)))
        first_alike = _first_alike(requests) if self.reuse_prefixes else np.arange(len(requests))
        asked = np.flatnonzero(first_alike == np.arange(len(requests)))
        prefixes = [r.prefix for r in requests]
        plan = make_plan(
            [requests[i].adapter for i in asked],
            [prefixes[i] for i in asked],
            lengths[asked],
            self.token_budget,
        )
        before = self.stats.run_tokens
        for segment in plan.segments:
            own = segment._replace(rows=asked[segment.rows])
            logits = self._segment_logits(own, prefixes, suffixes, digits)
            self._check_finite(logits, own)
            scores[own.rows] = logits.double().log_softmax(-1).cpu().numpy()
        self.stats.requests += len(requests)
        self.stats.prompt_tokens += int(lengths.sum())
        self.stats.cached_tokens += max(0, int(lengths.sum()) - (self.stats.run_tokens - before))
        self.stats.adapter_switches += plan.adapter_switches
        return scores[first_alike]

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; each request draws from its own seed, whatever the batch."""
        prompts = self.tokens.whole(requests)
        lengths = self._lengths(requests, self.tokens.encode([r.suffix for r in requests]))
        lengths += sampling.max_new_tokens
        self._check_adapters(requests)
        plan = make_plan(
            [r.adapter for r in requests], [r.prefix for r in requests], lengths, self.token_budget
        )
        seeds = np.array([r.seed for r in requests], dtype=np.uint64)
        completions = [Completion("", 0)] * len(requests)
        for segment in plan.segments:
            rows = segment.rows
            with self._plain.using(segment.adapter) as model:
                own = [prompts[i] for i in rows]
                said = decode(model, own, seeds[rows], self.tokens.ends, sampling)
            for row, tokens in zip(rows, said, strict=True):
                completions[row] = Completion(self.tokens.text(tokens), len(tokens))
        return completions

    def close(self) -> None:
        """Release the model and the cache."""
        self._cache.clear()
        if self._fast is not None:
            self._fast.close()
        self._fast = self._plain.model = None

    def _segment_logits(
        self, segment: Segment, prefixes: list[str], suffixes: list[list[int]], digits: list[int]
    ) -> Tensor:
        """Logits (rows, c); a segment that memory does not hold is halved until it does."""
        rows = segment.rows
        started = time.perf_counter()
        try:
            return self._logits(
                segment.adapter, [prefixes[i] for i in rows], [suffixes[i] for i in rows], digits
            )
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            if len(rows) == 1:
                raise MemoryError(
                    f"request {rows[0]} alone ({len(suffixes[rows[0]])} tokens after its prefix)"
                    " is more than the memory holds; tell fewer memories, use a smaller model, or"
                    f" lower cache_bytes ({error})"
                ) from error
        finally:
            self.stats.model_seconds += time.perf_counter() - started
        self.stats.splits += 1
        halves = [segment._replace(rows=part) for part in np.array_split(rows, 2)]
        return torch.cat([self._segment_logits(h, prefixes, suffixes, digits) for h in halves])

    def _logits(
        self, adapter: str | None, prefixes: list[str], suffixes: list[list[int]], digits: list[int]
    ) -> Tensor:
        """Logits (n, c) of prompts on one adapter, by whichever forward can."""
        if self._fast is not None:
            try:
                return self._fast.logits(adapter, prefixes, suffixes, digits)
            except NotFused:
                self.stats.fallbacks += 1
        return self._plain.logits(adapter, prefixes, suffixes, digits)

    def _lengths(self, requests: Sequence[Request], suffixes: list[list[int]]) -> IntArray:
        lengths = np.array(
            [
                len(self.tokens.prefix(r.prefix)) + len(s)
                for r, s in zip(requests, suffixes, strict=True)
            ],
            dtype=np.int64,
        )
        if len(lengths) and lengths.max() > self.context:
            row = int(lengths.argmax())
            raise ValueError(
                f"request {row} has {lengths[row]} tokens but the model's context is"
                f" {self.context}; tell fewer memories, a shorter profile or a shorter summary"
            )
        return lengths

    def _check_adapters(self, requests: Sequence[Request]) -> None:
        for name in {r.adapter for r in requests} - {None}:
            if name not in self.adapters:
                raise UnknownAdapterError(str(name), self.adapters)

    def _check_finite(self, logits: Tensor, segment: Segment) -> None:
        if not bool(torch.isfinite(logits).all()):
            row = int((~torch.isfinite(logits).all(dim=1)).nonzero()[0])
            raise FloatingPointError(
                f"the model gave a score that is not a number for request {segment.rows[row]}"
                f" (adapter {segment.adapter!r}); check the weights, or use dtype=float32"
            )


def _first_alike(requests: Sequence[Request]) -> IntArray:
    """(n,) the first request that is scored as each one is (the seed plays no part)."""
    seen: dict[tuple[str | None, str, str], int] = {}
    return np.array(
        [seen.setdefault((r.adapter, r.prefix, r.suffix), i) for i, r in enumerate(requests)],
        dtype=np.int64,
    )


def _fits(base: Any, fast: bool | Literal["auto"]) -> bool:
    """Whether the fast forward is to run this model."""
    if fast is False:
        return False
    reason = why_not(base)
    if base.device.type != "cpu":
        reason = reason or f"device {base.device}"
    if fast is True and reason:
        raise ValueError(
            f"fast=True wanted a Llama-like model in float32 on a CPU, got {reason};"
            " leave fast on 'auto' and Hugging Face's forward answers"
        )
    return not reason and (fast is True or base.num_parameters() <= _FAST_WEIGHTS)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower()
