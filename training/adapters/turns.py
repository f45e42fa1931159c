"""What an adapter is trained on, for the loops: samples by number, and the logits of their answers.

A sample is a prefix with all its turns. ``WholeTurns`` runs prompts behind a shared prefix,
``BlockTurns`` reads in blocks: items and memories once and for all, by the base alone, since the
adapter acts on profiles and cues only.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.places import CONFIG_KEY
from agents.inference.blocks.reader import BlockReader
from agents.inference.blocks.texts import gists_of
from agents.inference.local.huggingface import num_embeddings
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES
from training.adapters.lora_model import check_lengths
from training.adapters.shared_prefix import (
    Ids,
    PaddedPrompts,
    answer_logits,
    encode_prompts,
    pad_prompts,
)
from training.examples.block_batches import cue_logits, encode, read_texts
from training.examples.from_log import Examples

Inputs = dict[str, Tensor]


class Turns(Protocol):
    """n samples of t turns."""

    answers: Ids  # token ids of the five answers

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> int: ...

    def collate(self, rows: Sequence[int]) -> Inputs:
        """The tensors of some samples, with ``targets`` (n·t, 5) and ``weights`` (n·t,)."""
        ...

    def logits(self, model: Any, inputs: Inputs) -> Tensor:
        """Logits (n·t, vocabulary) of the answers; ``inputs`` on the model's device."""
        ...


def turns_of(examples: Examples, tokenizer: Any, model: Any) -> "Turns":
    """The turns of examples, as the base ``model`` (without adapter) reads.

    Raises:
        ValueError: the examples are told otherwise than the model reads, or too long for it.
    """
    in_blocks = hasattr(model.config, CONFIG_KEY)
    if in_blocks != bool(examples.items):
        told, read = ("blocks", "whole") if examples.items else ("whole", "blocks")
        raise ValueError(
            f"training an adapter wanted examples told as the base reads, reading={read!r}, got"
            f" reading={told!r}; set the style's reading to {read!r}"
        )
    make: Any = BlockTurns if in_blocks else WholeTurns
    turns: Turns = make(examples, tokenizer, model)
    return turns


class _Targets:
    """What the answers should be."""

    def __init__(self, examples: Examples) -> None:
        self._targets = torch.as_tensor(examples.targets, dtype=torch.float32)
        self._weights = torch.as_tensor(examples.weights, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return index

    def _wanted(self, rows: Sequence[int]) -> Inputs:
        chosen = torch.as_tensor(rows)
        targets, weights = self._targets[chosen], self._weights[chosen]
        return {"targets": targets.flatten(0, 1), "weights": weights.flatten()}


class WholeTurns(_Targets):
    """Whole prompts: one pass over each prefix for all of its turns.

    Raises:
        ValueError: a prompt is longer than the model's context.
    """

    def __init__(self, examples: Examples, tokenizer: Any, model: Any) -> None:
        super().__init__(examples)
        tokens = Tokens(tokenizer, num_embeddings(model))
        self._prompts = encode_prompts(tokens, examples.prefixes, examples.suffixes)
        check_lengths(self._prompts, model)
        self.answers = self._prompts.answers
        self._turns = examples.ratings.shape[1]

    def collate(self, rows: Sequence[int]) -> Inputs:
        """See ``Turns.collate``."""
        t = self._turns
        suffixes = [s for row in rows for s in self._prompts.suffixes[row * t : (row + 1) * t]]
        prompts = pad_prompts([self._prompts.prefixes[row] for row in rows], suffixes)
        return {**prompts._asdict(), **self._wanted(rows)}

    def logits(self, model: Any, inputs: Inputs) -> Tensor:
        """See ``Turns.logits``."""
        prompts = PaddedPrompts(*(inputs[name] for name in PaddedPrompts._fields))
        return answer_logits(model, prompts)


class BlockTurns(_Targets):
    """Questions to a model that reads in blocks.

    Raises:
        ValueError: the vocabulary lacks the gist tokens.
    """

    def __init__(self, examples: Examples, tokenizer: Any, model: Any) -> None:
        super().__init__(examples)
        self._gists = gists_of(model, tokenizer)
        self._batch = encode(examples, tokenizer)
        self.answers = Tokens(tokenizer, num_embeddings(model)).choices(RATING_CHOICES)[1]
        with torch.no_grad():
            self._texts = read_texts(BlockReader(model), self._gists, self._batch, model.device)

    def collate(self, rows: Sequence[int]) -> Inputs:
        """See ``Turns.collate``."""
        return {"people": torch.as_tensor(rows), **self._wanted(rows)}

    def logits(self, model: Any, inputs: Inputs) -> Tensor:
        """See ``Turns.logits``."""
        people = np.asarray(inputs["people"].tolist(), dtype=np.int64)
        own = self._batch.of(people)
        return cue_logits(BlockReader(model), self._gists, own, self._texts).flatten(0, 1)
