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
from simenv.catalog import Catalog
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray
from simenv.item_averages import ItemAverages


class ToldNumbers:
    """The numbers of all people; who they are may change.

    Attributes:
        averages: what people know that others think of the items.
    """

    def __init__(
        self,
        catalog: Catalog,
        averages: ItemAverages,
        personas: Sequence[Persona],
        style: PromptStyle,
        peers: Peers | None = None,
    ) -> None:
        self.averages = averages
        self._style = style
        self._peers = _shown(peers, style)
        self._genres, self._shares = catalog.genre_names, catalog.genre_shares
        self._tastes = np.array(
            [[p.tastes.get(g, 0.0) for g in self._genres] for p in personas]
        ).reshape(len(personas), len(self._genres))
        self._levels = np.array([p.level for p in personas])

    @property
    def tells_tastes(self) -> bool:
        """Whether Ms is told in numbers at all."""
        return self._style.persona and self._style.numbers

    def meet(self, user: int, persona: Persona) -> None:
        """``user`` is ``persona`` from now on."""
        self._tastes[user] = [persona.tastes.get(g, 0.0) for g in self._genres]
        self._levels[user] = persona.level

    def tastes(self, users: IntArray, items: IntArray) -> FloatArray:
        """(n·k,) stars that the genres of items (n, k) are above others to users (n,)."""
        shares = self._shares[items]
        return np.asarray(np.einsum("ng,nkg->nk", self._tastes[users], shares)).reshape(-1)

    def levels(self, users: IntArray, k: int) -> FloatArray:
        """(n·k,) stars above others that users (n,) give at large."""
        return np.repeat(self._levels[users], k)

    def peers(self, users: IntArray, items: IntArray) -> FloatArray | None:
        """(n·k,) what people like each user gave; None where prompts leave it out."""
        return None if self._peers is None else self._peers.stars(users, items).reshape(-1)

    def gists(
        self, recalled: Recalled
    ) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray] | None:
        """The three numbers of a ``Gist`` and whether there are any, (n·k,) each.

        None where prompts leave them out.
        """
        m = self._style.gist if self._style.numbers else 0
        if not m:
            return None
        items, ratings = recalled.items[..., :m], recalled.ratings[..., :m]
        near = recalled.similarities[..., :m]
        close, own, apart = summed_up(self.averages.fair, items, ratings, near)
        any_ = (items >= 0).any(axis=-1).reshape(-1)
        return close.reshape(-1), own.reshape(-1), apart.reshape(-1), any_


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
        self.numbers = ToldNumbers(catalog, averages, personas, style, peers)
        self._budget = budget
        self._item_parts: dict[tuple[int, bool], tuple[str, str]] = {}

    def meet(self, user: int, persona: Persona) -> None:
        """``user`` is ``persona`` from now on."""
        self.numbers.meet(user, persona)

    def hear(self, averages: ItemAverages) -> None:
        """People now think otherwise of the items."""
        self.averages = self.numbers.averages = averages
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
        if not self.numbers.tells_tastes:
            return [""] * items.size
        tastes = self.numbers.tastes(users, items)
        levels = self.numbers.levels(users, items.shape[1])
        sums: list[float] | list[None] = [None] * items.size
        if self.style.together:
            fair = self.averages.fair[items].reshape(-1)
            sums = np.clip(fair + tastes + levels, 1.0, NUM_STARS).tolist()
        columns = zip(tastes.tolist(), levels.tolist(), sums, strict=True)
        return [taste_words(*column) for column in columns]

    def _peers_parts(self, users: IntArray, items: IntArray) -> list[str]:
        """What people like each user gave to each item; nothing where prompts leave it out."""
        stars = self.numbers.peers(users, items)
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
        gists = self.numbers.gists(recalled)
        if gists is None:
            return [""] * recalled.items[..., 0].size
        flat = (x.tolist() for x in gists)
        return [
            gist_words(Gist(a, b, c)) if any_ else "" for a, b, c, any_ in zip(*flat, strict=True)
        ]


def _shown(peers: Peers | None, style: PromptStyle) -> Peers | None:
    """The peers, if prompts say what they gave."""
    if style.peers and peers is None:
        raise ValueError(
            "PromptStyle(peers=True) wanted what people alike gave, got none; build the"
            " population with that style, or set peers=False"
        )
    return peers if style.peers else None


def summed_up(
    fair: FloatArray, items: IntArray, ratings: FloatArray, similarities: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The numbers of a ``Gist`` for memories (..., m); the results have shape (...).

    Memories count in proportion to their similarity; what is unlike the item counts next to
    nothing. Where there is no memory the numbers are 0.
    ``fair`` (num_items,) are the fair averages that own ratings are compared with.
    """
    known = items >= 0
    weights = np.where(known, np.maximum(similarities, 0.01), 0.0)
    total = np.maximum(weights.sum(axis=-1), 1e-12)
    safe = np.where(known, items, 0)
    apart = np.where(known, ratings - fair[safe], 0.0)
    near = np.where(known, similarities, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
    return near, (weights * ratings).sum(axis=-1) / total, (weights * apart).sum(axis=-1) / total
