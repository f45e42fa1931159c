"""Forward passes by Hugging Face's own code: any causal model, any peft adapter, any device.

With a cache the prefixes' keys and values come from there; without, every prompt runs whole, which
is the obviously correct twin of every faster path. A model that ``why_whole`` names runs whole
prompts, those of one length at a time, without padding. Nothing here waits for a GPU: answers stay
on the device, and the caller fetches those of many passes at once.

Letters: ``n`` requests of a pass, ``c`` choices, ``v`` tokens of a vocabulary.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from agents.inference.facets.mixtures import adapter_of
from agents.inference.local.adapter_modes import AdaptedModel
from agents.inference.local.architectures import why_whole
from agents.inference.local.attention_cache import preloaded_cache
from agents.inference.local.unpadded import inputs_of, run_by_length
from agents.inference.prefix_cache import PrefixCache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import IntArray

_PREFILLED = 64  # prefixes computed in one pass
_Key = tuple[str | None, str]  # adapter, prefix


class HuggingFaceForward:
    """A model with its adapters.

    Args:
        adapted: the model, and how its adapters are put to work.
        tokens: encodes prefixes.
        cache: keys and values of prefixes; None runs every prompt whole.
        stats: counts the tokens run.
        repeatable: prefixes are computed alone, so that they do not depend on their neighbours.

    The model is not looked at before it is wanted, since it may not be read yet.
    """

    def __init__(
        self,
        adapted: AdaptedModel,
        tokens: Tokens,
        cache: PrefixCache | None,
        stats: EngineStats,
        repeatable: bool = False,
    ) -> None:
        self.adapted = adapted
        self._tokens, self._cache, self._stats = tokens, cache, stats
        self._prefilled = 1 if repeatable else _PREFILLED

    @cached_property
    def device(self) -> torch.device:
        """Where the model is."""
        found: torch.device = self.adapted.model.device
        return found

    @cached_property
    def whole(self) -> str | None:
        """Why every prompt runs whole and unpadded; None if prefixes may be kept."""
        return why_whole(self.adapted.model.config)

    @cached_property
    def _num_weights(self) -> int:
        return num_weights(self.adapted.model)

    @torch.inference_mode()
    def logits(
        self,
        adapters: Sequence[str | None],
        prefixes: Sequence[str],
        suffixes: Sequence[list[int]],
        choices: list[int],
    ) -> Tensor:
        """Logits (n, c) of the chosen tokens after each of n prompts, on the device.

        ``adapters`` (n,) are one, or mixtures of one's facets, unless the mode is ``mixed``.
        """
        if self._cache is None or self.whole:
            pairs = zip(prefixes, suffixes, strict=True)
            whole = [self._tokens.prefix(p) + s for p, s in pairs]
            if self.whole:
                return self._run_unpadded(adapters, whole)[:, choices]
            return self._run(adapters, whole, [])[:, -1, choices]
        before = self._before(self._cache, adapters, prefixes)
        return self._run(adapters, suffixes, before)[:, -1, choices]

    @torch.inference_mode()
    def answer_logs(
        self,
        adapters: Sequence[str | None],
        prefixes: Sequence[str],
        suffixes: Sequence[list[int]],
        answers: Sequence[list[int]],
    ) -> list[Tensor]:
        """Log-probabilities (tokens,) of the tokens of each of n answers, on the device.

        ``adapters`` as for ``logits``; nobody's answer is empty.
        """
        rows = [s + a for s, a in zip(suffixes, answers, strict=True)]
        if self._cache is None or self.whole:
            rows = [self._tokens.prefix(p) + row for p, row in zip(prefixes, rows, strict=True)]
        if self.whole:
            logits = [self._run_alone(a, row) for a, row in zip(adapters, rows, strict=True)]
            return [_logs_of(one, answer) for one, answer in zip(logits, answers, strict=True)]
        before = self._before(self._cache, adapters, prefixes) if self._cache is not None else []
        found = self._run(adapters, rows, before, keep=1 + max(map(len, answers)))
        return [_logs_of(one, answer) for one, answer in zip(found, answers, strict=True)]

    def _run(
        self,
        adapters: Sequence[str | None],
        rows: Sequence[list[int]],
        before: list[Tensor],
        keep: int = 1,
    ) -> Tensor:
        """Last logits (n, keep, v) of rows, each behind its prefix's states if given."""
        tokens, own_mask = left_padded(rows, self.device)
        self._count(rows, tokens)
        mask, cache, start = own_mask, None, torch.zeros_like(own_mask[:, :1])
        if before:
            cache, prefix_mask = preloaded_cache(before, tokens.shape[1])
            mask = torch.cat([prefix_mask, own_mask], dim=1)
            start = prefix_mask.sum(1, keepdim=True)
        positions = start + (own_mask.cumsum(1) - 1).clamp_min(0)
        with self._at_work(adapters):
            logits = self.adapted(
                adapters,
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=cache is not None,
                logits_to_keep=keep,
            ).logits
        last: Tensor = logits[:, -keep:].float()
        return last

    def _run_alone(self, adapter: str | None, row: list[int]) -> Tensor:
        """Logits (tokens, v) of one row, unpadded and without states."""
        self._stats.add_run(len(row), len(row), self._num_weights)
        tokens = torch.tensor([row], device=self.device)
        with self._at_work([adapter]):
            inputs = inputs_of(self.adapted.model, tokens, logits_to_keep=0)
            logits: Tensor = self.adapted([adapter], **inputs).logits[0]
        return logits

    def _run_unpadded(self, adapters: Sequence[str | None], rows: Sequence[list[int]]) -> Tensor:
        """As ``_run`` without states, but no row meets padding or another row's length."""
        tokens = sum(map(len, rows))
        self._stats.add_run(tokens, tokens, self._num_weights)

        def run(own: IntArray, tokens: Tensor) -> Tensor:
            names = [adapters[i] for i in own]
            with self._at_work(names):
                inputs = inputs_of(self.adapted.model, tokens)
                last: Tensor = self.adapted(names, **inputs).logits[:, -1]
            return last

        return run_by_length(rows, self.device, run)

    def _before(
        self, cache: PrefixCache, adapters: Sequence[str | None], prefixes: Sequence[str]
    ) -> list[Tensor]:
        """The states (n,) that each prompt goes on from."""
        states = self._states(cache, adapters, prefixes)
        return [states[key] for key in zip(adapters, prefixes, strict=True)]

    def _states(
        self, cache: PrefixCache, adapters: Sequence[str | None], prefixes: Sequence[str]
    ) -> dict[_Key, Tensor]:
        """Keys and values of every (adapter, prefix), each once; the gate is part of a mixture."""
        asked: dict[str | None, list[_Key]] = {}
        for key in dict.fromkeys(zip(adapters, prefixes, strict=True)):
            asked.setdefault(adapter_of(key[0]), []).append(key)
        found: dict[_Key, Tensor] = {}
        for adapter, own in asked.items():
            found |= cache.fetch(adapter, own, self._prefill)
        return found

    def _prefill(self, keys: list[_Key]) -> Iterator[Tensor]:
        """Keys and values of each prefix: (layers, 2, heads, length, width), padding cut off.

        The adapters of all keys are one, mixed or not.
        """
        for start in range(0, len(keys), self._prefilled):
            own = keys[start : start + self._prefilled]
            adapters = [adapter for adapter, _ in own]
            rows = [self._tokens.prefix(prefix) for _, prefix in own]
            tokens, mask = left_padded(rows, self.device)
            self._count(rows, tokens)
            with self._at_work(adapters):
                cache = self.adapted(
                    adapters,
                    input_ids=tokens,
                    attention_mask=mask,
                    position_ids=(mask.cumsum(1) - 1).clamp_min(0),
                    use_cache=True,
                    logits_to_keep=1,
                ).past_key_values
            for i, row in enumerate(rows):
                cut = slice(-len(row), None)
                yield torch.stack(
                    [torch.stack([x.keys[i, :, cut], x.values[i, :, cut]]) for x in cache.layers]
                )

    def _at_work(self, adapters: Sequence[str | None]) -> AbstractContextManager[Any]:
        """The adapter of all rows; with ``mixed`` each row names its own, and none may be off."""
        return (
            nullcontext()
            if self.adapted.mode == "mixed"
            else self.adapted.using(adapter_of(adapters[0]))
        )

    def _count(self, rows: Sequence[list[int]], tokens: Tensor) -> None:
        self._stats.add_run(sum(map(len, rows)), tokens.numel(), self._num_weights)


def _logs_of(logits: Tensor, answer: list[int]) -> Tensor:
    """Log-probabilities (tokens,) of an answer that ends a row of logits (at least one more, v)."""
    own = logits[-len(answer) - 1 : -1].float().log_softmax(-1)
    return own.gather(1, torch.tensor(answer, device=own.device)[:, None])[:, 0]


def left_padded(rows: Sequence[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and their mask, both (n, longest)."""
    longest = max(len(row) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for i, row in enumerate(rows):
        tokens[i, longest - len(row) :] = torch.tensor(row)
        mask[i, longest - len(row) :] = 1
    return tokens.to(device), mask.to(device)


def num_embeddings(model: Any) -> int:
    """Tokens that the model has embeddings for."""
    return int(model.get_input_embeddings().weight.shape[0])


def num_weights(model: Any) -> int:
    """Weights that every token passes through: those of the layers, not embedding or head."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    outside = {id(p) for part in (embedding, head) if part is not None for p in part.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in outside)
