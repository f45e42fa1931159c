"""Scores requests that are read in blocks: texts once, from a store, then cues, person by person.

Items and memories are read by the base alone and serve all adapters; a profile and its cues are
read under the person's adapter. Questions to one person are answered together, and their states are
gathered once.

Letters: ``u`` people of a chunk, ``k`` questions to one, ``c`` tokens of a cue, ``s`` states that a
person's cues see.
"""

import itertools
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.people import (
    Asked,
    ChunkTexts,
    Person,
    chunks_of,
    filled_places,
    people_of,
)
from agents.inference.blocks.places import CONFIG_KEY, told_places
from agents.inference.blocks.reader import Behind, BlockReader, Cues
from agents.inference.blocks.store import BlockTable, StoreStats
from agents.inference.blocks.texts import GistTokens, Kind, padded_cues
from agents.inference.engine import PastDecision, Request
from agents.inference.facets.mixtures import adapter_of
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import BoolArray, FloatArray, IntArray

# Shares of the budget; a person has one profile and many memories.
_SHARES: dict[Kind, float] = {"item": 0.2, "memory": 0.6, "profile": 0.2}
_READ_TOKENS = 8192  # at once, padding included


class Adapted(Protocol):
    """A model with its adapters, as ``AdaptedModel`` has them."""

    model: Any

    def using(self, adapter: str | None) -> AbstractContextManager[Any]:
        """The model with one adapter, or with none."""
        ...

    def mixing(self, adapters: Sequence[str | None]) -> AbstractContextManager[None]:
        """Facets mixed as each row says."""
        ...


