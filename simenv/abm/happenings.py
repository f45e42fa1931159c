"""When things happen: Mesa's event list, with the shocks of the world on it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mesa.experimental.devs.eventlist import EventList, SimulationEvent

from simenv.abm.shocks import Shock, effects


class Happenings:
    """Events by tick. ``effects`` is what all shocks that act now add up to.

    It depends on shocks and tick alone, so a checkpoint needs neither.
    """

    def __init__(self, shocks: Sequence[Shock], num_items: int) -> None:
        self.shocks = tuple(shocks)
        self._num_items = num_items
        self._events, self._acting = EventList(), set[int]()
        self.effects = effects(self.shocks, self._acting, num_items)
        for place, shock in enumerate(self.shocks):
            wrong = [item for item in shock.items if not 0 <= item < num_items]
            if wrong:
                raise ValueError(
                    f"a {shock.kind} wanted items in [0, {num_items}), got {wrong[:5]};"
                    " choose items of this catalogue"
                )
            self.add(shock.tick, self._begin, place)
            if np.isfinite(shock.last):
                self.add(int(shock.last) + 1, self._end, place)

    def add(self, tick: int, function: Callable[..., Any], *args: Any) -> None:
        """Call ``function(*args)`` at ``tick``; it is held by a weak reference, as Mesa does."""
        self._events.add_event(SimulationEvent(tick, function, function_args=list(args)))

    def run(self, tick: int) -> None:
        """Everything that is due by ``tick``, in order."""
        while not self._events.is_empty() and self._events.peak_ahead()[0].time <= tick:
            self._events.pop_event().execute()

    def _begin(self, place: int) -> None:
        self._acting.add(place)
        self.effects = effects(self.shocks, self._acting, self._num_items)

    def _end(self, place: int) -> None:
        self._acting.remove(place)
        self.effects = effects(self.shocks, self._acting, self._num_items)
