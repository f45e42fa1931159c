"""Room for reading in blocks in a model that was trained to read whole prompts, such as SmolLM2.

The vocabulary gets the gist tokens, and the settings say where each kind of text stands. What the
gist tokens hold the model has yet to learn. This file knows no training loop.
"""

from dataclasses import asdict, replace
from typing import Any

import torch

from agents.inference.blocks.places import CONFIG_KEY, Places
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES

# As wide as a cue gets: seven numbers of a sign and two digits, fair average, votes, who picked it.
_WIDEST_CUE = " +0.9" * 7 + " 4.9 100 Suggested:"
_FAMILY = "llama"  # whose layers ``BlockReader`` calls


def make_room(model: Any, tokenizer: Any, places: Places, seed: int) -> None:
    """Let a model read in blocks; does nothing to one that does. Changes model and tokenizer.

    New embeddings are drawn around the mean of all, as Hugging Face does.

    Args:
        model: a Llama as transformers has it.
        tokenizer: of the model, as transformers has it.
        places: where the texts stand; a cue gets as many places as this vocabulary needs.
        seed: of the new embeddings.

    Raises:
        ValueError: the model is no Llama, or has not got so many places.
    """
    if hasattr(model.config, CONFIG_KEY):
        return
    if model.config.model_type != _FAMILY:
        raise ValueError(
            f"reading in blocks wanted a model of the family {_FAMILY}, got"
            f" {model.config.model_type}; take such a model, or style.reading=whole"
        )
    tokens = Tokens(tokenizer)
    lead, _ = tokens.choices(RATING_CHOICES)
    cue = len(tokens.encode([_WIDEST_CUE])[0]) + len(lead)
    places = replace(places, cue=max(places.cue, cue))
    if (most := model.config.max_position_embeddings) < places.context:
        raise ValueError(
            f"reading in blocks wanted {places.context} places, got a model that has {most}; take"
            " a model with a longer context, or style.reading=whole"
        )
    tokenizer.add_special_tokens({"additional_special_tokens": list(places.tokens)})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.resize_token_embeddings(len(tokenizer))
    setattr(model.config, CONFIG_KEY, asdict(places))
