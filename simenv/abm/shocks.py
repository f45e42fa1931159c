"""What happens from outside: holidays, scandals, viral items, releases and withdrawals."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from simenv.events import BoolArray, FloatArray
from simenv.ranges import check_number

Kind = Literal["holiday", "scandal", "viral", "release", "withdrawal"]

_ANY = "(-inf, inf)", "give a number"
_SIZES: dict[Kind, tuple[str, str]] = {
    "holiday": ("[0, inf)", "it multiplies how many people come"),
    "scandal": ("(-inf, inf)", "it is taken from the stars"),
    "viral": ("[0, 1]", "it is a chance"),
    "release": _ANY,
    "withdrawal": _ANY,
}  # range and cure


@dataclass(frozen=True)
class Shock:
    """One event with a known effect.

    Args:
        kind: ``holiday`` multiplies how many people come by ``size``; ``scandal`` takes ``size``
            stars from everybody's liking of the items; ``viral`` puts the items before everybody
            who is awake with chance ``size``; ``release`` makes the items available at ``tick`` and
            not before; ``withdrawal`` takes them away.
        tick: the first tick of the effect, at least 1.
        ticks: how many ticks it lasts; releases last for ever, and so does what has ``None``.
        items: item ids; a holiday needs none.
        size: see ``kind``.
    """

    kind: Kind
    tick: int
    ticks: int | None = None
    items: tuple[int, ...] = ()
    size: float = 1.0

    def __post_init__(self) -> None:
        for item in self.items:
            check_number("Shock", "items", item, "whole [0, inf)", "name item ids")
        object.__setattr__(self, "items", tuple(int(item) for item in self.items))
        if self.kind not in get_args(Kind):
            raise ValueError(
                f"Shock wanted a kind among {list(get_args(Kind))}, got {self.kind!r};"
                " check the spelling"
            )
        for name in ("tick", "ticks"):
            if name == "tick" or self.ticks is not None:
                value = getattr(self, name)
                check_number("Shock", name, value, "whole [1, inf)", "the first tick is 1")
        check_number("Shock", f"the size of a {self.kind}", self.size, *_SIZES[self.kind])
        if self.kind != "holiday" and not self.items:
            raise ValueError(f"Shock wanted the items of a {self.kind}, got none; name them")

    @property
    def last(self) -> float:
        """The last tick of the effect; inf = for ever."""
        endless = self.ticks is None or self.kind == "release"
        return np.inf if endless else self.tick + (self.ticks or 0) - 1


class Effects(NamedTuple):
    """What all shocks that act now add up to; ``I`` items."""

    boost: float  # factor on how many people come
    shift: FloatArray  # (I,) stars added to everybody's liking
    viral: dict[int, float]  # item → chance of being put before somebody awake
    available: BoolArray  # (I,)


def effects(shocks: Iterable[Shock], acting: set[int], num_items: int) -> Effects:
    """The effects of the shocks whose places are in ``acting``."""
    boost, shift = 1.0, np.zeros(num_items)
    viral: dict[int, float] = {}
    available = np.ones(num_items, dtype=np.bool_)
    for place, shock in enumerate(shocks):
        chosen = np.array(shock.items, dtype=np.int64)
        if shock.kind == "release":
            available[chosen] = place in acting
        elif place in acting:
            if shock.kind == "holiday":
                boost *= shock.size
            elif shock.kind == "scandal":
                np.subtract.at(shift, chosen, shock.size)
            elif shock.kind == "viral":
                viral |= dict.fromkeys(shock.items, shock.size)
            else:
                available[chosen] = False
    return Effects(boost, shift, viral, available)
