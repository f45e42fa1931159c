"""Runs a causal language model in this process, with peft adapters.

A prefix is computed once per (adapter, prefix) and its keys and values are kept across calls, where
the architecture allows it (``why_whole``); else every prompt runs whole, one length at a time.
Llama-like models on a CPU run on ``LlamaForward``, everything else on Hugging Face's own forward;
``reuse_prefixes=False`` runs whole prompts there and is the obviously correct twin of both.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agents.inference.blocks.scoring import BlockScorer
from agents.inference.blocks.store import StoreStats
from agents.inference.blocks.texts import Kind
from agents.inference.engine import (
    Completion,
    Engine,
    EngineFacts,
    Request,
    Sampling,
    UnknownAdapterError,
)
from agents.inference.engine_facts import check_reading, check_speaks, facts_of
from agents.inference.facets.asked import check_asked
from agents.inference.fused.fused_forward import FusedForward
from agents.inference.grouping import make_plan
from agents.inference.local.adapter_kinds import check_adapter_kind
from agents.inference.local.adapter_modes import AdaptedModel, AdapterMode
from agents.inference.local.architectures import check_causal, context_of
from agents.inference.local.forks import compute_alone_after_forks
from agents.inference.local.free_text import decode, end_tokens
from agents.inference.local.huggingface import HuggingFaceForward, num_embeddings
from agents.inference.local.light.base_model import BaseModel
from agents.inference.local.loading import choose_device
from agents.inference.local.scoring import Encoded, Scorer, runs_fast
from agents.inference.named_rows import LongPromptError
from agents.inference.prefix_cache import CacheStats, make_cache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number

_LOG = logging.getLogger(__name__)
_WHOLE = (
    "%s: prefixes are not kept and every prompt runs whole, one length at a time, because of %s"
)
_TOKEN_BUDGET = 32_768
_MERGED_BYTES = {"cuda": 2**33}  # merged weights of adapters kept beside a model, else 2 GiB


class LocalEngine(Engine):
    """One base model and its adapters.

    Args:
        model: folder or hub name of a causal language model.
        adapters: name → folder of a peft adapter for this base.
        device: ``auto`` = a GPU where there is one.
        dtype: ``auto`` = bfloat16 on a GPU; on a CPU float32, or for large models what is faster
            there (``auto_dtype``).
        token_budget: most tokens (padding included) of one segment of the plan; ``auto`` = 32,768,
            and four times that for the fast forward, which pads nothing and cuts for itself.
        cache_bytes: budget of the prefix cache, on the device; ``auto`` = 1 GiB on a CPU, half of
            what the model leaves free on a GPU.
        host_cache_bytes: of a second floor in main memory, for a GPU; see ``offload_pays``.
        reuse_prefixes: False runs every prompt whole.
        fast: ``auto`` = the fast forward where it can run this model and the model is small; True
            wants it, False leaves everything to Hugging Face.
        adapter_mode: how adapters are put to work, see ``AdaptedModel``. The fast forward always
            keeps merged weights, so another mode than ``auto`` and ``merged`` leaves it out.
        repeatable: where Hugging Face's forward answers, the same calls give the same bits whatever
            was asked before, as a run that is resumed needs; else what was computed beside a prefix
            shows in the last digits. Slower where most prefixes are new. The fast forward always
            gives a request the same bits, whatever was asked before or beside it.

    Attributes:
        tokens: texts to token ids, as the engine reads them.
        context: most tokens of a prompt.
        whole: why every prompt runs whole; None where prefixes are kept.

    Raises:
        ValueError: the model is recurrent, an encoder or half of an encoder-decoder; ``fast=True``
            and the model cannot run so (the text says why); or there is no such ``adapter_mode``.
    """

    def __init__(
        self,
        model: str | Path,
        adapters: Mapping[str, str | Path] | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        token_budget: int | Literal["auto"] = "auto",
        cache_bytes: int | Literal["auto"] = "auto",
        host_cache_bytes: int = 0,
        reuse_prefixes: bool = True,
        fast: bool | Literal["auto"] = "auto",
        adapter_mode: AdapterMode = "auto",
        repeatable: bool = False,
    ) -> None:
        compute_alone_after_forks()
        for name, number in (("token_budget", token_budget), ("cache_bytes", cache_bytes)):
            if number != "auto":
                check_number("LocalEngine", name, number, "whole [0, inf)", "or 'auto'")
        name, number = "host_cache_bytes", host_cache_bytes
        check_number("LocalEngine", name, number, "whole [0, inf)", "0: none")
        self.device = choose_device(device)
        self.reuse_prefixes = reuse_prefixes
        light = reuse_prefixes and fast is not False and adapter_mode in ("auto", "merged")
        self._base = BaseModel(model, self.device, dtype, light)
        base = self._base.first
        check_causal(base.config, str(model))
        self.context = context_of(base.config)
        self._facts = facts_of(model, base, self.device, self.context)
        self._stats = EngineStats()
        self.tokens = Tokens(self._base.reading, num_embeddings(base), self._base.tokenizer)
        self._cache = make_cache(cache_bytes, host_cache_bytes, self.device)
        kept = self._cache if reuse_prefixes else None
        self._fast: FusedForward | None = None
        if reuse_prefixes and runs_fast(base, fast, adapter_mode):
            self._fast = FusedForward(base, self.tokens, self._cache, self.stats)
            self._base.taken_over = self._fast.rest_on
            adapter_mode = "switch"  # of the other path: the fast one reads the base's own weights
        usual = 4 * _TOKEN_BUDGET if self.is_fast else _TOKEN_BUDGET
        self.token_budget = usual if token_budget == "auto" else token_budget
        merged = _MERGED_BYTES.get(self.device.type, 2**31)
        self._adapted = AdaptedModel(self._base, adapter_mode, merged)
        plain = HuggingFaceForward(self._adapted, self.tokens, kept, self.stats, repeatable)
        self.whole = None if self.is_fast else plain.whole
        if self.whole and reuse_prefixes:
            _LOG.warning(_WHOLE, self._facts.description, self.whole)
        self._blocks: BlockScorer | None = None
        if self._facts.reads_blocks:
            told = self._adapted, self.tokens, self._stats, self._cache.max_bytes
            self._blocks = BlockScorer(*told, self._fast, repeatable)
        self._scorer = Scorer(plain, self._fast, self.stats, self.token_budget, not reuse_prefixes)
        self.adapters: tuple[str, ...] = ()
        for name, folder in (adapters or {}).items():
            self.load_adapter(name, folder)

    @property
    def facts(self) -> EngineFacts:
        """The model's name, device, number format and context."""
        return self._facts

    @property
    def stats(self) -> EngineStats:
        """What was done since construction."""
        return self._stats

    @property
    def tokenizer(self) -> Any:
        """The tokenizer as Hugging Face has it."""
        return self.tokens.tokenizer

    @property
    def model(self) -> Any:
        """The model as Hugging Face or peft has it; None once closed."""
        return self._base.model

    @property
    def is_fast(self) -> bool:
        """Whether the fast forward answers (where it can)."""
        return self._fast is not None

    @property
    def adapter_mode(self) -> AdapterMode:
        """How Hugging Face's forward puts adapters to work; may be set where it answers alone."""
        return self._adapted.mode

    @adapter_mode.setter
    def adapter_mode(self, mode: AdapterMode) -> None:
        if self._fast is not None:
            raise ValueError(
                f"adapter_mode wanted an engine with fast=False to become {mode!r}, got one with"
                " the fast forward, which merges"
            )
        self._adapted.mode = mode

    @property
    def cache_stats(self) -> CacheStats:
        """What the prefix cache did so far."""
        return self._cache.stats

    @property
    def block_stats(self) -> dict[Kind, StoreStats]:
        """Hits, misses and bytes by kind of text; empty for a model that reads whole prompts."""
        return {} if self._blocks is None else self._blocks.stats

    def load_adapter(self, name: str, folder: str | Path) -> None:
        """Add a peft adapter under ``name``; nobody else's answers change.

        Raises:
            ValueError: the name is taken, or the adapter is no ordinary LoRA
                (``check_adapter_kind``); see ``attach_adapter`` for what else may be raised.
        """
        if name in self.adapters:
            raise ValueError(
                f"an adapter {name!r} is loaded already; unload it first, or give the other one"
                " another name"
            )
        self._adapted.facets[name] = check_adapter_kind(name, folder)
        self._base.attach(name, folder, self.description)
        self.adapters = (*self.adapters, name)

    def unload_adapter(self, name: str) -> None:
        """Let go of an adapter: its weights, merged or not, and all prefixes computed under it.

        Raises:
            UnknownAdapterError: no adapter of that name is loaded.
        """
        if name not in self.adapters:
            raise UnknownAdapterError(name, self.adapters)
        self.adapters = tuple(adapter for adapter in self.adapters if adapter != name)
        self._base.detach(name, self.adapters)
        self._cache.drop(name)
        self._adapted.forget(name)
        if self._blocks is not None:
            self._blocks.drop(name)
        if self._fast is not None:
            self._fast.forget(name)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``; what is asked twice in one call is computed once."""
        started = time.perf_counter()
        lead, digits = self.tokens.choices(choices)
        suffixes = [ids + lead for ids in self.tokens.encode([r.suffix for r in requests])]
        check_reading(self._facts, requests)
        self._check_adapters(requests)
        if self._blocks is not None:
            scores = self._blocks.score(requests, suffixes, digits)
        else:
            lengths = self._lengths(requests, suffixes)
            scores = self._scorer.score(Encoded(requests, suffixes, lengths, digits))
        self._stats.add_call(time.perf_counter() - started)
        return scores

    def token_logs(self, requests: Sequence[Request], answers: Sequence[str]) -> list[FloatArray]:
        """See ``GivesTokenLogs.token_logs``; prefixes are kept as for ``score``."""
        check_speaks(self._facts)
        self._check_adapters(requests)
        said = self.tokens.answers(answers)
        suffixes = self.tokens.encode([r.suffix for r in requests])
        lengths = self._lengths(requests, [s + a for s, a in zip(suffixes, said, strict=True)])
        return self._scorer.answer_logs(Encoded(requests, suffixes, lengths, []), said)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; each request draws from its own seed, whatever the batch."""
        check_speaks(self._facts)
        prompts = self.tokens.whole(requests)
        lengths = self._lengths(requests, self.tokens.encode([r.suffix for r in requests]))
        lengths += sampling.max_new_tokens
        self._check_adapters(requests)
        plan = make_plan(
            [r.adapter for r in requests],
            ["" if self.whole else r.prefix for r in requests],
            lengths,
            self.token_budget,
        )
        seeds = np.array([r.seed for r in requests], dtype=np.uint64)
        completions = [Completion("", 0)] * len(requests)
        guard = None if sampling.emojis else self.tokens.emoji_guard
        for segment in plan.segments:
            rows = segment.rows
            with self._adapted.using(segment.adapter) as model:
                own = [prompts[i] for i in rows]
                ends = end_tokens(model, self.tokens.ends)
                said = decode(model, own, seeds[rows], ends, sampling, guard)
            for row, tokens in zip(rows, said, strict=True):
                completions[row] = Completion(self.tokens.text(tokens), len(tokens))
        return completions

    def close(self) -> None:
        """Release the model and the cache."""
        self._cache.clear()
        if self._blocks is not None:
            self._blocks.close()
        self._scorer.close()
        self._adapted.close()
        self._base.close()

    def _lengths(self, requests: Sequence[Request], suffixes: list[list[int]]) -> IntArray:
        pairs = zip(requests, suffixes, strict=True)
        own = [len(self.tokens.prefix(r.prefix)) + len(suffix) for r, suffix in pairs]
        lengths = np.array(own, dtype=np.int64)
        if len(lengths) and lengths.max() > self.context:
            row = int(lengths.argmax())
            told = f"request {{row}} has {lengths[row]} tokens but the model's context is"
            cure = "recall fewer memories, a shorter profile or a shorter summary"
            raise LongPromptError(row, f"{told} {self.context}; {cure}")
        return lengths

    def _check_adapters(self, requests: Sequence[Request]) -> None:
        check_asked((r.adapter for r in requests), self.adapters, self._adapted.facets)
