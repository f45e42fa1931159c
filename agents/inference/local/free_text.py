"""Free text: a plain cached loop over whole prompts; each answer draws from its own seed."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.inference.engine import Sampling
from agents.inference.local.huggingface import left_padded
from simenv.events import FloatArray, SeedArray
from simenv.seeding import Channel, mix, uniforms


def end_tokens(model: Any, known: list[int]) -> list[int]:
    """The tokens that end an answer: those ``known`` to the tokenizer and those of the model.

    Models of chats end a turn with another token than a text, so their settings list several.
    """
    ends = set(known)
    for settings in (getattr(model, "generation_config", None), getattr(model, "config", None)):
        own = getattr(settings, "eos_token_id", None)
        ends |= set() if own is None else {int(end) for end in np.atleast_1d(own)}
    return sorted(ends)


@torch.inference_mode()
def decode(
    model: Any, prompts: list[list[int]], seeds: SeedArray, ends: list[int], sampling: Sampling
) -> list[list[int]]:
    """Token ids said after each of n prompts.

    Args:
        model: of Hugging Face, with the right adapter active.
        prompts: token ids.
        seeds: (n,) one a prompt; the answer depends on it and on the prompt alone.
        ends: tokens that end an answer; they are part of it.
        sampling: how to draw.
    """
    tokens, mask = left_padded(prompts, model.device)
    keys = mix(seeds, Channel.TEXT)
    said: list[list[int]] = [[] for _ in prompts]
    ended = np.zeros(len(prompts), dtype=bool)
    positions, cache = (mask.cumsum(1) - 1).clamp_min(0), None
    for step in range(sampling.max_new_tokens):
        out = model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = out.past_key_values
        chosen = _choose(out.logits[:, -1].float(), sampling, uniforms(keys, step, 1)[:, 0])
        for row in np.flatnonzero(~ended):
            said[row].append(int(chosen[row]))
        ended |= np.isin(chosen.cpu().numpy(), ends)
        if ended.all():
            break
        tokens, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    return said


def _choose(logits: Tensor, sampling: Sampling, draws: FloatArray) -> Tensor:
    """One token a row by inverse CDF over the ``top_k`` most probable tokens."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    most = logits.shape[-1]
    top, ids = logits.topk(min(sampling.top_k or most, most), dim=-1)
    edges = (top / sampling.temperature).double().softmax(-1).cumsum(-1)
    place = (torch.as_tensor(draws, device=logits.device)[:, None] >= edges[:, :-1]).sum(1)
    return ids.gather(1, place[:, None])[:, 0]
