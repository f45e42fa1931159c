"""Which items may be shown next: masks over the catalogue, or over the candidates on offer.

A ``View`` beside the others; it changes no dynamics, and what a mask forbids the environment would
still show. Letters: ``n`` rows, ``k`` slate places, ``c`` candidates (or all items), ``h`` history.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from simenv.events import BoolArray, IntArray, InteractionLog
from simenv.ranges import as_array

Mask = NDArray[np.int8]


class Masked:
    """Adds ``action_mask`` (c,): 1 where an action's item may be shown, 0 where it may not.

    Over the ``candidates`` of an observation where it has them (put ``CandidateSet`` inside), else
    over the catalogue. Its cost follows c and the history, not the catalogue.

    Args:
        num_items: of the catalogue.
        met: what users met before, which is not to be shown again; None = nothing.
        allowed: (num_items,) whether an item can be shown at all, such as what is in stock; kept
            and not copied, so it may change between steps. None = every item.
        num_places: k; a row that allows fewer is an error.

    Raises:
        ValueError: ``met`` or ``allowed`` is of another catalogue.
    """

    def __init__(
        self,
        num_items: int,
        met: InteractionLog | None = None,
        allowed: BoolArray | None = None,
        num_places: int = 1,
    ) -> None:
        if met is not None and met.num_items != num_items:
            raise ValueError(
                f"Masked wanted a log over {num_items} items, got one over {met.num_items};"
                " give the log of this catalogue"
            )
        if allowed is not None:
            came = as_array(allowed)
            if came.shape != (num_items,) or came.dtype != np.bool_:
                raise ValueError(
                    f"Masked wanted allowed as {num_items} truth values, got {came.dtype} of shape"
                    f" {came.shape}; give one an item"
                )
        self._num_items = num_items
        self._allowed = allowed
        self._num_places = num_places
        self._met = (
            np.zeros(0, dtype=np.int64)
            if met is None
            else np.unique(met.users * num_items + met.items)
        )

    def space(self, space: spaces.Dict) -> spaces.Dict:
        """See ``View``."""
        offered = space.spaces.get("candidates")
        width = self._num_items if offered is None else int(np.prod(offered.shape or ()))
        return spaces.Dict({**space.spaces, "action_mask": spaces.MultiBinary(width)})

    def look(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """See ``View``.

        Raises:
            ValueError: a row allows fewer items than a slate has places.
        """
        return dict(observation) | {"action_mask": self._mask(observation)}

    def _mask(self, observation: Mapping[str, Any]) -> Mask:
        """(n, c) 1 = may be shown."""
        users = np.asarray(observation["user"], dtype=np.int64).reshape(-1)
        history = np.asarray(observation["history_items"], dtype=np.int64)
        items: IntArray = np.asarray(
            observation.get("candidates", np.arange(self._num_items)[None]), dtype=np.int64
        )
        items = np.broadcast_to(items, (len(users), items.shape[-1]))
        rows = np.arange(len(users))[:, None] * self._num_items
        shown = (history + rows)[history >= 0]
        free = ~np.isin(items + rows, shown)
        free &= ~np.isin(items + users[:, None] * self._num_items, self._met)
        if self._allowed is not None:
            free &= self._allowed[items]
        few = np.flatnonzero(free.sum(axis=1) < self._num_places)
        if len(few):
            raise ValueError(
                f"a mask wanted at least {self._num_places} items that may be shown, got"
                f" {int(free[few[0]].sum())} for user {users[few[0]]}; offer more candidates,"
                " shorten the session, or allow more"
            )
        return free.astype(np.int8)


def flat_masks(observation: Mapping[str, Any], num_places: int) -> BoolArray:
    """Masks (n, k·c) as learners over ``MultiDiscrete`` slates want them, place after place.

    MaskablePPO of sb3-contrib takes them from ``action_masks()`` of an environment; Gymnasium's
    spaces take ``(mask,) * k`` in ``sample``. Every place has the same mask: that a slate holds an
    item once is the environment's ``repeats="replace"``.

    Args:
        observation: batched, or one row, with ``action_mask``.
        num_places: k.
    """
    masks = np.atleast_2d(np.asarray(observation["action_mask"], dtype=np.bool_))
    return np.tile(masks, (1, num_places))
