"""When some requests fail and others do not: the error that keeps the answers, and tolerance of it.

It knows no server and no model.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from agents.inference.engine import Completion, Engine, Request, Sampling
from simenv.events import FloatArray

_LOG = logging.getLogger(__name__)

Answers = FloatArray | list[Completion]


class FailedRequestsError(RuntimeError):
    """Some requests of a call got no answer; those of all others are kept.

    Attributes:
        failures: row of the caller's requests → why it failed.
        answers: the whole answer, (n, c) or n completions; a failed row is uniform, or empty text.
        where: who failed to answer, for the message.
    """

    def __init__(self, failures: Mapping[int, str], answers: Answers, where: str) -> None:
        self.failures = dict(sorted(failures.items()))
        self.answers = answers
        self.where = where
        row, reason = next(iter(self.failures.items()))
        super().__init__(
            f"{len(self.failures)} of {len(answers)} requests failed on {where}; request {row}:"
            f" {reason}. The other answers are in this error's .answers; ask again for the rows in"
            " .failures, or wrap the engine in TolerantEngine"
        )

    def for_rows(self, failures: Mapping[int, str], answers: Answers) -> "FailedRequestsError":
        """The same error told for the requests of an outer caller."""
        return type(self)(failures, answers, self.where)


class DeadServerError(FailedRequestsError, ConnectionError):
    """The server stopped answering anyone; requests that were not sent count as failed."""


class TolerantEngine:
    """Gives failed requests a uniform distribution (or empty text) instead of raising.

    Who failed is never silent: every call logs a warning with the count and keeps the rows in
    ``last_failures``. Put it outside a cache, never inside, or stand-ins would be cached.

    Args:
        inner: the engine that may raise ``FailedRequestsError``.
    """

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.last_failures: dict[int, str] = {}  # row of the last call → why
        self.num_failures = 0  # since construction

    @property
    def description(self) -> str:
        """Of the engine inside, with the failures so far."""
        failed = f", {self.num_failures} answers missing" if self.num_failures else ""
        return f"{self.inner.description}{failed}"

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            FailedRequestsError: no request was answered at all.
        """
        self.last_failures = {}
        try:
            return self.inner.score(requests, choices)
        except FailedRequestsError as error:
            return np.asarray(self._tolerated(error))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does."""
        self.last_failures = {}
        try:
            return self.inner.generate(requests, sampling)
        except FailedRequestsError as error:
            return list(self._tolerated(error))

    def close(self) -> None:
        """Close the engine inside."""
        self.inner.close()

    def _tolerated(self, error: FailedRequestsError) -> Answers:
        if len(error.failures) == len(error.answers):
            raise error
        self.last_failures = error.failures
        self.num_failures += len(error.failures)
        _LOG.warning("%d of %d requests failed", len(error.failures), len(error.answers))
        return error.answers


def tolerant_engine(
    model: str, adapters: Mapping[str, str] | None = None, *, engine: Callable[..., Engine]
) -> TolerantEngine:
    """Tolerance around the engine that ``engine(model, adapters=…)`` makes; for configs."""
    return TolerantEngine(engine(model, adapters=adapters))
