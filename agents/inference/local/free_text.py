"""Free text: a plain loop over whole prompts; each answer draws from its own seed.

Models that ``why_whole`` names run prompts of one length at a time, unpadded.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.emojis.token_guard import EmojiGuard
from agents.inference.engine import Sampling
from agents.inference.grouping import equal_lengths
from agents.inference.local.architectures import may_cache, why_whole
from agents.inference.local.huggingface import left_padded
from agents.inference.local.unpadded import inputs_of
from simenv.events import FloatArray, SeedArray
from simenv.seeding import Channel, mix, uniforms

_Steps = Generator[Tensor, Tensor, None]


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
    model: Any,
    prompts: list[list[int]],
    seeds: SeedArray,
    ends: list[int],
    sampling: Sampling,
    guard: EmojiGuard | None = None,
) -> list[list[int]]:
    """Token ids said after each of n prompts.

    Args:
        model: of Hugging Face, with the right adapter active.
        prompts: token ids.
        seeds: (n,) one a prompt; the answer depends on it and on the prompt alone.
        ends: tokens that end an answer; they are part of it.
        sampling: how to draw.
        guard: whose tokens are never drawn; None = all may be.
    """
    if why_whole(model.config) is None:
        return _draw(_padded(model, prompts), seeds, ends, sampling, guard)
    steps = _cached if may_cache(model.config) else _anew
    said: list[list[int]] = [[] for _ in prompts]
    for own in equal_lengths(prompts):
        tokens = torch.tensor([prompts[i] for i in own], device=model.device)
        answers = _draw(steps(model, tokens), seeds[own], ends, sampling, guard)
        for i, answer in zip(own, answers, strict=True):
            said[i] = answer
    return said


def next_logits(model: Any, prompts: list[list[int]]) -> Generator[Tensor, Tensor, None]:
    """Logits (n, vocabulary) after n prompts, then after each token (n, 1) that is sent.

    Raises:
        ValueError: several prompts of a model that ``why_whole`` names.
    """
    why = why_whole(model.config)
    if why is None:
        return _padded(model, prompts)
    if len(prompts) > 1:
        raise ValueError(f"next_logits wanted one prompt, because of {why}, got {len(prompts)}")
    steps = _cached if may_cache(model.config) else _anew
    return steps(model, torch.tensor(prompts, device=model.device))


def _draw(
    steps: _Steps,
    seeds: SeedArray,
    ends: list[int],
    sampling: Sampling,
    guard: EmojiGuard | None,
) -> list[list[int]]:
    """One answer a row; ``steps`` gives the next logits for what was drawn last."""
    keys = mix(seeds, Channel.TEXT)
    said: list[list[int]] = [[] for _ in seeds]
    ended = np.zeros(len(seeds), dtype=bool)
    logits = next(steps)
    for step in range(sampling.max_new_tokens):
        allowed = logits.float() if guard is None else _without(logits.float(), guard, said)
        chosen = choose(allowed, sampling, uniforms(keys, step, 1)[:, 0])
        for row in np.flatnonzero(~ended):
            said[row].append(int(chosen[row]))
        ended |= np.isin(chosen.cpu().numpy(), ends)
        if ended.all() or step + 1 == sampling.max_new_tokens:
            break
        logits = steps.send(chosen[:, None])
    return said


def _without(logits: Tensor, guard: EmojiGuard, said: list[list[int]]) -> Tensor:
    """Logits (n, vocabulary) in which no token may come that would show an emoji."""
    barred = torch.as_tensor(guard.after(said, logits.shape[-1]), device=logits.device)
    return logits.masked_fill(barred, -torch.inf)


def _padded(model: Any, prompts: list[list[int]]) -> _Steps:
    """Logits (n, vocabulary) after prompts of any lengths, then after each token (n, 1) sent."""
    tokens, mask = left_padded(prompts, model.device)
    positions, cache = (mask.cumsum(1) - 1).clamp_min(0), None
    while True:
        with _token_by_token(model, tokens):
            out = model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        cache = out.past_key_values
        tokens = yield out.logits[:, -1]
        positions = positions[:, -1:] + 1
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)


@contextmanager
def _token_by_token(model: Any, tokens: Tensor) -> Iterator[None]:
    """Plain products for one token a row on a CPU, where torch's own attention is slow.

    Eight rows of SmolLM2 behind 300 tokens took 0.10 s a token with it and 0.05 s without; whole
    prompts gain nothing, and would need the room of all their scores at once.
    """
    config = model.config
    own = config._attn_implementation
    if tokens.shape[1] > 1 or tokens.device.type != "cpu" or own != "sdpa":
        yield
        return
    config._attn_implementation = "eager"
    try:
        yield
    finally:
        config._attn_implementation = own


def _cached(model: Any, tokens: Tensor) -> _Steps:
    """As ``_padded`` for tokens (n, length) of one length, positions left to the model."""
    cache, mask = None, torch.ones_like(tokens)
    while True:
        cached = {"past_key_values": cache, "use_cache": True, "attention_mask": mask}
        out = model(**inputs_of(model, tokens, **cached))
        cache = out.past_key_values
        tokens = yield out.logits[:, -1]
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)


def _anew(model: Any, tokens: Tensor) -> _Steps:
    """As ``_cached``, but the whole text runs again for every token: nothing is kept."""
    while True:
        new = yield model(**inputs_of(model, tokens)).logits[:, -1]
        tokens = torch.cat([tokens, new], dim=1)


def choose(logits: Tensor, sampling: Sampling, draws: FloatArray) -> Tensor:
    """One token a row by inverse CDF over the ``top_k`` most probable tokens."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    most = logits.shape[-1]
    top, ids = logits.topk(min(sampling.top_k or most, most), dim=-1)
    edges = (top / sampling.temperature).double().softmax(-1).cumsum(-1)
    place = (torch.as_tensor(draws, device=logits.device)[:, None] >= edges[:, :-1]).sum(1)
    return ids.gather(1, place[:, None])[:, 0]
