"""Runs any Hugging Face causal language model in this process, with peft adapters.

Weights are safetensors, no remote code runs. A prefix is computed once per (adapter, prefix) and
its keys and values are kept across calls; ``reuse_prefixes=False`` runs whole prompts instead and
is the obviously correct twin.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.inference.engine import Completion, Request, Sampling, UnknownAdapterError
from agents.inference.plan import Segment, make_plan
from agents.inference.prefix_cache import CacheStats, PrefixCache
from simenv.events import FloatArray, IntArray
from simenv.seeding import mix, uniforms


class LocalEngine:
    """One base model and its adapters.

    Args:
        model: folder or hub name of a causal language model.
        adapters: name → folder of a peft adapter for this base.
        device: ``auto`` = a GPU where there is one.
        dtype: ``auto`` = bfloat16 on a GPU, float32 on a CPU.
        token_budget: most tokens (padding included) of one forward pass.
        cache_bytes: budget of the prefix cache.
        reuse_prefixes: False runs every prompt whole.
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
    ) -> None:
        self.device = _device(device)
        self.token_budget = token_budget
        self.reuse_prefixes = reuse_prefixes
        self.description = f"local {Path(model).name}"
        self.tokenizer, self.model = _load(model, self.device, dtype)
        self.adapters: tuple[str, ...] = ()
        for name, folder in (adapters or {}).items():
            self.load_adapter(name, folder)
        self._cache = PrefixCache(cache_bytes)
        self._token_ids: dict[str, list[int]] = {}
        self.context = int(getattr(self.model.config, "max_position_embeddings", 2**20))

    def load_adapter(self, name: str, folder: str | Path) -> None:
        """Add a peft adapter under ``name``.

        Raises:
            FileNotFoundError: the folder has no ``adapter_model.safetensors``.
            ValueError: the adapter was made for a base of another shape, or the file is corrupt.
        """
        from peft import PeftModel

        if not (Path(folder) / "adapter_model.safetensors").exists():
            raise FileNotFoundError(
                f"adapter {name!r}: wanted {Path(folder) / 'adapter_model.safetensors'}, which is"
                " not there; adapters must be saved as safetensors"
            )
        try:
            if self.adapters:
                self.model.load_adapter(str(folder), adapter_name=name)
            else:
                self.model = PeftModel.from_pretrained(
                    self.model, str(folder), adapter_name=name
                ).eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise ValueError(
                f"adapter {name!r} does not fit the base model {self.description!r};"
                f" train it on this base, or name its own base ({error})"
            ) from error
        except Exception as error:  # safetensors raises its own kind for a corrupt file
            raise ValueError(
                f"adapter {name!r}: {folder} cannot be read ({error}); copy it again"
            ) from error
        self.adapters = (*self.adapters, name)

    @property
    def cache_stats(self) -> CacheStats:
        """What the prefix cache did so far."""
        return self._cache.stats

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``."""
        lead, digits = self._choice_ids(choices)
        suffixes = [self._encode(r.suffix) + lead for r in requests]
        lengths = self._lengths(requests, suffixes)
        self._check_adapters(requests)
        scores = np.zeros((len(requests), len(choices)))
        prefixes = [r.prefix for r in requests]
        plan = make_plan([r.adapter for r in requests], prefixes, lengths, self.token_budget)
        for segment in plan.segments:
            logits = self._last_logits(
                segment, [prefixes[i] for i in segment.rows], [suffixes[i] for i in segment.rows]
            )[:, digits]
            self._check_finite(logits, segment)
            scores[segment.rows] = logits.double().log_softmax(-1).cpu().numpy()
        return scores

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; each request draws from its own seed, whatever the batch."""
        texts = [self._encode(r.suffix) for r in requests]
        lengths = self._lengths(requests, texts) + sampling.max_new_tokens
        self._check_adapters(requests)
        plan = make_plan(
            [r.adapter for r in requests], [r.prefix for r in requests], lengths, self.token_budget
        )
        completions = [Completion("", 0)] * len(requests)
        for segment in plan.segments:
            said = self._decode([requests[i] for i in segment.rows], segment.adapter, sampling)
            for row, tokens in zip(segment.rows, said, strict=True):
                text = self.tokenizer.decode(tokens, skip_special_tokens=True)
                completions[row] = Completion(text, len(tokens))
        return completions

    def close(self) -> None:
        """Release the model and the cache."""
        self._cache.clear()
        self.model = None

    # -- tokens ------------------------------------------------------------------------------

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _prefix_ids(self, prefix: str) -> list[int]:
        """Token ids of a prefix, begun as the model's tokenizer begins a text; kept."""
        if prefix not in self._token_ids:
            if len(self._token_ids) > 100_000:
                self._token_ids.clear()
            ids = list(self.tokenizer(prefix)["input_ids"])
            self._token_ids[prefix] = ids or [self.tokenizer.bos_token_id or 0]
        return self._token_ids[prefix]

    def _choice_ids(self, choices: Sequence[str]) -> tuple[list[int], list[int]]:
        """(tokens that all choices begin with, the one token by which each differs)."""
        ids = [self._encode(choice) for choice in choices]
        lead = 0
        while all(len(x) > lead + 1 for x in ids) and len({x[lead] for x in ids}) == 1:
            lead += 1
        last = [x[lead] for x in ids]
        if len(set(last)) < len(choices):
            raise ValueError(
                f"choices must differ in one token, got {list(choices)} as {ids};"
                " use single digits or letters"
            )
        return ids[0][:lead], last

    def _lengths(self, requests: Sequence[Request], suffixes: list[list[int]]) -> IntArray:
        lengths = np.array(
            [
                len(self._prefix_ids(r.prefix)) + len(s)
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

    # -- forward passes ----------------------------------------------------------------------

    @contextmanager
    def _using(self, adapter: str | None) -> Iterator[None]:
        """The model with one adapter, or with none."""
        if not self.adapters:
            yield
        elif adapter is None:
            with self.model.disable_adapter():
                yield
        else:
            self.model.set_adapter(adapter)
            yield

    @torch.inference_mode()
    def _last_logits(
        self, segment: Segment, prefixes: list[str], suffixes: list[list[int]]
    ) -> Tensor:
        """Logits (rows, vocabulary) after the last suffix token."""
        with self._using(segment.adapter):
            if not self.reuse_prefixes:
                whole = [self._prefix_ids(p) + s for p, s in zip(prefixes, suffixes, strict=True)]
                return self._run(*_left_padded(whole, self.device), None, None)
            unique = list(dict.fromkeys(prefixes))
            states, mask = self._prefix_states(segment.adapter, unique)
            place = {p: i for i, p in enumerate(unique)}
            rows = torch.tensor([place[p] for p in prefixes], device=self.device)
            tokens, own_mask = _left_padded(suffixes, self.device)
            return self._run(tokens, own_mask, states.index_select(2, rows), mask[rows])

    def _run(
        self, tokens: Tensor, own_mask: Tensor, states: Tensor | None, prefix_mask: Tensor | None
    ) -> Tensor:
        """One pass over left-padded tokens, after prefix states (layers, 2, rows, …) if given."""
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

    def _prefix_states(self, adapter: str | None, prefixes: list[str]) -> tuple[Tensor, Tensor]:
        """Left-padded states (layers, 2, unique, heads, length, width) and their mask."""
        found = {p: self._cache.get(adapter, p) for p in prefixes}
        missing = [p for p in prefixes if found[p] is None]
        for start in range(0, len(missing), 64):
            part = missing[start : start + 64]
            for prefix, states in zip(part, self._prefill(part), strict=True):
                found[prefix] = states
                self._cache.put(adapter, prefix, states)
        rows = [s for p in prefixes if (s := found[p]) is not None]
        longest = max(s.shape[3] for s in rows)
        layers, two, heads, _, width = rows[0].shape
        out = rows[0].new_zeros((layers, two, len(rows), heads, longest, width))
        mask = torch.zeros((len(rows), longest), dtype=torch.long, device=self.device)
        for i, states in enumerate(rows):
            out[:, :, i, :, longest - states.shape[3] :] = states
            mask[i, longest - states.shape[3] :] = 1
        return out, mask

    def _prefill(self, prefixes: list[str]) -> list[Tensor]:
        """Keys and values of each prefix: (layers, 2, heads, length, width), padding cut off."""
        tokens, mask = _left_padded([self._prefix_ids(p) for p in prefixes], self.device)
        cache = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp_min(0),
            use_cache=True,
            logits_to_keep=1,
        ).past_key_values
        stacked = torch.stack([torch.stack([layer.keys, layer.values]) for layer in cache.layers])
        lengths = mask.sum(1).tolist()
        return [stacked[:, :, i, :, -n:].clone() for i, n in enumerate(lengths)]

    @torch.inference_mode()
    def _decode(
        self, requests: list[Request], adapter: str | None, sampling: Sampling
    ) -> list[list[int]]:
        """Token ids said by every request of a segment; whole prompts, a plain cached loop."""
        whole = [self._prefix_ids(r.prefix) + self._encode(r.suffix) for r in requests]
        tokens, mask = _left_padded(whole, self.device)
        seeds = mix(np.array([r.seed for r in requests], dtype=np.uint64), 0)
        said: list[list[int]] = [[] for _ in requests]
        ended = np.zeros(len(requests), dtype=bool)
        positions, cache = (mask.cumsum(1) - 1).clamp_min(0), None
        with self._using(adapter):
            for step in range(sampling.max_new_tokens):
                out = self.model(
                    input_ids=tokens,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                cache = out.past_key_values
                draws = uniforms(seeds, step, 1)[:, 0]
                chosen = _choose(out.logits[:, -1].float(), sampling, draws)
                for row in np.flatnonzero(~ended):
                    said[row].append(int(chosen[row]))
                ended |= np.isin(chosen.cpu().numpy(), self._end_ids())
                if ended.all():
                    break
                tokens, positions = chosen[:, None], positions[:, -1:] + 1
                mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        return said

    def _end_ids(self) -> list[int]:
        end = self.tokenizer.eos_token_id
        return [] if end is None else [int(end)]


def _choose(logits: Tensor, sampling: Sampling, draws: FloatArray) -> Tensor:
    """One token a row by inverse CDF over the ``top_k`` most probable tokens."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    top, ids = logits.topk(min(sampling.top_k, logits.shape[-1]), dim=-1)
    edges = (top / sampling.temperature).double().softmax(-1).cumsum(-1)
    place = (torch.as_tensor(draws, device=logits.device)[:, None] >= edges[:, :-1]).sum(1)
    return ids.gather(1, place[:, None])[:, 0]


def _cache_of(states: Tensor) -> Any:
    """A fresh ``DynamicCache`` over states (layers, 2, rows, heads, length, width)."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(states):
        cache.update(keys, values, layer)
    return cache


def _left_padded(rows: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    longest = max(len(row) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for i, row in enumerate(rows):
        tokens[i, longest - len(row) :] = torch.tensor(row)
        mask[i, longest - len(row) :] = 1
    return tokens.to(device), mask.to(device)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def _load(model: str | Path, device: torch.device, dtype: str) -> tuple[Any, Any]:
    """Tokenizer and model from a folder or hub name; safetensors only, no remote code.

    Raises:
        OSError: there is no such model, or its weights are not safetensors.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded: Any
    if dtype == "auto":
        dtype = "bfloat16" if device.type == "cuda" else "float32"
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(model))
        loaded = AutoModelForCausalLM.from_pretrained(
            str(model), use_safetensors=True, dtype=getattr(torch, dtype)
        )
    except OSError as error:
        raise OSError(
            f"language model {str(model)!r} cannot be loaded: wanted a folder or hub name of a"
            f" causal model with safetensors weights ({error})"
        ) from error
    return tokenizer, loaded.to(device).eval()
