"""Parts of a report that may fail alone: the rest is written, and the failure is said everywhere.

It knows no experiment. What everything else rests on is no such part.
"""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Parts:
    """Computes parts and remembers which failed.

    Attributes:
        failures: {part, message} of every part that failed, in order; JSON values.
    """

    def __init__(self) -> None:
        self.failures: list[dict[str, str]] = []

    def get(self, part: str, compute: Callable[[], T], otherwise: T) -> T:
        """What ``compute`` returns; ``otherwise`` where it raises, and the failure is kept."""
        try:
            return compute()
        except Exception as error:  # whatever one part does wrong, the others are paid for
            self.failures.append({"part": part, "message": f"{type(error).__name__}: {error}"})
            return otherwise

    @property
    def error(self) -> str | None:
        """What the run ends with, after everything else was written; None = nothing failed."""
        return failed_parts(self.failures) or None


def failed_parts(failures: list[dict[str, Any]]) -> str:
    """The failures as a sentence for pages, terminals and errors; empty where there are none."""
    if not failures:
        return ""
    texts = "; ".join(f"{one['part']} ({one['message']})" for one in failures)
    return (
        f"These parts failed and are missing: {texts}. What was answered is kept: the same command"
        " with the same output_dir asks only for the rest."
    )
