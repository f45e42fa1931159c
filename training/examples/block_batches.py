"""Examples for a model that reads in blocks, as numbers: each text once, and who attends to what.

A batch is read as the engine reads: items and memories once for all people of the batch, profiles
once a person, then all cues. It knows no loss and no optimizer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.reader import Behind, BlockReader, Cues
from agents.inference.blocks.texts import GistTokens, Ids, padded_cues
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES
from simenv.events import BoolArray, FloatArray, IntArray
from training.examples.from_log import Examples

_OF_PEOPLE = ("pasts", "asked", "cues", "known", "targets", "weights")
GROUP_TOKENS = 2**15  # read at once, padding included


@dataclass(frozen=True)
class BlockBatch:
    """Texts as token ids, and indices into them; ``-1`` stands where there is no memory."""

    items: list[Ids]
    memories: list[Ids]
    leans_on: IntArray  # (m,) item of each memory
    profiles: list[Ids]  # (u,)
    pasts: IntArray  # (u, s) memories of each person
    asked: IntArray  # (u, k) items
    cues: IntArray  # (u, k, c) token ids, padded on the left
    known: BoolArray  # (u, k, c) False = padding
    targets: FloatArray  # (u, k, 5)
    weights: FloatArray  # (u, k)

    def of(self, people: IntArray) -> "BlockBatch":
        """The questions to some people (n,); the texts are those of all."""
        return replace(
            self,
            profiles=[self.profiles[person] for person in people.tolist()],
            **{name: getattr(self, name)[people] for name in _OF_PEOPLE},
        )


class _Numbered:
    """Distinct texts in the order of their first appearance."""

    def __init__(self) -> None:
        self.index: dict[Any, int] = {}

    def __call__(self, text: Any) -> int:
        return self.index.setdefault(text, len(self.index))


def encode(examples: Examples, tokenizer: Any) -> BlockBatch:
    """Examples as token ids; a cue ends where the answers begin to differ."""
    lead, _ = Tokens(tokenizer).choices(RATING_CHOICES)
    num_people, turns = examples.ratings.shape
    items, memories = _Numbered(), _Numbered()
    longest = max((len(past) for past in examples.pasts), default=0)
    pasts = np.full((num_people, longest), -1, dtype=np.int64)
    for person, past in enumerate(examples.pasts):
        for place, decision in enumerate(past):
            pasts[person, place] = memories((items(decision.item), decision.text))
    asked = np.array([items(text) for text in examples.items], dtype=np.int64)
    cues, known = padded_cues([[*cue, *lead] for cue in _ids(tokenizer, examples.suffixes)])
    return BlockBatch(
        _ids(tokenizer, list(items.index)),
        _ids(tokenizer, [text for _, text in memories.index]),
        np.array([item for item, _ in memories.index], dtype=np.int64),
        _ids(tokenizer, examples.prefixes),
        pasts,
        asked.reshape(num_people, turns),
        cues.reshape(num_people, turns, -1),
        known.reshape(num_people, turns, -1),
        examples.targets,
        examples.weights,
    )


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[Ids]:
    found: list[Ids] = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    return found


class TextStates(NamedTuple):
    """What was read of items and memories, which is nobody's own."""

    items: Tensor  # (L, 2, i, G, g, D)
    memories: Tensor | None  # (L, 2, m, G, g, D); None where there are none


def batch_logits(
    reader: BlockReader, gists: GistTokens, batch: BlockBatch, device: torch.device
) -> Tensor:
    """Logits (u, k, vocabulary) of all cues; gradients flow into all that was read."""
    return cue_logits(reader, gists, batch, read_texts(reader, gists, batch, device))


def read_texts(
    reader: BlockReader, gists: GistTokens, batch: BlockBatch, device: torch.device
) -> TextStates:
    """Reads the items and memories of a batch, each once."""
    items = read_all(reader, gists, batch.items, "item", device)
    if not batch.memories:
        return TextStates(items, None)
    behind = _rows(items, batch.leans_on)
    return TextStates(items, read_all(reader, gists, batch.memories, "memory", device, behind))


def cue_logits(
    reader: BlockReader, gists: GistTokens, batch: BlockBatch, texts: TextStates
) -> Tensor:
    """Logits (u, k, vocabulary) of cues that attend to their person's profile and to ``texts``."""
    device = texts.items.device
    shared = profiles = read_all(reader, gists, batch.profiles, "profile", device)
    layers, two, u, groups, _, width = profiles.shape
    if texts.memories is not None:
        chosen = _rows(texts.memories, batch.pasts.clip(0))  # (L, 2, u, s, G, g, D)
        flat = chosen.permute(0, 1, 2, 4, 3, 5, 6).reshape(layers, two, u, groups, -1, width)
        shared = torch.cat([profiles, flat], 4)
    cues = Cues(
        torch.from_numpy(batch.cues).to(device),
        torch.from_numpy(batch.known).to(device),
        gists.places.last_cue,
        shared,
        torch.from_numpy(_seen(batch, gists)).to(device),
        _rows(texts.items, batch.asked),
    )
    return reader.logits(reader.answer(cues))


def read_all(
    reader: BlockReader,
    gists: GistTokens,
    texts: Sequence[Ids],
    kind: Any,
    device: torch.device | str,
    behind: Tensor | None = None,
) -> Tensor:
    """States (L, 2, b, G, g, D) of texts of one kind, each behind its own states where given."""
    parts, rows = [], []
    for group in gists.groups(texts, kind, GROUP_TOKENS, device):
        own = None
        if behind is not None:
            own = Behind(_rows(behind, group.rows))
        parts.append(reader.read(group.ids, group.known, group.places, group.keep, own))
        rows.append(group.rows)
    return _rows(torch.cat(parts, 2), np.argsort(np.concatenate(rows)))


def _rows(states: Tensor, chosen: IntArray) -> Tensor:
    """States (L, 2, …, G, g, D) of chosen texts (…).

    Not by an index, whose gradient takes turns where many rows are the same one.
    """
    flat = torch.from_numpy(chosen.reshape(-1)).to(states.device)
    found: Tensor = states.index_select(2, flat).reshape(
        *states.shape[:2], *chosen.shape, *states.shape[3:]
    )
    return found


def _seen(batch: BlockBatch, gists: GistTokens) -> BoolArray:
    """(u, k, s) which states each cue sees: never a memory of the item asked about."""
    own = np.ones((*batch.asked.shape, gists.places.profile), dtype=np.bool_)
    if not batch.memories:
        return own
    other = batch.leans_on[batch.pasts][:, None, :] != batch.asked[:, :, None]
    seen = (batch.pasts >= 0)[:, None, :] & other
    return np.concatenate([own, seen.repeat(gists.places.memory, axis=2)], axis=2)
