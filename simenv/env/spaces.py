"""What an environment shows and takes: observation and action spaces, and the checks of actions.

Letters: ``n`` users in the batch, ``k`` slate places, ``h`` history length. No dynamics here.
"""

from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.events import BoolArray, IntArray
from simenv.ranges import as_array, is_whole


class SlateSpace(spaces.MultiDiscrete[np.int64]):
    """Item ids in ``[0, num_items)`` that do not repeat along the last axis (the k places).

    It is ``MultiDiscrete([num_items] * k)`` to every learner; only ``sample`` and ``contains`` know
    that a slate shows an item once, so that random and checked actions are actions we accept.
    """

    def __init__(
        self,
        num_items: int,
        shape: tuple[int, ...],
        seed: int | np.random.Generator | None = None,
    ) -> None:
        if shape[-1] > num_items:
            raise ValueError(
                f"a slate of {shape[-1]} places wants at least as many items, got a catalogue of"
                f" {num_items}; use a smaller slate_size or a larger catalogue"
            )
        super().__init__(np.full(shape, num_items, dtype=np.int64), np.int64, seed=seed)
        self.num_items = num_items

    def sample(
        self,
        mask: tuple[Any, ...] | None = None,
        probability: tuple[Any, ...] | None = None,
    ) -> IntArray:
        """Uniform distinct slates; with a mask or probability the places are drawn one by one."""
        if mask is not None or probability is not None:
            return np.asarray(super().sample(mask, probability), dtype=np.int64)
        places = self.shape[-1]
        num_rows = int(np.prod(self.shape[:-1], dtype=np.int64))
        if self.num_items < places**2:  # few items: repeats are the rule, so shuffle instead
            order = self.np_random.random((num_rows, self.num_items)).argsort(axis=1)
            return order[:, :places].reshape(self.shape)
        rows = self.np_random.integers(0, self.num_items, (num_rows, places))
        while (bad := find_repeats(rows)).any():
            rows[bad] = self.np_random.integers(0, self.num_items, (int(bad.sum()), places))
        return rows.reshape(self.shape)

    def contains(self, x: Any) -> bool:
        """Whether ``x`` has our shape and range and repeats no item within a slate."""
        if not super().contains(x):
            return False
        return not bool(find_repeats(np.asarray(x).reshape(-1, self.shape[-1])).any())

    def __repr__(self) -> str:
        return f"SlateSpace({self.num_items}, {self.shape})"


@batch_space.register(SlateSpace)
def _batch_slates(space: SlateSpace, n: int = 1) -> SlateSpace:
    return SlateSpace(space.num_items, (n, *space.shape), seed=deepcopy(space.np_random))


def build_observation_space(
    num_users: int, num_items: int, history_length: int, max_days: float | None = None
) -> spaces.Dict:
    """What one row sees: who is there, what the episode has shown so far, and how far it is.

    ``history_items`` (h,) runs from the oldest to the most recent (last) shown item, -1 where
    empty; ``history_ratings`` (h,) holds their stars, 0 = shown but not taken, or empty. ``days``
    (1,) is there where an episode is a life: how long ago it began.
    """
    parts: dict[str, spaces.Space[Any]] = {
        "user": spaces.Discrete(num_users),
        "history_items": spaces.Box(-1, num_items - 1, (history_length,), np.int64),
        "history_ratings": spaces.Box(0.0, 5.0, (history_length,), np.float32),
        "progress": spaces.Box(0.0, 1.0, (1,), np.float32),
    }
    if max_days is not None:
        parts["days"] = spaces.Box(0.0, max_days, (1,), np.float32)
    return spaces.Dict(parts)


def build_action_space(num_items: int, slate_size: int, repeats: str) -> spaces.MultiDiscrete[Any]:
    """One slate (k,); if repeats are replaced rather than refused, any MultiDiscrete will do."""
    if repeats == "raise":
        return SlateSpace(num_items, (slate_size,))
    SlateSpace(num_items, (slate_size,))  # the same check of the sizes
    return spaces.MultiDiscrete(np.full(slate_size, num_items, dtype=np.int64))


def check_actions(
    actions: Any,
    shape: tuple[int, int],
    size: int,
    live: BoolArray,
    repeats: str,
    noun: str = "item ids",
) -> IntArray:
    """Actions as (n, k) int64, or an error that says what is wrong with them.

    Args:
        actions: what came; not changed.
        shape: (n, k) wanted.
        size: ids must lie in ``[0, size)``.
        live: (n,) rows whose action counts; the others may hold anything.
        repeats: "raise" refuses an item twice in a slate, "replace" shows the next free item.
        noun: what the numbers are, for errors.

    Raises:
        ValueError: shape, dtype, range or a repeat.
    """
    items = _whole_numbers(actions, shape, noun)
    wrong = ((items < 0) | (items >= size)) & live[:, None]
    if wrong.any():
        row, place = np.argwhere(wrong)[0]
        raise ValueError(
            f"step wanted {noun} in [0, {size}), got {as_array(actions)[row, place]} in row {row},"
            f" place {place}; choose among these {size} only"
        )
    if repeats == "replace":
        return replace_repeats(items, size)
    repeated = find_repeats(items) & live
    if repeated.any():
        row = int(np.argmax(repeated))
        raise ValueError(
            f"step wanted distinct items within a slate, got {items[row].tolist()} in row {row};"
            " rank without repeats or build the environment with repeats='replace'"
        )
    return items


def _whole_numbers(actions: Any, shape: tuple[int, int], noun: str) -> IntArray:
    array = as_array(actions)
    if array.shape != shape:
        raise ValueError(
            f"step wanted actions of shape (num_envs, slate_size) = {shape}, got {array.shape};"
            f" give one row of {noun} for every environment"
        )
    if not is_whole(array):
        raise ValueError(
            f"step wanted integer {noun}, got dtype {array.dtype};"
            " convert the actions with .astype(np.int64)"
        )
    return array.astype(np.int64)


def find_repeats(rows: NDArray[np.int64]) -> BoolArray:
    """(n,) true where a row (n, k) holds some value twice."""
    ordered = np.sort(rows, axis=1)
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def replace_repeats(choices: NDArray[np.int64], size: int) -> IntArray:
    """Choices (n, k) in ``[0, size)`` where a repeat gives way to the next free number, cyclically.

    The first occurrence stays; rows without repeats come back as they are. Needs ``k <= size``.
    """
    fixed = choices.copy()
    bad = np.flatnonzero(find_repeats(fixed))
    for place in range(1, fixed.shape[1]):
        clash = bad
        while len(clash := clash[_met_before(fixed[clash], place)]):
            fixed[clash, place] = (fixed[clash, place] + 1) % size
    return fixed


def _met_before(rows: IntArray, place: int) -> BoolArray:
    return np.asarray((rows[:, :place] == rows[:, place, None]).any(axis=1))
