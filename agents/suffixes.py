"""From Ml to words: recalls what is like the item and writes the suffix of each request."""

from collections.abc import Sequence

import numpy as np

from agents.memory.base import Memory, Recalled
from agents.peers import Peers
from agents.persona import Persona
from agents.prompt_budget import Budget
from agents.prompt_style import PromptStyle
from agents.prompts import (
    Gist,
    Recollection,
    closing_words,
    gist_words,
    item_line,
    memory_line,
    peers_words,
    taste_words,
)
from agents.told_numbers import ToldNumbers
from simenv.catalog import Catalog
from simenv.events import NUM_STARS, BoolArray, IntArray
from simenv.item_averages import ItemAverages


class SuffixWriter:
    """Writes suffixes for many (user, item) pairs with one recall; item texts are kept."""

    def __init__(
        self,
        catalog: Catalog,
        averages: ItemAverages,
        personas: Sequence[Persona],
        memory: Memory,
        style: PromptStyle,
        budget: Budget | None = None,
        peers: Peers | None = None,
    ) -> None:
        self.catalog = catalog
        self.averages = averages
        self.memory = memory
        self.style = style
        self._numbers = ToldNumbers(catalog, averages, personas, style, peers)
        self._budget = budget
        self._item_parts: dict[tuple[int, bool], tuple[str, str]] = {}

    def meet(self, user: int, persona: Persona) -> None:
        """``user`` is ``persona`` from now on."""
        self._numbers.meet(user, persona)

    def hear(self, averages: ItemAverages) -> None:
        """People now think otherwise of the items."""
        self.averages = self._numbers.averages = averages
        self._item_parts.clear()

    def write(
        self, users: IntArray, items: IntArray, chosen: BoolArray | bool = False
    ) -> list[str]:
        """Suffixes of users (n,) for items (n, k), row by row: n·k texts; changes no memory.

        Args:
            users: (n,) whom to ask.
            items: (n, k) about which items.
            chosen: (n, k) or one for all: whether the user picked the item on their own, as in a
                log, or had it suggested, as in a slate.
        """
        recalled = self.memory.recall(users, items, max(1, self.style.recalled))
        parts = zip(
            self._memory_parts(users, recalled),
            self._gist_parts(recalled),
            self._taste_parts(users, items),
            self._peers_parts(users, items),
            items.reshape(-1).tolist(),
            np.broadcast_to(chosen, items.shape).reshape(-1).tolist(),
            strict=True,
        )
        return [
            memory + self._said(gist + taste + peers, item, own)
            for memory, gist, taste, peers, item, own in parts
        ]

    def _said(self, middle: str, item: int, chosen: bool) -> str:
        """The item's own words around what the user thinks of it; they are written once."""
        key = item, chosen
        if key not in self._item_parts:
            line = item_line(self.catalog, item, self.style, self._budget)
            self._item_parts[key] = line, closing_words(self.averages, item, chosen)
        line, closing = self._item_parts[key]
        return line + middle + closing

    def _taste_parts(self, users: IntArray, items: IntArray) -> list[str]:
        """What each user's Ms says of each item's genres; nothing where Ms is left out."""
        if not self._numbers.tells_tastes:
            return [""] * items.size
        tastes = self._numbers.tastes(users, items)
        levels = self._numbers.levels(users, items.shape[1])
        sums: list[float] | list[None] = [None] * items.size
        if self.style.together:
            fair = self.averages.fair[items].reshape(-1)
            sums = np.clip(fair + tastes + levels, 1.0, NUM_STARS).tolist()
        columns = zip(tastes.tolist(), levels.tolist(), sums, strict=True)
        return [taste_words(*column) for column in columns]

    def _peers_parts(self, users: IntArray, items: IntArray) -> list[str]:
        """What people like each user gave to each item; nothing where prompts leave it out."""
        stars = self._numbers.peers(users, items)
        return [""] * items.size if stars is None else [peers_words(own) for own in stars.tolist()]

    def _memory_parts(self, users: IntArray, recalled: Recalled) -> list[str]:
        n, k, m = recalled.items.shape
        owners = np.repeat(users, k).tolist()
        items = recalled.items.reshape(n * k, m)
        shown = min(self.style.verbatim, m)
        columns = zip(
            owners,
            items[:, :shown].tolist(),
            recalled.ratings.reshape(n * k, m)[:, :shown].tolist(),
            recalled.rows.reshape(n * k, m)[:, :shown].tolist(),
            strict=True,
        )
        lines = [
            [
                self._memory_line(user, *decision)
                for decision in zip(own, ratings, rows, strict=True)
                if decision[0] >= 0
            ]
            for user, own, ratings, rows in columns
        ]
        together = self._budget.memories if self._budget else "".join
        return [together(own) for own in lines]

    def _memory_line(self, user: int, item: int, rating: float, row: int) -> str:
        decision = Recollection(item, rating, self.memory.reason(user, row))
        return memory_line(self.catalog, self.averages, decision)

    def _gist_parts(self, recalled: Recalled) -> list[str]:
        gists = self._numbers.gists(recalled)
        if gists is None:
            return [""] * recalled.items[..., 0].size
        flat = (x.tolist() for x in gists)
        return [
            gist_words(Gist(a, b, c)) if any_ else "" for a, b, c, any_ in zip(*flat, strict=True)
        ]
