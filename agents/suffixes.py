"""From Ml to words: recalls what is like the item and writes the suffix of each request."""

import numpy as np

from agents.memory import Memory, Recalled
from agents.prompts import (
    Gist,
    PromptStyle,
    Recollection,
    gist_line,
    item_lines,
    memory_line,
)
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray


class SuffixWriter:
    """Writes suffixes for many (user, item) pairs with one recall; item texts are kept."""

    def __init__(self, catalog: Catalog, memory: Memory, style: PromptStyle) -> None:
        self.catalog = catalog
        self.memory = memory
        self.style = style
        self._item_lines: dict[int, str] = {}

    def write(self, users: IntArray, items: IntArray) -> list[str]:
        """Suffixes of users (n,) for items (n, k), row by row: n·k texts; changes no memory."""
        if self.style.recalled:
            recalled = self.memory.recall(users, items, self.style.recalled)
            memories = self._memory_parts(users, recalled)
        else:
            memories = [""] * items.size
        return [
            memory + self._item_part(item)
            for memory, item in zip(memories, items.reshape(-1).tolist(), strict=True)
        ]

    def _item_part(self, item: int) -> str:
        if item not in self._item_lines:
            self._item_lines[item] = item_lines(self.catalog, item, self.style)
        return self._item_lines[item]

    def _memory_parts(self, users: IntArray, recalled: Recalled) -> list[str]:
        n, k, m = recalled.items.shape
        owners = np.repeat(users, k).tolist()
        items = recalled.items.reshape(n * k, m)
        told = min(self.style.verbatim, m)
        gists = self._gist_parts(recalled) if self.style.gist else [""] * (n * k)
        columns = zip(
            owners,
            items[:, :told].tolist(),
            recalled.ratings.reshape(n * k, m)[:, :told].tolist(),
            recalled.rows.reshape(n * k, m)[:, :told].tolist(),
            gists,
            strict=True,
        )
        return [
            "".join(
                memory_line(self.catalog, Recollection(i, r, self.memory.reason(user, row)))
                for i, r, row in zip(own, ratings, rows, strict=True)
                if i >= 0
            )
            + gist
            for user, own, ratings, rows, gist in columns
        ]

    def _gist_parts(self, recalled: Recalled) -> list[str]:
        m = self.style.gist
        items, ratings = recalled.items[..., :m], recalled.ratings[..., :m]
        gists = summed_up(self.catalog, items, ratings, recalled.similarities[..., :m])
        flat = (x.reshape(-1).tolist() for x in (*gists, (items >= 0).any(axis=-1)))
        return [
            gist_line(Gist(a, b, c)) if any_ else "" for a, b, c, any_ in zip(*flat, strict=True)
        ]


def summed_up(
    catalog: Catalog, items: IntArray, ratings: FloatArray, similarities: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The numbers of a ``Gist`` for memories (..., m); the results have shape (...).

    Memories count in proportion to their similarity; what is unlike the item counts next to
    nothing. Where there is no memory the numbers are 0.
    """
    known = items >= 0
    weights = np.where(known, np.maximum(similarities, 0.01), 0.0)
    total = np.maximum(weights.sum(axis=-1), 1e-12)
    safe = np.where(known, items, 0)
    apart = np.where(known, ratings - catalog.steady_averages[safe], 0.0)
    near = np.where(known, similarities, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
    return near, (weights * ratings).sum(axis=-1) / total, (weights * apart).sum(axis=-1) / total
