"""The ways of asking that are compared: requests in, log-probabilities (n, 5) out.

For a population that reads in blocks these are ours, one forward a request under an explicit mask
(``MaskedLoop``), and blocks on Hugging Face's layers with what was read kept.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.texts import Kind, gists_of
from agents.inference.engine import Request
from agents.inference.local.adapter_modes import AdapterMode
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES
from experiments.throughput import llama_cpp
from simenv.events import FloatArray

Way = Callable[[list[Request]], FloatArray]
MASKED = "masked_loop"
_MODES: tuple[AdapterMode, ...] = ("merged", "merge_in_out", "mixed")  # and switch, in ``padded``


@contextmanager
def ways(
    model: str, adapters: dict[str, Path], cache_bytes: int, folder: Path
) -> Iterator[tuple[LocalEngine, dict[str, Way]]]:
    """Our engine, and every way of asking by name (ours first); closed in the end.

    Args:
        model: folder of the base model.
        adapters: name → folder.
        cache_bytes: of each engine that keeps prefixes.
        folder: for what a way writes.
    """
    with ExitStack() as opened:

        def engine(**settings: Any) -> LocalEngine:
            return opened.enter_context(closing(LocalEngine(model, adapters, **settings)))

        ours = engine(cache_bytes=cache_bytes)
        if ours.facts.reads_blocks:
            layers = engine(cache_bytes=cache_bytes, fast=False, adapter_mode="switch")
            masked = MaskedLoop(engine(fast=False, adapter_mode="switch"))
            yield ours, {"ours": _scored(ours), MASKED: masked, "layers": _scored(layers)}
            return
        whole = engine(reuse_prefixes=False, adapter_mode="switch")
        found: dict[str, Way] = {
            "ours": _scored(ours),
            "loop": lambda asked: np.concatenate([whole.score([r], RATING_CHOICES) for r in asked]),
            "padded": _scored(whole),
            "generate": lambda asked: np.stack([_generated(whole, r) for r in asked]),
            "hugging_face": _scored(engine(cache_bytes=cache_bytes, fast=False)),
        }
        for mode in _MODES if adapters else ():
            found[mode] = _scored(engine(reuse_prefixes=False, adapter_mode=mode))
        if llama_cpp.installed():
            rival = llama_cpp.LlamaCpp(model, folder, whole)
            found["llama_cpp"] = opened.enter_context(closing(rival))
        yield ours, found


class MaskedLoop:
    """Requests that are read in blocks, one forward of Hugging Face's model for each.

    All texts of a request lie in one row under a mask that says who sees whom; nothing is kept.
    Adapters act on the profile and the cue alone: what they add to other tokens is set to 0.

    Args:
        engine: whose model and tokenizer are used; with ``adapter_mode="switch"``.
    """

    def __init__(self, engine: LocalEngine) -> None:
        self._engine, self._model = engine, engine.model
        self._gists = gists_of(engine.model, engine.tokens.reader)
        self._acts = torch.zeros(0)
        for name, module in engine.model.named_modules():
            if ".lora_B." in name:
                module.register_forward_hook(self._where_it_acts)

    @torch.inference_mode()
    def __call__(self, asked: list[Request]) -> FloatArray:
        """(n, 5) log-probabilities."""
        return np.stack([self._answer(request) for request in asked])

    def _where_it_acts(self, _: Any, __: Any, update: Tensor) -> Tensor:
        return update * self._acts

    def _answer(self, request: Request) -> FloatArray:
        lead, digits = self._engine.tokens.choices(RATING_CHOICES)
        row = self._row(request, lead)
        self._acts = row.acts[:, None]
        mask = torch.where(row.sees, 0.0, torch.finfo(torch.float32).min)[None, None]
        inputs = {
            "input_ids": torch.tensor([row.ids]),
            "attention_mask": mask,
            "position_ids": torch.tensor([row.places]),
            "use_cache": False,
            "logits_to_keep": 1,
        }
        if request.adapter is not None:
            self._model.set_adapter(request.adapter)
        else:
            self._acts = torch.zeros(1)
        logits = self._model(**inputs).logits[0, -1, digits]
        return np.asarray(logits.double().log_softmax(-1).numpy())

    def _row(self, request: Request, lead: list[int]) -> "_Row":
        """The request's texts one after the other."""
        past = [decision for decision in request.past if decision.item != request.item]
        items = list(dict.fromkeys([*(decision.item for decision in past), request.item]))
        row = _Row([], [], [])
        encode, longest = self._engine.tokens.encode, self._gists.places.longest
        texts_of: dict[Kind, list[str]] = {
            "item": items,
            "memory": [decision.text for decision in past],
            "profile": [request.prefix],
        }
        for kind, texts in texts_of.items():
            gist, first = self._gists.gist(kind)
            for ids in encode(texts):
                row.add(kind, ids[:longest], gist, first)
        cue = [*encode([request.suffix])[0], *lead]
        row.add("cue", cue, [], 0)
        last = self._gists.places.last_cue
        row.places[-len(cue) :] = range(last + 1 - len(cue), last + 1)
        row.look([items.index(decision.item) for decision in past], len(items))
        return row


class _Row:
    """Tokens, their places, who sees whom (t, t), and on which the adapter acts (t,)."""

    sees: Tensor
    acts: Tensor

    def __init__(self, ids: list[int], places: list[int], spans: list[tuple[str, range]]) -> None:
        self.ids, self.places, self._spans = ids, places, spans
        self._gists: list[range] = []

    def add(self, kind: str, text: list[int], gist: list[int], first: int) -> None:
        """Put a text and its gist tokens at the end."""
        begin, middle = len(self.ids), len(self.ids) + len(text)
        self.ids += [*text, *gist]
        self.places += [*range(len(text)), *range(first, first + len(gist))]
        self._spans.append((kind, range(begin, len(self.ids))))
        self._gists.append(range(middle, len(self.ids)))

    def look(self, leans_on: list[int], num_items: int) -> None:
        """Say who sees whom: ``leans_on`` the item of each memory; the last item is asked about."""
        t = len(self.ids)
        self.sees, self.acts = torch.zeros(t, t, dtype=torch.bool), torch.zeros(t)
        for number, (kind, own) in enumerate(self._spans):
            span = slice(own.start, own.stop)
            self.sees[span, span] = torch.ones(len(own), len(own), dtype=torch.bool).tril()
            self.acts[span] = float(kind in ("profile", "cue"))
            seen = []
            if kind == "memory":
                seen = [leans_on[number - num_items]]
            elif kind == "cue":
                seen = list(range(num_items - 1, number))
            for other in seen:
                gist = self._gists[other]
                self.sees[span, gist.start : gist.stop] = True


def _scored(engine: LocalEngine) -> Way:
    return lambda asked: engine.score(asked, RATING_CHOICES)


@torch.inference_mode()
def _generated(engine: LocalEngine, request: Request) -> FloatArray:
    """What simulators do: one call of ``generate``, four tokens (as in the paper); no scores."""
    if request.adapter is not None:
        engine.model.set_adapter(request.adapter)
    tokens = torch.tensor(engine.tokens.whole([request]))
    said = engine.model.generate(
        input_ids=tokens,
        attention_mask=torch.ones_like(tokens),
        max_new_tokens=4,
        do_sample=True,
        temperature=0.3,
        top_k=50,
    )
    engine.tokens.text(said[0, tokens.shape[1] :].tolist())
    return np.full(len(RATING_CHOICES), np.nan)
