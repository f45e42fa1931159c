"""Goes on where some requests fail; it knows no server and no model."""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.failures import Answers, FailedRequestsError
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from simenv.events import FloatArray

_LOG = logging.getLogger(__name__)


class TolerantEngine(EngineWrapper):
    """Gives failed requests a uniform distribution (or empty text) instead of raising.

    Who failed is never silent: every call logs a warning with the count and keeps the rows in
    ``last_failures``. Put it outside a cache, never inside, or stand-ins would be cached.

    Args:
        inner: the engine that may raise ``FailedRequestsError``.
    """

    def __init__(self, inner: Engine) -> None:
        super().__init__(inner)
        self.num_failures = 0  # since construction
        self._last_failures: Mapping[int, str] = {}

    @property
    def facts(self) -> EngineFacts:
        """Of the engine inside; the description counts the failures so far."""
        inner = self.inner.facts
        failed = f", {self.num_failures} answers missing" if self.num_failures else ""
        return inner._replace(description=inner.description + failed, masks_failures=True)

    @property
    def last_failures(self) -> Mapping[int, str]:
        """Row of the last call → why it failed."""
        return self._last_failures

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            FailedRequestsError: no request was answered at all.
        """
        self._last_failures = {}
        try:
            return self.inner.score(requests, choices)
        except FailedRequestsError as error:
            return np.asarray(self._tolerated(error))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does."""
        self._last_failures = {}
        try:
            return self.inner.generate(requests, sampling)
        except FailedRequestsError as error:
            return list(self._tolerated(error))

    def _tolerated(self, error: FailedRequestsError) -> Answers:
        if len(error.failures) == len(error.answers):
            raise error
        self._last_failures = error.failures
        self.num_failures += len(error.failures)
        _LOG.warning("%d of %d requests failed", len(error.failures), len(error.answers))
        return error.answers


def tolerant_engine(
    model: str, adapters: Mapping[str, str] | None = None, *, engine: Callable[..., Engine]
) -> TolerantEngine:
    """Tolerance around the engine that ``engine(model, adapters=…)`` makes; for configs."""
    return TolerantEngine(engine(model, adapters=adapters))
