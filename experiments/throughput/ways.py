"""The ways of asking that are compared: requests in, log-probabilities (n, 5) out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.inference.engine import Request
from agents.inference.local.adapter_modes import AdapterMode
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES
from experiments.throughput import llama_cpp
from simenv.events import FloatArray

Way = Callable[[list[Request]], FloatArray]
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