class BlockScorer:
    """Reads and answers on an adapted model.

    Args:
        adapted: the model, and how its adapters are put to work.
        tokens: of its tokenizer.
        stats: counts the tokens run.
        max_bytes: of what is kept.
        repeatable: each person and each text alone, so that no answer depends on another in its
            last digits.
    """

    def __init__(
        self,
        adapted: Adapted,
        tokens: Tokens,
        stats: EngineStats,
        max_bytes: int,
        repeatable: bool = False,
    ) -> None:
        self._adapted, self._tokens, self._stats = adapted, tokens, stats
        config = adapted.model.config
        self._gists = GistTokens(told_places(getattr(config, CONFIG_KEY)), tokens.tokenizer)
        reader = BlockReader(adapted.model)
        self._num_weights = sum(p.numel() for p in adapted.model.model.layers.parameters())
        self._repeatable = repeatable
        model = adapted.model
        self.tables = {
            kind: BlockTable(
                (len(model.model.layers), 2, reader.groups, self._gist(kind), reader.width),
                int(share * max_bytes),
                model.dtype,
                model.device,
            )
            for kind, share in _SHARES.items()
        }

    @property
    def stats(self) -> dict[Kind, StoreStats]:
        """Hits, misses and bytes of each kind of text."""
        return {kind: table.stats for kind, table in self.tables.items()}

    @torch.inference_mode()
    def score(
        self, requests: Sequence[Request], suffixes: Sequence[list[int]], digits: list[int]
    ) -> FloatArray:
        """Log-probabilities (n, c) of the chosen tokens, in the order of the requests.

        Args:
            requests: all with an item.
            suffixes: token ids of their cues.
            digits: the chosen tokens.

        Raises:
            ValueError: a cue is longer than the model's places for one.
        """
        started = time.perf_counter()
        most = self._gists.places.cue
        if (longest := max(map(len, suffixes), default=0)) > most:
            raise ValueError(
                f"reading in blocks wanted cues of at most {most} tokens, got {longest}; what the"
                " cue says more belongs into a block"
            )
        logits = torch.empty(len(requests), len(digits))
        chosen = torch.tensor(digits, device=self._adapted.model.device)
        for adapter, people in itertools.groupby(people_of(requests), lambda one: one.adapter):
            for chunk in chunks_of(list(people), self._repeatable):
                texts = self._texts(chunk, requests)
                with self._adapted.using(adapter) as model:
                    asked = self._cues(BlockReader(model), texts, suffixes)
                    own = self._answers(BlockReader(model), texts, asked, chosen)
                logits[torch.from_numpy(texts.asked)] = own.float().cpu()
        self._stats.requests += len(requests)
        self._stats.model_seconds += time.perf_counter() - started
        found: FloatArray = logits.double().log_softmax(-1).numpy()
        return found

    def drop(self, adapter: str) -> None:
        """Forget what was read under an adapter."""
        self.tables["profile"].drop(lambda key: adapter_of(key[0]) == adapter)  # type: ignore[index]

    def close(self) -> None:
        """Let go of all that was read."""
        for table in self.tables.values():
            table.clear()

    def _gist(self, kind: Kind) -> int:
        return len(self._gists.gist(kind)[0])

    def _texts(self, chunk: list[Asked], requests: Sequence[Request]) -> ChunkTexts:
        """Where the items and memories of a chunk are kept; what is not yet there is read."""
        k = max(len(one.rows) for one in chunk)
        # Who is asked less is asked the first question again.
        rows = np.stack([np.resize(one.rows, k) for one in chunk])
        for table in self.tables.values():
            table.begin()
        decisions = [decision for one in chunk for decision in one.person.past]
        with self._adapted.using(None) as base:
            reader = BlockReader(base)
            items = self._items(reader, [requests[row].item for row in rows.reshape(-1).tolist()])
            leans_on = self._items(reader, [decision.item for decision in decisions])
            memories = self._memories(reader, decisions)
        lengths = np.array([len(one.person.past) for one in chunk], dtype=np.int64)
        filled = np.arange(lengths.max(initial=0)) < lengths[:, None]
        return ChunkTexts(
            [one.person for one in chunk],
            rows,
            np.arange(k) < np.array([len(one.rows) for one in chunk])[:, None],
            items.reshape(rows.shape),
            filled_places(memories, filled, 0),
            filled_places(leans_on, filled, -1),
        )

    def _cues(self, reader: BlockReader, texts: ChunkTexts, suffixes: Sequence[list[int]]) -> Cues:
        """All that the cues of a chunk attend to, gathered; profiles not yet there are read."""
        u, k = texts.rows.shape
        device = self._adapted.model.device
        profiles = self._profiles(reader, texts.people)
        shared = self.tables["profile"].gather(profiles).permute(1, 2, 0, 3, 4, 5)
        if texts.memories.size:
            states = self.tables["memory"].gather(texts.memories)
            states = states.view(*texts.memories.shape, *states.shape[1:])
            shared = torch.cat([shared, states.permute(2, 3, 0, 4, 1, 5, 6).flatten(4, 5)], 4)
        items = self.tables["item"].gather(texts.items)
        ids, known = padded_cues([suffixes[row] for row in texts.rows.reshape(-1).tolist()])
        self._stats.add_run(int(known.sum()), ids.size, self._num_weights)
        return Cues(
            torch.from_numpy(ids).to(device).view(u, k, -1),
            torch.from_numpy(known).to(device).view(u, k, -1),
            self._gists.places.last_cue,
            shared,
            torch.from_numpy(self._seen(texts)).to(device),
            items.view(u, k, *items.shape[1:]).permute(2, 3, 0, 1, 4, 5, 6),
        )

    def _answers(
        self, reader: BlockReader, texts: ChunkTexts, cues: Cues, digits: Tensor
    ) -> Tensor:
        """Logits (m, n) of the chosen tokens after each of the chunk's questions."""
        with self._adapted.mixing([person.adapter for person in texts.people]):
            hidden = reader.answer(cues)
        return reader.logits(hidden[torch.from_numpy(texts.real).to(digits.device)], digits)

    def _seen(self, texts: ChunkTexts) -> BoolArray:
        """(u, k, s) which states a cue sees: all but memories of the item asked about."""
        places, leans_on = self._gists.places, texts.leans_on
        seen = (leans_on >= 0)[:, None, :] & (leans_on[:, None, :] != texts.items[:, :, None])
        own = np.ones((*texts.items.shape, places.profile), dtype=np.bool_)
        return np.concatenate([own, seen.repeat(places.memory, axis=2)], axis=2)

    def _items(self, base: BlockReader, texts: Sequence[str]) -> IntArray:
        return self.tables["item"].rows(texts, lambda new: self._read(base, "item", new))

    def _memories(self, base: BlockReader, decisions: Sequence[PastDecision]) -> IntArray:
        def read(new: list[PastDecision]) -> Tensor:
            items = self._items(base, [decision.item for decision in new])
            behind = self.tables["item"].gather(items).permute(1, 2, 0, 3, 4, 5)
            return self._read(base, "memory", [decision.text for decision in new], behind)

        return self.tables["memory"].rows(decisions, read)

    def _profiles(self, reader: BlockReader, people: Sequence[Person]) -> IntArray:
        def read(new: list[tuple[str | None, str]]) -> Tensor:
            adapters = [adapter for adapter, _ in new]
            return self._read(reader, "profile", [text for _, text in new], None, adapters)

        keys = [(person.adapter, person.profile) for person in people]
        return self.tables["profile"].rows(keys, read)

    def _read(
        self,
        reader: BlockReader,
        kind: Kind,
        texts: Sequence[str],
        behind: Tensor | None = None,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """States (L, 2, n, G, g, D) of texts, in their order."""
        ids = self._tokens.encode(texts)
        most = 1 if self._repeatable else _READ_TOKENS
        device = self._adapted.model.device
        parts, rows = [], []
        for group in self._gists.groups(ids, kind, most, device):
            own = None if behind is None else Behind(behind[:, :, torch.from_numpy(group.rows)])
            names = [adapters[i] for i in group.rows] if adapters else []
            with self._adapted.mixing(names):
                parts.append(reader.read(group.ids, group.known, group.places, group.keep, own))
            self._stats.add_run(int(group.known.sum()), group.ids.numel(), self._num_weights)
            rows.append(group.rows)
        back = torch.from_numpy(np.argsort(np.concatenate(rows))).to(device)
        return torch.cat(parts, 2)[:, :, back]
