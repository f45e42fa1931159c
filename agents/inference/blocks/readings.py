"""The two ways in which texts are read and cues answered: Hugging Face's layers, and the fast ones.

``LayersReading`` runs ``BlockReader`` on the adapted model, on any device, with any adapter.
``FusedReading`` runs the compiled forward of small Llamas on a CPU: a text, then its gist tokens
behind it; a cue behind what its person and its item left. Both give the same numbers.

Letters: ``n`` texts, ``u`` people, ``k`` questions to one, ``s`` states that a person's cues see,
``L`` layers, ``G`` key heads, ``g`` gist tokens, ``D`` head width, ``c`` choices.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.people import ChunkTexts
from agents.inference.blocks.reader import Behind, BlockReader, Cues
from agents.inference.blocks.store import BlockTable
from agents.inference.blocks.texts import GistTokens, Kind, padded_cues
from agents.inference.facets.mixtures import adapter_of, read_mixture
from agents.inference.fused.fused_forward import FusedForward
from agents.inference.fused.llama import Row
from agents.inference.fused.llama_weights import NotFused
from agents.inference.stats import EngineStats
from simenv.events import BoolArray, IntArray

_READ_TOKENS = 8192  # at once, padding included
Names = Sequence[str | None]
Tables = Mapping[Kind, BlockTable]


class Adapted(Protocol):
    """A model with its adapters, as ``AdaptedModel`` has them."""

    @property
    def model(self) -> Any:
        """The model."""
        ...

    @property
    def opened(self) -> Any:
        """What was opened, for its sizes."""
        ...

    def using(self, adapter: str | None) -> AbstractContextManager[Any]:
        """The model with one adapter, or with none."""
        ...

    def mixing(self, adapters: Names) -> AbstractContextManager[None]:
        """Facets mixed as each row says."""
        ...


class Reading(Protocol):
    """A way to read and to answer."""

    def read(
        self, kind: Kind, ids: Sequence[Sequence[int]], adapters: Names, behind: Tensor | None
    ) -> Tensor:
        """States (L, 2, n, G, g, D) of texts (n,) under one adapter or mixtures of its facets."""
        ...

    def answer(self, texts: ChunkTexts, cues: Sequence[list[int]], choices: list[int]) -> Tensor:
        """Logits (u·k, c) of the chosen tokens after each question; any after one that fills up.

        Args:
            texts: of people on one adapter, or on mixtures of its facets.
            cues: (u·k,) token ids.
            choices: (c,) token ids.
        """
        ...


class LayersReading:
    """See the module.

    Args:
        adapted: the model, and how its adapters are put to work.
        gists: of its vocabulary.
        tables: of what was read.
        stats: counts the tokens run.
        alone: every text by itself, so that its states do not depend on its neighbours.
    """

    def __init__(
        self,
        adapted: Adapted,
        gists: GistTokens,
        tables: Tables,
        stats: EngineStats,
        alone: bool,
    ) -> None:
        self._adapted, self._gists, self._tables = adapted, gists, tables
        self._stats, self._alone = stats, alone

    @cached_property
    def _weights(self) -> int:
        return num_weights(self._adapted.model)

    def read(
        self, kind: Kind, ids: Sequence[Sequence[int]], adapters: Names, behind: Tensor | None
    ) -> Tensor:
        """See ``Reading.read``."""
        device = self._adapted.model.device
        parts, rows = [], []
        with self._adapted.using(adapter_of(adapters[0])) as model:
            for group in self._gists.groups(ids, kind, 1 if self._alone else _READ_TOKENS, device):
                chosen = torch.from_numpy(group.rows).to(device)
                own = None if behind is None else Behind(behind[:, :, chosen])
                with self._adapted.mixing([adapters[row] for row in group.rows.tolist()]):
                    read = BlockReader(model).read(
                        group.ids, group.known, group.places, group.keep, own
                    )
                self._stats.add_run(int(group.known.sum()), group.ids.numel(), self._weights)
                parts.append(read)
                rows.append(group.rows)
        back = torch.from_numpy(np.argsort(np.concatenate(rows))).to(device)
        return torch.cat(parts, 2)[:, :, back]

    def answer(self, texts: ChunkTexts, cues: Sequence[list[int]], choices: list[int]) -> Tensor:
        """See ``Reading.answer``."""
        device = self._adapted.model.device
        u, k = texts.rows.shape
        ids, known = padded_cues(cues)
        self._stats.add_run(int(known.sum()), ids.size, self._weights)
        shared, items = self._gathered(texts)
        asked = Cues(
            torch.from_numpy(ids).to(device).view(u, k, -1),
            torch.from_numpy(known).to(device).view(u, k, -1),
            self._gists.places.last_cue,
            shared,
            torch.from_numpy(self._seen(texts)).to(device),
            items,
        )
        with self._adapted.using(adapter_of(texts.adapters[0])) as model:
            reader = BlockReader(model)
            with self._adapted.mixing(texts.adapters):
                hidden = reader.answer(asked)
            chosen = torch.tensor(choices, device=device)
            return reader.logits(hidden, chosen).flatten(0, 1).float().cpu()

    def _gathered(self, texts: ChunkTexts) -> tuple[Tensor, Tensor]:
        """States (L, 2, u, G, s, D) of people and (L, 2, u, k, G, g, D) of items."""
        shared = self._tables["profile"].gather(texts.profiles).permute(1, 2, 0, 3, 4, 5)
        if texts.memories.size:
            states = self._tables["memory"].gather(texts.memories)
            states = states.view(*texts.memories.shape, *states.shape[1:])
            shared = torch.cat([shared, states.permute(2, 3, 0, 4, 1, 5, 6).flatten(4, 5)], 4)
        items = self._tables["item"].gather(texts.items)
        items = items.view(*texts.rows.shape, *items.shape[1:])
        return shared, items.permute(2, 3, 0, 1, 4, 5, 6)

    def _seen(self, texts: ChunkTexts) -> BoolArray:
        """(u, k, s) which states a question sees."""
        places = self._gists.places
        own = np.ones((*texts.items.shape, places.profile), dtype=np.bool_)
        return np.concatenate([own, (~texts.unseen).repeat(places.memory, axis=2)], axis=2)


class FusedReading:
    """See the module.

    Args:
        fused: the fast forward.
        gists: of its model's vocabulary.
        tables: of what was read.
        otherwise: answers where the fast forward cannot.
        stats: counts what the other one had to do.
    """

    def __init__(
        self,
        fused: FusedForward,
        gists: GistTokens,
        tables: Tables,
        otherwise: Reading,
        stats: EngineStats,
    ) -> None:
        self._fused, self._gists, self._tables = fused, gists, tables
        self._otherwise, self._stats = otherwise, stats

    def read(
        self, kind: Kind, ids: Sequence[Sequence[int]], adapters: Names, behind: Tensor | None
    ) -> Tensor:
        """See ``Reading.read``: texts first, then the gist tokens behind them."""
        gist, first = self._gists.gist(kind)
        most = self._gists.places.longest
        own = [None] * len(ids) if behind is None else list(_each(behind, 2))
        gates = [read_mixture(name).gate for name in adapters]
        texts = [
            Row(list(text[:most]) or [0], before, None, gate, 0)
            for text, before, gate in zip(ids, own, gates, strict=True)
        ]
        try:
            read = self._fused.states_of(adapters[0], texts)
            ends = [
                Row(gist, text.prefix, states, text.gate, first)
                for text, states in zip(texts, read, strict=True)
            ]
            return torch.stack(self._fused.states_of(adapters[0], ends), 2)
        except NotFused:
            self._stats.fallbacks += 1
            return self._otherwise.read(kind, ids, adapters, behind)

    def answer(self, texts: ChunkTexts, cues: Sequence[list[int]], choices: list[int]) -> Tensor:
        """See ``Reading.answer``: rows of one person lie side by side behind one state."""
        k, last = texts.rows.shape[1], self._gists.places.last_cue
        items = self._tables["item"].gather(texts.items)
        gates = [read_mixture(name).gate for name in texts.adapters]
        real = np.flatnonzero(texts.real)
        shared = dict(zip(real.tolist(), self._shared(texts, real), strict=True))
        rows = [
            Row(cues[i], own, items[i], gates[i // k], last + 1 - len(cues[i]))
            for i, own in shared.items()
        ]
        logits = torch.zeros(len(cues), len(choices))
        try:
            own = self._fused.logits_of(texts.adapters[0], rows, choices)
            logits[torch.from_numpy(real)] = own
            return logits
        except NotFused:
            self._stats.fallbacks += 1
            return self._otherwise.answer(texts, cues, choices)

    def _shared(self, texts: ChunkTexts, real: IntArray) -> Iterator[Tensor]:
        """(L, 2, G, s, D) what each real question sees; one tensor for all that see alike."""
        k, unseen = texts.rows.shape[1], texts.unseen
        kept: dict[tuple[int, bytes], Tensor] = {}
        for person, place in zip((real // k).tolist(), (real % k).tolist(), strict=True):
            hidden = unseen[person, place]
            key = person, hidden.tobytes()
            if key not in kept:
                kept[key] = self._person(texts, person, texts.memories[person][~hidden])
            yield kept[key]

    def _person(self, texts: ChunkTexts, person: int, memories: IntArray) -> Tensor:
        """(L, 2, G, s, D) a person's profile and some memories, contiguous."""
        profile = self._tables["profile"].gather(texts.profiles[person : person + 1])[0]
        if not len(memories):
            return profile
        own = self._tables["memory"].gather(memories).permute(1, 2, 3, 0, 4, 5)
        return torch.cat([profile, own.reshape(*own.shape[:3], -1, own.shape[5])], 3)


def num_weights(model: Any) -> int:
    """Weights of a model's layers, without those of its adapters."""
    body = (model.get_base_model() if hasattr(model, "peft_config") else model).model
    return sum(p.numel() for name, p in body.layers.named_parameters() if "lora_" not in name)


def _each(states: Tensor, dim: int) -> list[Tensor]:
    """The states of each text, contiguous."""
    return list(states.movedim(dim, 0).contiguous())
