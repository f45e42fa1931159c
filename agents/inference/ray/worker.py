"""What runs in a process of its own: an engine, and what a call of it came to. It knows no Ray.

What goes back is a value in every case, an error too: a call that raises and a process that died
must not look alike.
"""

import copy
import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from agents.inference.engine import Engine, EngineFacts, Request, Sampling
from agents.inference.failures import Answers
from agents.inference.stats import AnswerStats, EngineStats

MakeWorkerEngine = Callable[[], Engine]
NOT_SUMMED = "call_seconds"  # of a whole call, which no worker sees


class Started(NamedTuple):
    """A worker that has its engine, or why it has none."""

    pid: int
    facts: EngineFacts
    counts: bool = False  # whether the engine counts what it does
    keeps_answers: bool = False  # whether it has an answer cache
    error: Exception | None = None


class Reply(NamedTuple):
    """What came of one part of a call."""

    answers: Answers | None  # None where the call raised
    error: Exception | None = None
    counts: EngineStats | None = None  # of this part alone; None where the engine does not count
    cached: AnswerStats | None = None  # of this part alone, but for the bytes held


class EngineWorker:
    """Holds an engine in this process.

    Args:
        make: makes it, when it is first needed.
    """

    def __init__(self, make: MakeWorkerEngine) -> None:
        self._make = make
        self._engine: Engine | None = None

    def start(self) -> Started:
        """Make the engine, if it is not there."""
        try:
            engine = self._held()
        except Exception as error:
            return Started(os.getpid(), EngineFacts(""), error=portable(error))
        kept = engine.stats is not None, engine.answer_stats is not None
        return Started(os.getpid(), engine.facts, *kept)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> Reply:
        """See ``Engine.score``."""
        return self._reply(lambda engine: engine.score(requests, choices))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Reply:
        """See ``Engine.generate``."""
        return self._reply(lambda engine: engine.generate(requests, sampling))

    def close(self) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.close()

    def _held(self) -> Engine:
        if self._engine is None:
            self._engine = self._make()
        return self._engine

    def _reply(self, ask: Callable[[Engine], Answers]) -> Reply:
        try:
            engine = self._held()
        except Exception as error:
            return Reply(None, portable(error))
        counted, cached = copy.copy(engine.stats), engine.answer_stats
        answers, raised = None, None
        try:
            answers = ask(engine)
        except Exception as error:
            raised = portable(error)
        return Reply(
            answers,
            raised,
            counted and _done(engine.stats or EngineStats(), counted),
            cached and _served(engine.answer_stats or cached, cached),
        )


def _done(now: EngineStats, before: EngineStats) -> EngineStats:
    """What was counted between two looks."""
    names = [field.name for field in fields(now) if field.name != NOT_SUMMED]
    counted: dict[str, Any] = {n: getattr(now, n) - getattr(before, n) for n in names}
    return EngineStats(**counted)


def _served(now: AnswerStats, before: AnswerStats) -> AnswerStats:
    """What an answer cache did between two looks; the bytes are those it holds now."""
    did = (a - b for a, b in zip(now, before, strict=True))
    return AnswerStats(*did)._replace(num_bytes=now.num_bytes)


def portable(error: Exception) -> Exception:
    """The error, or its text where it does not survive the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # our own error, made a line above
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
