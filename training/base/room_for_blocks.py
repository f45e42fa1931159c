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
    tokenizer.add_tokens(list(places.tokens), special_tokens=True)
    _embed(model, tokenizer.convert_tokens_to_ids(list(places.tokens)), seed)
    setattr(model.config, CONFIG_KEY, asdict(places))


def _embed(model: Any, tokens: list[int], seed: int) -> None:
    """Give new tokens embeddings, each number drawn as those of the old ones lie."""
    old = model.get_input_embeddings().weight.detach()
    noise = torch.randn(len(tokens), old.shape[1], generator=torch.Generator().manual_seed(seed))
    drawn = old.mean(0) + old.std(0) * noise.to(old)
    # Many a model has more rows than its vocabulary; what is there stays.
    model.resize_token_embeddings(max(len(old), max(tokens) + 1), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight[tokens] = drawn
