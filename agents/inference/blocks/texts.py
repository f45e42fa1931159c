"""From texts to the padded tensors that are read: gist tokens last, places fixed by kind."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.places import CONFIG_KEY, Places, told_places
from simenv.events import BoolArray, IntArray

Kind = Literal["item", "memory", "profile"]
Ids = Sequence[int]


class Padded(NamedTuple):
    """Texts of one kind, ready to be read; padded on the left."""

    rows: IntArray  # (b,) which texts they are
    ids: Tensor  # (b, t)
    known: Tensor  # (b, t)
    places: Tensor  # (b, t)
    keep: int


class GistTokens:
    """How texts of each kind are laid out for a vocabulary."""

    def __init__(self, places: Places, tokenizer: Any) -> None:
        """Find the gist tokens.

        Raises:
            ValueError: the vocabulary has not got them.
        """
        self.places = places
        ids = [tokenizer.convert_tokens_to_ids(token) for token in places.tokens]
        unknown = tokenizer.unk_token_id
        if missing := [t for t, i in zip(places.tokens, ids, strict=True) if i in (None, unknown)]:
            raise ValueError(
                f"reading in blocks wanted the tokens {', '.join(places.tokens)} in the model's"
                f" vocabulary, {missing[0]} is not there; take the tokenizer that came with it"
            )
        self._ids: list[int] = ids

    def gist(self, kind: Kind) -> tuple[list[int], int]:
        """Gist tokens of a kind and the place of the first."""
        first = {
            "item": self.places.item_gist,
            "memory": self.places.memory_gist,
            "profile": self.places.profile_gist,
        }
        return self._ids[: getattr(self.places, kind)], first[kind]

    def groups(
        self, texts: Sequence[Ids], kind: Kind, most_tokens: int, device: torch.device | str = "cpu"
    ) -> Iterator[Padded]:
        """Texts of about one length together, at most so many tokens (padding counts) a group."""
        gist, first = self.gist(kind)
        cut = [list(text[: self.places.longest]) for text in texts]
        lengths = np.array([len(text) for text in cut], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        for rows in _cut_groups(order, lengths + len(gist), most_tokens):
            longest = int(lengths[rows].max())
            ids = np.zeros((len(rows), longest + len(gist)), dtype=np.int64)
            places = np.zeros_like(ids)
            known = np.ones(ids.shape, dtype=np.bool_)
            for place, row in enumerate(rows.tolist()):
                start = longest - lengths[row]
                ids[place, start:longest] = cut[row]
                places[place, start:longest] = np.arange(lengths[row])
                known[place, :start] = False
            ids[:, longest:] = gist
            places[:, longest:] = first + np.arange(len(gist))
            told, there, at = (torch.from_numpy(x).to(device) for x in (ids, known, places))
            yield Padded(rows, told, there, at, len(gist))


def padded_cues(cues: Sequence[Ids]) -> tuple[IntArray, BoolArray]:
    """Token ids (n, c), padded on the left, and which are none."""
    longest = max(map(len, cues), default=0)
    ids = np.zeros((len(cues), longest), dtype=np.int64)
    known = np.zeros(ids.shape, dtype=np.bool_)
    for row, cue in enumerate(cues):
        ids[row, longest - len(cue) :] = cue
        known[row, longest - len(cue) :] = True
    return ids, known


def _cut_groups(order: IntArray, sizes: IntArray, most: int) -> Iterator[IntArray]:
    """``order`` in stretches of at most ``most`` tokens, each row counted as its longest.

    Rows of a stretch stand as they came: those of a single one need not be put back in order.
    """
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * sizes[order[end]] <= most:
            end += 1
        yield np.sort(order[start:end])
        start = end


def gists_of(model: Any, tokenizer: Any) -> GistTokens:
    """The gist tokens of a model that reads in blocks, as its settings place them.

    Raises:
        ValueError: the settings tell the places otherwise, or the vocabulary lacks the tokens.
    """
    return GistTokens(told_places(getattr(model.config, CONFIG_KEY)), tokenizer)
