"""Scores the requests of a call: each once, in a plan's order, in batches that the memory holds.

It knows the two forwards and no folder. Nothing waits for a GPU between batches.

Letters: ``n`` requests, ``c`` choices.
"""

import itertools
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.engine import Request
from agents.inference.facets.mixtures import adapter_of
from agents.inference.finite_scores import check_finite
from agents.inference.fused.fused_forward import FusedForward
from agents.inference.fused.llama_weights import NotFused, why_not
from agents.inference.grouping import Plan, make_plan
from agents.inference.halves import by_halves
from agents.inference.local.adapter_modes import AdapterMode
from agents.inference.local.huggingface import HuggingFaceForward
from agents.inference.stats import EngineStats
from simenv.events import FloatArray, IntArray

_FAST_WEIGHTS = 200_000_000  # larger models would pay for the copies that the fast forward makes
_ANSWER_TOKENS = 8_192  # of a pass that keeps logits of many places


class Encoded(NamedTuple):
    """A call's requests as a forward reads them; segments of a plan hold rows of it."""

    requests: Sequence[Request]
    suffixes: list[list[int]]  # token ids, with what all choices begin with
    lengths: IntArray  # (n,) tokens, prefix included
    digits: list[int]  # (c,) the token by which each choice differs


class Scorer:
    """Runs plans on the fused forward where it can, else on Hugging Face's.

    Args:
        plain: Hugging Face's forward, with the adapted model.
        fused: the fast one; None leaves everything to the other.
        stats: counts what is done.
        token_budget: most tokens of a segment of the plan, padding included.
        repeats: whether equal requests are computed each for itself.
    """

    def __init__(
        self,
        plain: HuggingFaceForward,
        fused: FusedForward | None,
        stats: EngineStats,
        token_budget: int,
        repeats: bool,
    ) -> None:
        self._plain, self._fused, self._stats = plain, fused, stats
        self._token_budget, self._repeats = token_budget, repeats

    def score(self, asked: Encoded) -> FloatArray:
        """Log-probabilities (n, c) in the caller's order; equal requests are computed once.

        Raises:
            FloatingPointError: the model gave a score that is not a number.
            MemoryError: a request alone is more than the memory holds.
        """
        run_before = self._stats.run_tokens
        n = len(asked.requests)
        first = np.arange(n) if self._repeats else _first_equal(asked.requests)
        plan = self._plan(asked, np.flatnonzero(first == np.arange(n)))
        scores = np.zeros((n, len(asked.digits)))
        scores[plan.order] = self._run(plan, asked)
        tokens = int(asked.lengths.sum())
        self._stats.requests += n
        self._stats.prompt_tokens += tokens
        self._stats.cached_tokens += max(0, tokens - (self._stats.run_tokens - run_before))
        self._stats.adapter_switches += plan.adapter_switches
        return scores[first]

    def answer_logs(self, asked: Encoded, answers: Sequence[list[int]]) -> list[FloatArray]:
        """Log-probabilities (tokens,) of the tokens of n answers, in the caller's order.

        Hugging Face's forward computes them; the fused one knows the last token alone.

        Args:
            asked: the prompts; their lengths hold the answers, their digits are not looked at.
            answers: (n,) token ids, nobody's empty.

        Raises:
            FloatingPointError: the model gave a score that is not a number.
            MemoryError: a request alone is more than the memory holds.
        """
        plan = make_plan(
            [adapter_of(request.adapter) for request in asked.requests],
            ["" if self._plain.whole else request.prefix for request in asked.requests],
            asked.lengths,
            min(self._token_budget, _ANSWER_TOKENS),
        )
        found: list[FloatArray] = [np.zeros(0)] * len(answers)
        for segment in plan.segments:
            parts = by_halves(segment.rows, lambda rows: self._answer_logs(rows, asked, answers))
            for row, logs in zip(segment.rows, itertools.chain(*parts), strict=True):
                check_finite(logs[None], np.array([row]), asked.requests)
                found[row] = logs.double().numpy()
        return found

    def _answer_logs(
        self, rows: IntArray, asked: Encoded, answers: Sequence[list[int]]
    ) -> list[Tensor]:
        own = [asked.requests[i] for i in rows]
        found = self._plain.answer_logs(
            [r.adapter for r in own],
            [r.prefix for r in own],
            [asked.suffixes[i] for i in rows],
            [answers[i] for i in rows],
        )
        return [logs.cpu() for logs in found]

    def close(self) -> None:
        """Let go of the fused forward's weights."""
        if self._fused is not None:
            self._fused.close()
        self._fused = None

    def _plan(self, asked: Encoded, rows: IntArray) -> Plan:
        """The order of some rows; with ``mixed`` adapters do not part them.

        Where prompts run whole and unpadded, those of one length lie side by side.
        """
        mixed = self._plain.adapted.mode == "mixed"
        whole = self._fused is None and self._plain.whole
        plan = make_plan(
            [None if mixed else adapter_of(asked.requests[i].adapter) for i in rows],
            ["" if whole else asked.requests[i].prefix for i in rows],
            asked.lengths[rows],
            self._token_budget,
        )
        return Plan([segment._replace(rows=rows[segment.rows]) for segment in plan.segments])

    def _run(self, plan: Plan, asked: Encoded) -> FloatArray:
        """Log-probabilities (rows, c) in the plan's order."""
        if not plan.segments:
            return np.zeros((0, len(asked.digits)))
        started, parts = time.perf_counter(), []
        for adapter, segments in itertools.groupby(plan.segments, key=lambda s: s.adapter):
            with self._at_work(adapter):
                for segment in segments:
                    parts += self._in_parts(segment.rows, asked)
        logits = torch.cat(parts).cpu()
        self._stats.model_seconds += time.perf_counter() - started
        check_finite(logits, plan.order, asked.requests)
        found: FloatArray = logits.double().log_softmax(-1).numpy()
        return found

    def _at_work(self, adapter: str | None) -> AbstractContextManager[Any]:
        """The adapter of a group of segments, so that it is merged once for all of them."""
        if self._fused is not None or self._plain.adapted.mode == "mixed":
            return nullcontext()
        return self._plain.adapted.using(adapter)

    def _in_parts(self, rows: IntArray, asked: Encoded) -> list[Tensor]:
        """Logits of a segment, which is halved until memory holds it."""
        parts = by_halves(rows, lambda own: self._logits(own, asked))
        self._stats.splits += len(parts) - 1
        return parts

    def _logits(self, rows: IntArray, asked: Encoded) -> Tensor:
        """Logits (rows, c) of a segment by whichever forward can."""
        own = [asked.requests[i] for i in rows]
        adapters, prefixes = [r.adapter for r in own], [r.prefix for r in own]
        suffixes = [asked.suffixes[i] for i in rows]
        if self._fused is not None:
            try:
                return self._fused.logits(adapters, prefixes, suffixes, asked.digits)
            except NotFused:
                self._stats.fallbacks += 1
        return self._plain.logits(adapters, prefixes, suffixes, asked.digits)


def runs_fast(base: Any, fast: bool | Literal["auto"], adapter_mode: AdapterMode) -> bool:
    """Whether the fast forward is to run this model.

    Raises:
        ValueError: ``fast=True`` and it cannot; the text says why.
    """
    if fast is False:
        return False
    reason = why_not(base)
    if base.device.type != "cpu":
        reason = reason or f"device {base.device}"
    if adapter_mode not in ("auto", "merged"):
        reason = reason or f"adapter_mode {adapter_mode!r}"
    if fast is True and reason:
        raise ValueError(
            "fast=True wanted a Llama-like model in float32 or bfloat16 on a CPU with merged"
            f" adapters, got {reason}; leave fast on 'auto' and Hugging Face's forward answers"
        )
    return not reason and (fast is True or base.num_parameters() <= _FAST_WEIGHTS)


def _first_equal(requests: Sequence[Request]) -> IntArray:
    """(n,) the first request that is scored as each one is (the seed plays no part)."""
    seen: dict[tuple[str | None, str, str], int] = {}
    return np.array(
        [seen.setdefault((r.adapter, r.prefix, r.suffix), i) for i, r in enumerate(requests)],
        dtype=np.int64,
    )
