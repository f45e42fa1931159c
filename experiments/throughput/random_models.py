"""Language models and adapters of any shape with random weights: speed does not depend on them."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from agents.inference.engine import Request
from agents.inference.local.loading import load_model

_WORDS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


class ModelShape(NamedTuple):
    """Numbers of a Llama-like model."""

    layers: int
    width: int
    heads: int
    key_heads: int
    mlp: int
    vocabulary: int
    context: int


def random_model(
    shape: ModelShape, folder: Path, words: str | Path, dtype: str, device: str
) -> Path:
    """A model with random weights in ``folder``, with the tokenizer of the folder ``words``.

    Phi-3-mini's block is Llama's; transformers' own class for it holds query, key and value in one
    matrix, so that no adapter can sit on query and key alone, as the paper's do.
    """
    from transformers import AutoModelForCausalLM, LlamaConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = LlamaConfig(
        num_hidden_layers=shape.layers,
        hidden_size=shape.width,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        intermediate_size=shape.mlp,
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.context,
        tie_word_embeddings=False,
        initializer_range=shape.width**-0.5,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    for name in _WORDS:
        if (Path(words) / name).exists():
            shutil.copy(Path(words) / name, folder / name)
    return folder


def random_adapters(model: str | Path, count: int, rank: int, folder: Path) -> dict[str, Path]:
    """LoRAs with random numbers on the query and key projections, as the paper's are; on disk."""
    from peft import LoraConfig, get_peft_model

    _, base = load_model(model, torch.device("cpu"), "auto")
    folders = {}
    for seed in range(count):
        torch.manual_seed(seed)
        config = LoraConfig(
            r=rank,
            target_modules=["q_proj", "k_proj"],
            init_lora_weights=False,
            task_type="CAUSAL_LM",
        )
        adapted = get_peft_model(base, config)
        adapted.save_pretrained(str(folder / f"adapter{seed}"))
        base = adapted.unload()
        folders[f"adapter{seed}"] = folder / f"adapter{seed}"
    return folders


class PromptSizes(NamedTuple):
    """Who is asked, and how long prompts are, in tokens."""

    users: int
    slate: int
    prefix_tokens: int
    suffix_tokens: int


def random_prompts(
    tokenizer: Any, sizes: PromptSizes, adapters: Sequence[str], seed: int
) -> list[Request]:
    """A slate for every user: prefixes are the same for every seed, suffixes are not.

    User u is on adapter u mod g. Texts are words of one token each, so lengths are exact.
    """
    words = np.array([w for w in tokenizer.get_vocab() if _stands_alone(w)])
    if not len(words):
        raise ValueError(
            "prompts wanted a tokenizer with words of one token, got none; use the shipped model's"
        )
    words = np.array([" " + w[1:] for w in np.sort(words)])
    known = np.random.default_rng(0).choice(words, (sizes.users, sizes.prefix_tokens))
    new = np.random.default_rng(seed + 1).choice(
        words, (sizes.users, sizes.slate, sizes.suffix_tokens)
    )
    return [
        Request(
            "".join(known[user]),
            "".join(new[user, place]),
            adapters[user % len(adapters)] if adapters else None,
        )
        for user in range(sizes.users)
        for place in range(sizes.slate)
    ]


def _stands_alone(word: str) -> bool:
    """A blank and lower-case letters, of a byte-level tokenizer."""
    return word[:1] == "Ġ" and word[1:].isascii() and word[1:].isalpha() and word[1:].islower()
