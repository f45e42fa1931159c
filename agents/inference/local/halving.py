"""Runs a batch that memory may not hold, in halves; it knows no model."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from simenv.events import IntArray

_Out = TypeVar("_Out")


def by_halves(rows: IntArray, run: Callable[[IntArray], _Out]) -> list[_Out]:
    """What ``run`` makes of the rows, in order, in as few parts as memory allows.

    Raises:
        MemoryError: a single row is more than the memory holds. Other errors pass through.
    """
    try:
        return [run(rows)]
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(rows) == 1:
            raise MemoryError(
                f"request {rows[0]} alone ({error}) is more than the memory holds"
            ) from error
    return [part for half in np.array_split(rows, 2) for part in by_halves(half, run)]


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()  # torch.OutOfMemoryError on a GPU says so too
    return (
        isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
    )
