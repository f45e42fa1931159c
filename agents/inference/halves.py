"""A batch for which memory runs out is halved until memory holds it. It knows no engine."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from agents.inference.named_rows import RequestError
from simenv.events import IntArray

_Out = TypeVar("_Out")


class TooLargeAloneError(RequestError, MemoryError):
    """One row alone is more than the memory holds."""

    def __init__(self, row: int, error: Exception) -> None:
        self.why = str(getattr(error, "why", error))
        super().__init__(
            row,
            f"request {{row}} alone ({self.why}) is more than the memory holds; recall fewer"
            " memories, use a smaller model, or lower cache_bytes",
        )

    def for_row(self, row: int) -> "TooLargeAloneError":
        """See ``RequestError.for_row``."""
        return type(self)(row, self)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is the same error in another process."""
        return type(self), (self.row, MemoryError(self.why))


def by_halves(rows: IntArray, run: Callable[[IntArray], _Out]) -> list[_Out]:
    """What ``run`` makes of the rows, in order, in as few parts as memory allows.

    Args:
        rows: (n,) of requests.
        run: computes some of them.

    Raises:
        TooLargeAloneError: memory does not hold one of them alone.
    """
    try:
        return [run(rows)]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(rows) == 1:
            raise TooLargeAloneError(int(rows[0]), error) from error
    return [part for half in np.array_split(rows, 2) for part in by_halves(half, run)]


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, of this machine or of a GPU."""
    text = str(error).lower()  # torch.OutOfMemoryError on a GPU says so too
    return (
        isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
    )
