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

import numpy as np
import torch
from torch import Tensor

from agents.inference.blocks.people import (
    Asked,
    ChunkTexts,
    Person,
    among,
    chunks_of,
    filled_places,
    people_of,
)
from agents.inference.blocks.reader import BlockReader
from agents.inference.blocks.readings import (
    Adapted,
    FusedReading,
    LayersReading,
    Reading,
)
from agents.inference.blocks.store import BlockTable, StoreStats
from agents.inference.blocks.texts import Kind, gists_of
from agents.inference.engine import PastDecision, Request
from agents.inference.facets.mixtures import adapter_of
from agents.inference.finite_scores import check_finite
from agents.inference.fused.fused_forward import FusedForward
from agents.inference.halves import by_halves
from agents.inference.stats import EngineStats
from agents.inference.tokens import Tokens
from simenv.events import FloatArray, IntArray

# Shares of the budget; a person has one profile and many memories.
_SHARES: dict[Kind, float] = {"item": 0.2, "memory": 0.6, "profile": 0.2}


class BlockScorer:
    """Reads and answers on an adapted model.

    Args:
        adapted: the model, and how its adapters are put to work.
        tokens: of its tokenizer.
        stats: counts the tokens run.
        max_bytes: of what is kept.
        fused: the fast forward of this model; None = its own layers answer.
        repeatable: where the model's own layers answer, each person and each text alone, so that
            no answer depends on another in its last digits. With the fast forward none does.
    """

    def __init__(
        self,
        adapted: Adapted,
        tokens: Tokens,
        stats: EngineStats,
        max_bytes: int,
        fused: FusedForward | None = None,
        repeatable: bool = False,
    ) -> None:
        self._tokens, self._stats = tokens, stats
        self._alone = repeatable and fused is None
        model = adapted.opened
        self._gists = gists_of(model, tokens.reader)
        reader = BlockReader(model)
        self.tables = {
            kind: BlockTable(
                (len(model.model.layers), 2, reader.groups, self._gist(kind), reader.width),
                int(share * max_bytes),
                torch.float32 if fused is not None else model.dtype,
                model.device,
            )
            for kind, share in _SHARES.items()
        }
        own = LayersReading(adapted, self._gists, self.tables, stats, repeatable)
        self._reading: Reading = own
        if fused is not None:
            self._reading = FusedReading(fused, self._gists, self.tables, own, stats)

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
            FloatingPointError: the model gave a score that is not a number.
            MemoryError: a request alone is more than the memory holds.
            ValueError: a cue is longer than the model's places for one.
        """
        started, run_before = time.perf_counter(), self._stats.run_tokens
        most = self._gists.places.cue
        if (longest := max(map(len, suffixes), default=0)) > most:
            raise ValueError(
                f"reading in blocks wanted cues of at most {most} tokens, got {longest}; what the"
                " cue says more belongs into a block"
            )
        logits = torch.empty(len(requests), len(digits))
        for _, people in itertools.groupby(people_of(requests), lambda one: one.adapter):
            for chunk in chunks_of(list(people), self._alone):

                def answer(rows: IntArray, chunk: list[Asked] = chunk) -> None:
                    asked, found = self._answers(among(chunk, rows), requests, suffixes, digits)
                    logits[torch.from_numpy(asked)] = found

                parts = by_halves(np.concatenate([one.rows for one in chunk]), answer)
                self._stats.splits += len(parts) - 1
        self._stats.requests += len(requests)
        # What a question costs is what is read for it; what was read before is in no prompt.
        self._stats.prompt_tokens += self._stats.run_tokens - run_before
        self._stats.model_seconds += time.perf_counter() - started
        found: FloatArray = logits.double().log_softmax(-1).numpy()
        return found

    def _answers(
        self,
        chunk: list[Asked],
        requests: Sequence[Request],
        suffixes: Sequence[list[int]],
        digits: list[int],
    ) -> tuple[IntArray, Tensor]:
        """Rows (m,) of the call that a chunk asks, and their logits (m, c)."""
        texts = self._texts(chunk, requests)
        cues = [suffixes[row] for row in texts.rows.reshape(-1).tolist()]
        answers = self._reading.answer(texts, cues, digits)
        answers = answers[torch.from_numpy(texts.real.reshape(-1))]
        check_finite(answers, texts.asked, requests)
        return texts.asked, answers

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
        items = self._items([requests[row].item for row in rows.reshape(-1).tolist()])
        leans_on = self._items([decision.item for decision in decisions])
        memories = self._memories(decisions)
        lengths = np.array([len(one.person.past) for one in chunk], dtype=np.int64)
        filled = np.arange(lengths.max(initial=0)) < lengths[:, None]
        return ChunkTexts(
            [one.person for one in chunk],
            rows,
            np.arange(k) < np.array([len(one.rows) for one in chunk])[:, None],
            items.reshape(rows.shape),
            filled_places(memories, filled, 0),
            filled_places(leans_on, filled, -1),
            self._profiles([one.person for one in chunk]),
        )

    def _items(self, texts: Sequence[str]) -> IntArray:
        return self.tables["item"].rows(texts, lambda new: self._read("item", new))

    def _memories(self, decisions: Sequence[PastDecision]) -> IntArray:
        def read(new: list[PastDecision]) -> Tensor:
            items = self._items([decision.item for decision in new])
            behind = self.tables["item"].gather(items).permute(1, 2, 0, 3, 4, 5)
            return self._read("memory", [decision.text for decision in new], behind)

        return self.tables["memory"].rows(decisions, read)

    def _profiles(self, people: Sequence[Person]) -> IntArray:
        def read(new: list[tuple[str | None, str]]) -> Tensor:
            adapters = [adapter for adapter, _ in new]
            return self._read("profile", [text for _, text in new], None, adapters)

        keys = [(person.adapter, person.profile) for person in people]
        return self.tables["profile"].rows(keys, read)

    def _read(
        self,
        kind: Kind,
        texts: Sequence[str],
        behind: Tensor | None = None,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """States (L, 2, n, G, g, D) of texts, in their order, under adapters or by the base."""
        names = adapters or [None] * len(texts)
        ids = self._tokens.encode(texts)

        def read(own: IntArray) -> Tensor:
            chosen = [ids[i] for i in own], [names[i] for i in own]
            return self._reading.read(
                kind, *chosen, None if behind is None else behind[:, :, torch.from_numpy(own)]
            )

        parts = by_halves(np.arange(len(ids)), read)
        self._stats.splits += len(parts) - 1
        return parts[0] if len(parts) == 1 else torch.cat(parts, 2)
