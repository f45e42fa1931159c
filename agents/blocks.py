"""From people to blocks: the texts that are read once, and the cue that each question costs.

The counterpart of ``suffixes`` for models that read in blocks (``PromptStyle.reading``). It knows
no model and no tokens.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from agents.inference.engine import EngineFacts, Past, PastDecision
from agents.memory.base import Memory
from agents.peers import Peers
from agents.persona import Persona, stars_apart
from agents.prompt_budget import Budget
from agents.prompt_style import PromptStyle
from agents.prompts import Recollection, cue_words, item_line, memory_block
from agents.suffixes import ToldNumbers
from simenv.catalog import Catalog
from simenv.events import BoolArray, IntArray
from simenv.item_averages import ItemAverages

_UNTOLD = "-"  # stands where a number would


def can_read(style: PromptStyle, facts: EngineFacts) -> bool:
    """Whether an engine reads as people are told."""
    return style.reading == "whole" or facts.reads_blocks


def check_reading(name: str, style: PromptStyle, facts: EngineFacts) -> None:
    """Raise unless an engine reads as a population's people are told.

    Raises:
        ValueError: it does not.
    """
    if not can_read(style, facts):
        raise ValueError(
            f"population {name!r} is told in blocks, and {facts.description!r} reads whole prompts;"
            " use engine=local with the population's own model, or people who are read in whole"
            " prompts, such as population='pocket'"
        )


class BlockWriter:
    """Writes blocks and cues; texts of items and memories are kept."""

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
        self.catalog, self.averages, self.memory, self.style = catalog, averages, memory, style
        self.numbers = ToldNumbers(catalog, averages, personas, style, peers)
        self._budget = budget
        self._thought = averages  # when memories were made; a text that moves would be read anew
        self._item_texts: dict[int, str] = {}
        self._pasts: dict[int, Past] = {}

    def meet(self, user: int, persona: Persona) -> None:
        """``user`` is ``persona`` from now on."""
        self.numbers.meet(user, persona)

    def hear(self, averages: ItemAverages) -> None:
        """People now think otherwise of the items; memories keep what was thought before."""
        self.averages = self.numbers.averages = averages

    def item(self, item: int) -> str:
        """The text of an item's block."""
        if item not in self._item_texts:
            self._item_texts[item] = item_line(self.catalog, item, self.style, self._budget)
        return self._item_texts[item]

    def past(self, user: int) -> Past:
        """The latest memories of a user, as many as the style attends to."""
        if not self.style.attended:
            return ()
        if user not in self._pasts:
            self._pasts[user] = self._written(user)
        return self._pasts[user]

    def forget_pasts(self, users: Iterable[int] | None = None) -> None:
        """The memories of some users, or of all, are others now."""
        for user in list(self._pasts) if users is None else users:
            self._pasts.pop(user, None)

    def _written(self, user: int) -> Past:
        kind, in_words = self.catalog.kind, self.style.told == "words"
        return tuple(
            PastDecision(
                self.item(item),
                memory_block(self._thought, Recollection(item, stars, why), kind, in_words),
            )
            for item, stars, why in self.memory.decisions(user)[-self.style.attended :]
        )

    def cues(self, users: IntArray, items: IntArray, chosen: BoolArray | bool = False) -> list[str]:
        """Cues of users (n,) for items (n, k), row by row: n·k texts; changes no memory.

        Args:
            users: (n,) whom to ask.
            items: (n, k) about which items.
            chosen: (n, k) or one for all: see ``SuffixWriter.write``.
        """
        columns = [*self._gists(users, items), *self._tastes(users, items)]
        peers = self.numbers.peers(users, items)
        if peers is not None:
            columns.append([f"{stars:.1f}" for stars in peers.tolist()])
        picked = np.broadcast_to(chosen, items.shape).reshape(-1).tolist()
        told = zip(*columns, strict=True)
        return [
            cue_words(numbers, self.averages, item, own)
            for numbers, item, own in zip(told, items.reshape(-1).tolist(), picked, strict=True)
        ]

    def _gists(self, users: IntArray, items: IntArray) -> list[list[str]]:
        """Closeness, own and apart, of what is like each item."""
        untold = [[_UNTOLD] * items.size] * 3
        if not (self.style.numbers and self.style.gist):
            return untold
        gists = self.numbers.gists(self.memory.recall(users, items, self.style.gist))
        if gists is None:
            return untold
        near, own, apart, known = (column.tolist() for column in gists)
        return [
            [f"{x:.1f}" if k else _UNTOLD for x, k in zip(near, known, strict=True)],
            [f"{x:.1f}" if k else _UNTOLD for x, k in zip(own, known, strict=True)],
            [stars_apart(x) if k else _UNTOLD for x, k in zip(apart, known, strict=True)],
        ]

    def _tastes(self, users: IntArray, items: IntArray) -> list[list[str]]:
        """Taste of the genres, and level."""
        if not self.numbers.tells_tastes:
            return [[_UNTOLD] * items.size] * 2
        tastes = self.numbers.tastes(users, items)
        levels = self.numbers.levels(users, items.shape[1])
        return [[stars_apart(x) for x in column.tolist()] for column in (tastes, levels)]
