"""Work in parts that may be done elsewhere: what a part is, and whose fault an error was.

Ray's workers are what spreads it (``RayTasks``); Ray itself is not imported here.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from agents.inference.ray.tasks import Begins, Outcome, Task

Spread = Callable[[Mapping[str, Task], Begins | None], Iterator[Outcome]]
"""Runs parts by name somewhere, some at once; they come back as they end."""
Workers = AbstractContextManager[Spread | None]
"""Gives what spreads, and ends its workers; None = this process does everything itself."""
IN_THIS_PROCESS: Workers = nullcontext()


def one_by_one(parts: Mapping[str, Task], begins: Begins | None = None) -> Iterator[Outcome]:
    """A ``Spread`` that runs every part here, in the order given."""
    for name, part in parts.items():
        if begins:
            begins(name)
        yield Outcome(name, part())


def values_of(parts: Iterator[Outcome]) -> Iterator[tuple[str, Any]]:
    """Name and value of every part, as they end.

    Raises:
        Exception: the first error of a part, with the part's name before its text.
    """
    for part in parts:
        if part.error is not None:
            raise named(part.error, part.name)
        yield part.name, part.value


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Errors inside are said to be of a part, as those of ``values_of`` are."""
    try:
        yield
    except Exception as error:
        raise named(error, name)  # noqa: B904  it is the same error


def named(error: Exception, name: str) -> Exception:
    """The error with the name of a part before its text, where it has a text alone.

    >>> str(named(ValueError("no rows"), "adapter persona-2"))
    'adapter persona-2: no rows'
    """
    if len(error.args) == 1 and str(error) == error.args[0]:
        error.args = (f"{name}: {error.args[0]}",)
    else:
        error.add_note(f"of {name}")
    return error
