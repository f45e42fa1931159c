"""What students were asked, counted as it happens, and for how much a language model was needed.

It knows no student: whoever runs something counts, and no run has to remember to report it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class StudentCount:
    """Questions to students, and those of them that a language model answered."""

    questions: int = 0
    asked: int = 0  # of the language model

    @property
    def share_asked(self) -> float:
        """Of the language model, in [0, 1]; 0 before the first question."""
        return self.asked / max(self.questions, 1)


_COUNTS: ContextVar[tuple[StudentCount, ...]] = ContextVar("students", default=())


@contextmanager
def students_counted() -> Iterator[StudentCount]:
    """Counts what all students together are asked inside."""
    count = StudentCount()
    token = _COUNTS.set((*_COUNTS.get(), count))
    try:
        yield count
    finally:
        _COUNTS.reset(token)


def count_questions(questions: int, asked: int) -> None:
    """Add a call to every count that is open."""
    for count in _COUNTS.get():
        count.questions += questions
        count.asked += asked
