"""Goes on where some requests fail; it knows no server and no model."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.failures import DeadServerError, FailedRequestsError
from agents.inference.stats import FailureStats, count_answers
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.inference.wrapped.proper_rows import proper_or_failed
from simenv.events import FloatArray

_LOG = logging.getLogger(__name__)


class TolerantEngine(EngineWrapper):
    """Answers a failed request with a row of NaN (or empty text) instead of raising.

    Nothing is invented: users do not take, rate or remember what they gave no answer to. Every
    call with failures logs a warning with the count and keeps the rows in ``last_failures``. Put it
    outside a cache, never inside.

    Args:
        inner: the engine that may raise ``FailedRequestsError``.

    Attributes:
        num_requests: since construction.
        num_failures: of these, without an answer.
    """

    def __init__(self, inner: Engine) -> None:
        super().__init__(inner)
        self.num_requests = self.num_failures = 0
        self._last_failures: Mapping[int, str] = {}

    @property
    def facts(self) -> EngineFacts:
        """Of the engine inside; the description counts the failures so far."""
        inner, failed = self.inner.facts, ""
        if self.num_failures:
            share = 100 * self.num_failures / self.num_requests
            failed = f", {self.num_failures} of {self.num_requests} answers failed ({share:.2g} %)"
        return inner._replace(description=inner.description + failed, masks_failures=True)

    @property
    def failure_stats(self) -> FailureStats:
        """Counts since construction."""
        return FailureStats(self.num_requests, self.num_failures)

    @property
    def last_failures(self) -> Mapping[int, str]:
        """Row of the last call → why it failed."""
        return self._last_failures

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            FailedRequestsError: no request was answered, of this call and of all before it; or of
                this call, and the server is gone.
        """
        inside, who = partial(self.inner.score, requests, choices), self.inner.description
        ask = partial(proper_or_failed, inside, len(requests), len(choices), who)
        return np.asarray(self._tolerated(len(requests), ask))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does."""
        ask = partial(self.inner.generate, requests, sampling)
        return list(self._tolerated(len(requests), ask))

    def _tolerated(self, num_requests: int, ask: Callable[[], Any]) -> Any:
        self._last_failures = {}
        try:
            found = ask()
        except FailedRequestsError as error:
            nobody = len(error.failures) == num_requests
            if nobody and (isinstance(error, DeadServerError) or not self._num_answered):
                raise
            self._last_failures, found = error.failures, error.answers
            self.num_failures += len(error.failures)
            _LOG.warning("%s", error.summary)
        self.num_requests += num_requests
        count_answers(num_requests, len(self._last_failures))
        return found

    @property
    def _num_answered(self) -> int:
        return self.num_requests - self.num_failures


def tolerant_engine(
    model: str, adapters: Mapping[str, str] | None = None, *, engine: Callable[..., Engine]
) -> TolerantEngine:
    """Tolerance around the engine that ``engine(model, adapters=…)`` makes; for configs."""
    return TolerantEngine(engine(model, adapters=adapters))
