"""One pass over a prefix for all the turns that share it: any causal model, with or without peft.

Models that ``why_whole`` names (windows, ALiBi, ...) run every prompt whole, one length at a time.
It knows no loss. Token ids are those that ``LocalEngine`` runs, and each turn sees its prefix and
itself, never another turn, so what is trained is what is asked later.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.local.architectures import why_whole
from agents.inference.local.huggingface import left_padded
from agents.inference.local.unpadded import inputs_of, run_by_length
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES

Ids = list[int]


class PromptIds(NamedTuple):
    """Token ids of n prefixes, of their n·t suffixes row by row, and of the five answers."""

    prefixes: list[Ids]
    suffixes: list[Ids]
    answers: Ids


class PaddedPrompts(NamedTuple):
    """Prompts as a model takes them, padded on the left."""

    prefix: Tensor  # (n, p) token ids
    prefix_mask: Tensor  # (n, p) 1 = a token, 0 = padding
    suffix: Tensor  # (n * t, s) token ids, row by row
    suffix_mask: Tensor  # (n * t, s)


def encode_prompts(tokens: Tokens, prefixes: Sequence[str], suffixes: Sequence[str]) -> PromptIds:
    """Token ids of prompts as the engine makes them.

    What all answers begin with (a space that is a token of its own) is part of every suffix.
    """
    lead, answers = tokens.choices(RATING_CHOICES)
    own = [ids + lead for ids in tokens.encode(suffixes)]
    return PromptIds([tokens.prefix(p) for p in prefixes], own, answers)


def pad_prompts(prefixes: Sequence[Ids], suffixes: Sequence[Ids]) -> PaddedPrompts:
    """Tensors, on the CPU, of n prefixes and of their n·t suffixes."""
    at = torch.device("cpu")
    return PaddedPrompts(*left_padded(prefixes, at), *left_padded(suffixes, at))


def answer_logits(model: Any, prompts: PaddedPrompts) -> Tensor:
    """Logits (n·t, vocabulary) of the answer of each turn, in the order of the suffixes.

    Args:
        model: a causal language model of transformers, or a peft model around one.
        prompts: on the model's device.

    Raises:
        ValueError: the model keeps no cache in training (gradient checkpointing is on).
    """
    num_turns = len(prompts.suffix) // len(prompts.prefix)
    if why_whole(model.config):
        return run_by_length(
            _whole_rows(prompts),
            prompts.suffix.device,
            lambda _, tokens: model(**inputs_of(model, tokens)).logits[:, -1],
        )
    cache = model(
        input_ids=prompts.prefix,
        attention_mask=prompts.prefix_mask,
        position_ids=(prompts.prefix_mask.cumsum(1) - 1).clamp_min(0),
        use_cache=True,
        logits_to_keep=1,
    ).past_key_values
    if cache is None:
        raise ValueError(
            "a shared prefix wanted a model that keeps keys and values, got one that keeps none;"
            " switch gradient checkpointing off"
        )
    cache.batch_repeat_interleave(num_turns)
    prefix_mask = prompts.prefix_mask.repeat_interleave(num_turns, 0)
    start = prefix_mask.sum(1, keepdim=True)
    logits: Tensor = model(
        input_ids=prompts.suffix,
        attention_mask=torch.cat([prefix_mask, prompts.suffix_mask], 1),
        position_ids=start + (prompts.suffix_mask.cumsum(1) - 1).clamp_min(0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits
    return logits[:, -1]


def _whole_rows(prompts: PaddedPrompts) -> list[Ids]:
    """Token ids of every prompt (n·t), without padding."""
    prefixes = _unpadded(prompts.prefix, prompts.prefix_mask)
    suffixes = _unpadded(prompts.suffix, prompts.suffix_mask)
    num_turns = len(suffixes) // len(prefixes)
    return [prefixes[i // num_turns] + suffix for i, suffix in enumerate(suffixes)]


def _unpadded(tokens: Tensor, mask: Tensor) -> list[Ids]:
    pairs = zip(tokens.tolist(), mask.tolist(), strict=True)
    return [[i for i, kept in zip(row, own, strict=True) if kept] for row, own in pairs]
