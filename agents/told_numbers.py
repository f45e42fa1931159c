"""What Ms and Ml say of an item in numbers: tastes, level, what recalled memories amount to, peers.

It knows no words and no prompts; ``suffixes`` and ``blocks`` write the numbers down.
"""

from collections.abc import Sequence

import numpy as np

from agents.memory.base import Recalled
from agents.peers import Peers
from agents.persona import Persona
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.events import BoolArray, FloatArray, IntArray
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
        found = summed_up(self.averages.fair, items, ratings, near)
        any_ = (items >= 0).any(axis=-1).reshape(-1)
        return (*(x.reshape(-1) for x in found), any_)


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
