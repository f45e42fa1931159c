"""When some requests fail and others do not: the error that keeps the answers.

It knows no server and no model.
"""

from collections.abc import Mapping
from typing import Any

from agents.inference.engine import Completion
from simenv.events import FloatArray

Answers = FloatArray | list[Completion]


class FailedRequestsError(RuntimeError):
    """Some requests of a call got no answer; those of all others are kept.

    Attributes:
        failures: row of the caller's requests → why it failed.
        answers: the whole answer, (n, c) or n completions; a failed row is NaN, or empty text.
        where: who failed to answer, for the message.
    """

    def __init__(self, failures: Mapping[int, str], answers: Answers, where: str) -> None:
        self.failures = dict(sorted(failures.items()))
        self.answers = answers
        self.where = where
        super().__init__(
            f"{self.summary}. The other answers are in this error's .answers; ask again for the"
            " rows in .failures, or go on without them: engine=tolerant, TolerantEngine(…)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is the same error in another process."""
        return type(self), (self.failures, self.answers, self.where)

    @property
    def summary(self) -> str:
        """How many failed where, and why the first did."""
        row, reason = next(iter(self.failures.items()))
        count = f"{len(self.failures)} of {len(self.answers)} requests failed on {self.where}"
        return f"{count}; request {row}: {reason}"

    def for_rows(self, failures: Mapping[int, str], answers: Answers) -> "FailedRequestsError":
        """The same error with the rows and answers of an outer caller."""
        return type(self)(failures, answers, self.where)


class DeadServerError(FailedRequestsError, ConnectionError):
    """The server stopped answering anyone; requests that were not sent count as failed."""
