"""What an engine did so far, counted as it runs."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

_CALLS_KEPT = 10_000


@dataclass
class EngineStats:
    """Counts since the engine was made; ``EngineMeter`` gives what lies between two looks."""

    requests: int = 0
    prompt_tokens: int = 0  # tokens of all prompts, prefixes included
    cached_tokens: int = 0  # of these, tokens that were not run: cached, or asked twice in a call
    run_tokens: int = 0  # tokens that went through the model, padding included
    padding_tokens: int = 0  # of these, padding
    adapter_switches: int = 0
    model_seconds: float = 0.0  # in forward passes and in finding their prefixes
    flops: float = 0.0  # estimate: 2 x weights of the layers x real tokens run, attention left out
    splits: int = 0  # batches halved because memory ran out
    fallbacks: int = 0  # batches that the fast forward passed on to Hugging Face's
    calls: int = 0  # of ``score``; an environment makes one a step
    call_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))

    @property
    def padding_waste(self) -> float:
        """Share of the tokens run that were padding, in [0, 1]."""
        return self.padding_tokens / max(self.run_tokens, 1)

    @property
    def cached_share(self) -> float:
        """Share of the prompt tokens that were not run again, in [0, 1]."""
        return self.cached_tokens / max(self.prompt_tokens, 1)

    def add_run(self, real: int, padded: int, weights: int) -> None:
        """Count a pass over ``padded`` tokens, ``real`` of them real, through so many weights."""
        self.run_tokens += padded
        self.padding_tokens += padded - real
        self.flops += 2.0 * weights * real

    def add_call(self, seconds: float) -> None:
        """Count a call of ``score``; the seconds of the last 10,000 are kept."""
        self.calls += 1
        self.call_seconds.append(seconds)


class FailureStats(NamedTuple):
    """What an engine that goes on without some answers was asked so far, and did not answer."""

    requests: int
    failed: int


@dataclass
class FailureCount:
    """What all engines together that go on without some answers were asked, and did not answer."""

    requests: int = 0
    failed: int = 0


_COUNTS: ContextVar[tuple[FailureCount, ...]] = ContextVar("counts", default=())


@contextmanager
def failures_counted() -> Iterator[FailureCount]:
    """Counts what is asked inside, so that no run has to remember to report what failed."""
    count = FailureCount()
    token = _COUNTS.set((*_COUNTS.get(), count))
    try:
        yield count
    finally:
        _COUNTS.reset(token)


def count_answers(requests: int, failed: int) -> None:
    """Add a call to every count that is open."""
    for count in _COUNTS.get():
        count.requests += requests
        count.failed += failed


class AnswerStats(NamedTuple):
    """What an answer cache did so far; a request repeated within one call counts as a hit."""

    hits: int
    misses: int  # requests that went to the engine inside
    from_disk: int  # hits that memory did not have
    num_bytes: int  # held in memory

    @property
    def hit_rate(self) -> float:
        """Share of requests that cost nothing, in [0, 1]; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)
