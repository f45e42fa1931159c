"""Forward passes by Hugging Face's own code: any causal model, any peft adapter, any device.

With ``reuse_prefixes`` the prefixes' keys and values come from the cache; without, every prompt
runs whole, which is the obviously correct twin of every faster path.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from agents.inference.prefix_cache import PrefixCache
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens

_PREFILLED = 64  # prefixes computed in one pass


class HuggingFaceForward:
    """A model with its adapters.

    Args:
        model: of transformers, or a peft model around it; whoever adds an adapter sets it anew.
        tokens: encodes prefixes.
        cache: keys and values of prefixes; None runs every prompt whole.
        stats: counts the tokens run.
    """

    def __init__(
        self, model: Any, tokens: Tokens, cache: PrefixCache | None, stats: EngineStats
    ) -> None:
        self.model = model
        self.device: torch.device = model.device
        self._tokens, self._cache, self._stats = tokens, cache, stats
        self._num_weights = model.num_parameters(exclude_embeddings=True)

    @contextmanager
    def using(self, adapter: str | None) -> Iterator[Any]:
        """The model with one adapter, or with none."""
        if not hasattr(self.model, "disable_adapter"):
            yield self.model
        elif adapter is None:
            with self.model.disable_adapter():
                yield self.model
        else:
            self.model.set_adapter(adapter)
            yield self.model

    @torch.inference_mode()
    def logits(
        self,
        adapter: str | None,
        prefixes: Sequence[str],
        suffixes: Sequence[list[int]],
        choices: list[int],
    ) -> Tensor:
        """Logits (n, c) of the chosen tokens after each of n prompts."""
        with self.using(adapter):
            if self._cache is None:
                pairs = zip(prefixes, suffixes, strict=True)
                whole = [self._tokens.prefix(p) + s for p, s in pairs]
                return self._run(whole, None, None)[:, choices]
            found = self._cache.fetch(adapter, prefixes, self._prefill)
            states, mask = _stacked(list(found.values()))
            place = {p: i for i, p in enumerate(found)}
            rows = torch.tensor([place[p] for p in prefixes], device=self.device)
            return self._run(suffixes, states.index_select(2, rows), mask[rows])[:, choices]

    def _run(
        self, rows: Sequence[list[int]], states: Tensor | None, prefix_mask: Tensor | None
    ) -> Tensor:
        """Last logits (n, vocabulary), after prefix states (layers, 2, n, …) if given."""
        tokens, own_mask = left_padded(rows, self.device)
        self._count(rows, tokens)
        if states is None or prefix_mask is None:
            mask, cache, start = own_mask, None, torch.zeros_like(own_mask[:, :1])
        else:
            mask = torch.cat([prefix_mask, own_mask], dim=1)
            cache, start = _cache_of(states), prefix_mask.sum(1, keepdim=True)
        positions = start + (own_mask.cumsum(1) - 1).clamp_min(0)
        logits = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
            logits_to_keep=1,
        ).logits
        last: Tensor = logits[:, -1].float()
        return last

    def _prefill(self, prefixes: list[str]) -> Iterator[Tensor]:
        """Keys and values of each prefix: (layers, 2, heads, length, width), padding cut off."""
        for start in range(0, len(prefixes), _PREFILLED):
            rows = [self._tokens.prefix(p) for p in prefixes[start : start + _PREFILLED]]
            tokens, mask = left_padded(rows, self.device)
            self._count(rows, tokens)
            cache = self.model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp_min(0),
                use_cache=True,
                logits_to_keep=1,
            ).past_key_values
            states = torch.stack([torch.stack([x.keys, x.values]) for x in cache.layers])
            for i, row in enumerate(rows):
                yield states[:, :, i, :, -len(row) :].clone()

    def _count(self, rows: Sequence[list[int]], tokens: Tensor) -> None:
        self._stats.add_run(sum(map(len, rows)), tokens.numel(), self._num_weights)


def left_padded(rows: Sequence[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and their mask, both (n, longest)."""
    longest = max(len(row) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for i, row in enumerate(rows):
        tokens[i, longest - len(row) :] = torch.tensor(row)
        mask[i, longest - len(row) :] = 1
    return tokens.to(device), mask.to(device)


def _stacked(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Left-padded states (layers, 2, rows, heads, longest, width) and their mask."""
    longest = max(s.shape[3] for s in rows)
    layers, two, heads, _, width = rows[0].shape
    out = rows[0].new_zeros((layers, two, len(rows), heads, longest, width))
    mask = torch.zeros((len(rows), longest), dtype=torch.long, device=out.device)
    for i, states in enumerate(rows):
        out[:, :, i, :, longest - states.shape[3] :] = states
        mask[i, longest - states.shape[3] :] = 1
    return out, mask


def _cache_of(states: Tensor) -> Any:
    """A fresh ``DynamicCache`` over states (layers, 2, rows, heads, length, width)."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(states):
        cache.update(keys, values, layer)
    return cache
