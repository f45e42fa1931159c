"""The ways of asking that are compared: requests in, log-probabilities (n, 5) out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.inference.engine import Request
from agents.inference.huggingface import left_padded
from agents.inference.local import LocalEngine
from agents.prompts import RATING_CHOICES
from simenv.events import FloatArray

Way = Callable[[list[Request]], FloatArray]
_MIXED_ROWS = 64


def ways(
    model: str, adapters: dict[str, Path], cache_bytes: int
) -> tuple[LocalEngine, dict[str, Way]]:
    """Our engine, and every way of asking by name (ours first)."""
    ours = LocalEngine(model, adapters, cache_bytes=cache_bytes)
    reused = LocalEngine(model, adapters, cache_bytes=cache_bytes, fast=False)
    whole = LocalEngine(model, adapters, reuse_prefixes=False)
    found: dict[str, Way] = {
        "ours": lambda asked: ours.score(asked, RATING_CHOICES),
        "loop": lambda asked: np.concatenate([whole.score([r], RATING_CHOICES) for r in asked]),
        "padded": lambda asked: whole.score(asked, RATING_CHOICES),
        "generate": lambda asked: np.stack([_generated(whole, r) for r in asked]),
        "hugging_face": lambda asked: reused.score(asked, RATING_CHOICES),
    }
    if adapters:
        found["mixed"] = lambda asked: _mixed(whole, asked)
        found["merge_in_out"] = lambda asked: _merged_in_and_out(whole, asked)
    return ours, found


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


def _mixed(engine: LocalEngine, asked: list[Request]) -> FloatArray:
    """Peft's own way: rows of one padded batch are on adapters of their own."""
    parts = []
    for start in range(0, len(asked), _MIXED_ROWS):
        part = asked[start : start + _MIXED_ROWS]
        names = [r.adapter or "__base__" for r in part]
        parts.append(_padded(engine, part, adapter_names=names))
    return np.concatenate(parts)


def _merged_in_and_out(engine: LocalEngine, asked: list[Request]) -> FloatArray:
    """Groups by adapter; each is merged into the one base model, asked, and taken out again.

    The engine's own ``score`` sets the adapter, at which peft would take it out at once.
    """
    scores = np.empty((len(asked), len(RATING_CHOICES)))
    for adapter in dict.fromkeys(r.adapter for r in asked):
        rows = [i for i, r in enumerate(asked) if r.adapter == adapter]
        with _merged_in(engine.model, adapter):
            for start in range(0, len(rows), _MIXED_ROWS):
                part = rows[start : start + _MIXED_ROWS]
                scores[part] = _padded(engine, [asked[i] for i in part])
    return scores


@contextmanager
def _merged_in(model: Any, adapter: str | None) -> Iterator[None]:
    """The peft model with one adapter in its weights, or with none in use."""
    if adapter is None:
        with model.disable_adapter():
            yield
        return
    model.merge_adapter([adapter])
    try:
        yield
    finally:
        model.unmerge_adapter()


@torch.inference_mode()
def _padded(engine: LocalEngine, asked: list[Request], **options: Any) -> FloatArray:
    """One padded batch of whole prompts through the model as it stands."""
    lead, digits = engine.tokens.choices(RATING_CHOICES)
    tokens, mask = left_padded([ids + lead for ids in engine.tokens.whole(asked)], engine.device)
    logits = engine.model(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp_min(0),
        logits_to_keep=1,
        use_cache=False,
        **options,
    ).logits[:, -1, digits]
    found: FloatArray = logits.double().log_softmax(-1).cpu().numpy()
    return found


def random_adapters(model: str, count: int, rank: int, folder: Path) -> dict[str, Path]:
    """LoRAs with random numbers on the query and key projections, as the paper's are; on disk."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folders = {}
    for seed in range(count):
        torch.manual_seed(seed)
        config = LoraConfig(
            r=rank,
            target_modules=["q_proj", "k_proj"],
            init_lora_weights=False,
            task_type="CAUSAL_LM",
        )
        base = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True)
        get_peft_model(base, config).save_pretrained(str(folder / f"adapter{seed}"))
        folders[f"adapter{seed}"] = folder / f"adapter{seed}"
    return folders
