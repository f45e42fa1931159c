"""Errors over one request of a call, which name it by its place in the caller's call.

Whoever passes on a part of a call (a cache, workers, a student) passes the error on with
``for_row``: a place in a part says nothing to the caller. It knows no engine.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class RequestError(Exception):
    """A request cannot be answered.

    Attributes:
        row: of the caller's requests.
    """

    def __init__(self, row: int, said: str) -> None:
        """``said``: the text, with {row} where the row stands in it."""
        self.row, self._said = row, said
        super().__init__(said.replace("{row}", str(row), 1))

    def for_row(self, row: int) -> "RequestError":
        """The same error with the row of an outer caller."""
        return type(self)(row, self._said)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is the same error in another process."""
        return type(self), (self.row, self._said)


class LongPromptError(RequestError, ValueError):
    """A prompt is longer than the model's context."""


class NoNumberError(RequestError, FloatingPointError):
    """A model gave a score that is not a number."""


@contextmanager
def rows_of_caller(rows: Sequence[int]) -> Iterator[None]:
    """Errors over a request of a part name the caller's row: (r,) one for each of the part."""
    try:
        yield
    except RequestError as error:
        raise error.for_row(int(rows[error.row])) from None
