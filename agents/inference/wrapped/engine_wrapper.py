"""An engine around another: everything it does not change comes from the engine inside.

It knows no concrete engine.
"""

from collections.abc import Mapping, Sequence

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.stats import AnswerStats, EngineStats, FailureStats
from simenv.events import FloatArray


class EngineWrapper(Engine):
    """Forwards all that ``Engine`` declares; subclasses override what they change.

    Args:
        inner: the engine that answers; closed with this one.
    """

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

    @property
    def facts(self) -> EngineFacts:
        """Of the engine inside."""
        return self.inner.facts

    @property
    def stats(self) -> EngineStats | None:
        """Of the engine inside."""
        return self.inner.stats

    @property
    def answer_stats(self) -> AnswerStats | None:
        """Of the engine inside."""
        return self.inner.answer_stats

    @property
    def failure_stats(self) -> FailureStats | None:
        """Of the engine inside."""
        return self.inner.failure_stats

    @property
    def last_failures(self) -> Mapping[int, str]:
        """Of the engine inside."""
        return self.inner.last_failures

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``."""
        return self.inner.score(requests, choices)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``."""
        return self.inner.generate(requests, sampling)

    def close(self) -> None:
        """Close the engine inside."""
        self.inner.close()


def refuse_masked_failures(inner: Engine, keeps: str) -> None:
    """Raise if an engine hides failed requests where answers are kept.

    Args:
        inner: the engine inside.
        keeps: what would keep them, for the message.

    Raises:
        ValueError: it does.
    """
    if inner.facts.masks_failures:
        raise ValueError(
            f"{keeps} wanted an engine whose failures are errors, got one that goes on without"
            " the answers; put the tolerance outside: TolerantEngine(CachedEngine(…))"
        )
