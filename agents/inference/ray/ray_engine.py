"""Any engine, many times: each person's questions always go to the same worker. It knows no model.

Answers depend on their request alone (``Engine``), so they are those of one process for any number
of workers. A worker keeps the prefixes of its own people, and those only.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.inference.affinity import homes
from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.failures import Answers, DeadServerError, FailedRequestsError
from agents.inference.named_rows import rows_of_caller
from agents.inference.ray.cluster import WorkerSettings
from agents.inference.ray.worker import NOT_SUMMED, MakeWorkerEngine, Reply
from agents.inference.ray.workers import Call, Dead, Workers
from agents.inference.stats import AnswerStats, EngineStats
from simenv.events import FloatArray, IntArray


class RayEngine(Engine):
    """Workers that each hold the same engine and share its questions.

    A worker that dies is replaced and its part asked again: answers change nothing, so nothing is
    lost and nothing is counted twice. Counts are of what was answered; ``model_seconds`` are those
    of the busiest worker, since all run at once.

    Args:
        make: makes the engine; each worker calls it once.
        settings: how many workers, where; None = one a core of this machine.

    Raises:
        ModuleNotFoundError: the extra ``ray`` is not installed.
        ValueError: the engine inside goes on without some answers; put the tolerance outside.
        Exception: what ``Workers`` and ``make`` raise.
    """

    def __init__(self, make: MakeWorkerEngine, settings: WorkerSettings | None = None) -> None:
        self._workers = Workers(make, settings or WorkerSettings())
        self._inside = self._workers.started[0].facts
        if self._inside.masks_failures:
            self.close()
            raise ValueError(
                "engine=ray wanted an engine whose failures are errors, got one that goes on"
                " without the answers; put the tolerance outside: engine=tolerant"
                " engine@engine.engine=ray"
            )
        first = self._workers.started[0]
        self._stats = EngineStats() if first.counts else None
        self._cached = AnswerStats(0, 0, 0, 0) if first.keeps_answers else None
        self._bytes_held: dict[int, int] = {}  # by the answer cache of each worker

    @property
    def facts(self) -> EngineFacts:
        """Of the engine inside; the description says how many workers there are."""
        num = self._workers.num
        said = f"{self._inside.description} on {num} Ray worker{'s' * (num > 1)}"
        return self._inside._replace(description=said)

    @property
    def stats(self) -> EngineStats | None:
        """Of all workers together; None where nothing is counted."""
        return self._stats

    @property
    def answer_stats(self) -> AnswerStats | None:
        """Of all workers together, where each keeps answers."""
        if self._cached is None:
            return None
        return self._cached._replace(num_bytes=sum(self._bytes_held.values()))

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return self._workers.pids

    @property
    def num_deaths(self) -> int:
        """How many workers have died since construction."""
        return self._workers.deaths

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            FailedRequestsError: of the engine inside, or a worker died over its part again and
                again; it carries all other answers.
        """
        started = time.perf_counter()
        scores = np.full((len(requests), len(choices)), np.nan)
        parts = self._parts(requests)
        replies = self._ask(parts, requests, "score", tuple(choices))
        for place, answers in _answered(replies):
            scores[parts[place]] = answers
        if self._stats is not None:
            self._stats.add_call(time.perf_counter() - started)
        self._raise_failures(parts, replies, scores)
        return scores

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does."""
        said = [Completion("", 0)] * len(requests)
        parts = self._parts(requests)
        replies = self._ask(parts, requests, "generate", sampling)
        for place, answers in _answered(replies):
            for row, answer in zip(parts[place].tolist(), answers, strict=True):
                said[row] = answer
        self._raise_failures(parts, replies, said)
        return said

    def close(self) -> None:
        """End the workers."""
        self._workers.close()

    def _parts(self, requests: Sequence[Request]) -> dict[int, IntArray]:
        """Worker → rows of its people's questions, in the caller's order."""
        where = homes(((r.adapter, r.prefix) for r in requests), self._workers.num)
        return {place: np.flatnonzero(where == place) for place in np.unique(where).tolist()}

    def _ask(
        self, parts: Mapping[int, IntArray], requests: Sequence[Request], method: str, how: Any
    ) -> dict[int, Reply | Dead]:
        calls = {
            place: Call(method, ([requests[row] for row in rows.tolist()], how))
            for place, rows in parts.items()
        }
        replies = self._workers.ask(calls)
        alive = {place: r for place, r in replies.items() if isinstance(r, Reply)}
        self._count([reply.counts for reply in alive.values() if reply.counts is not None])
        for place, reply in alive.items():
            if reply.cached is not None and self._cached is not None:
                both = zip(self._cached, reply.cached, strict=True)
                self._cached = AnswerStats(*(a + b for a, b in both))
                self._bytes_held[place] = reply.cached.num_bytes
        return replies

    def _count(self, parts: Sequence[EngineStats]) -> None:
        total = self._stats
        if total is None or not parts:
            return
        for name in (f.name for f in fields(total) if f.name not in (NOT_SUMMED, "calls")):
            values = [getattr(counts, name) for counts in parts]
            more = max(values) if name == "model_seconds" else sum(values)
            setattr(total, name, getattr(total, name) + more)

    def _raise_failures(
        self, parts: Mapping[int, IntArray], replies: Mapping[int, Reply | Dead], found: Answers
    ) -> None:
        failures: dict[int, str] = {}
        gone = 0
        for place, reply in sorted(replies.items(), key=lambda part: parts[part[0]][0]):
            rows = parts[place].tolist()
            if isinstance(reply, Dead):
                failures |= dict.fromkeys(rows, reply.reason)
                gone += 1
            elif isinstance(reply.error, FailedRequestsError):
                failures |= {rows[row]: why for row, why in reply.error.failures.items()}
                gone += isinstance(reply.error, DeadServerError)
            elif reply.error is not None:
                with rows_of_caller(rows):
                    raise reply.error
        if failures:
            kind = DeadServerError if gone == len(replies) else FailedRequestsError
            raise kind(failures, found, self.description)


def _answered(replies: Mapping[int, Reply | Dead]) -> Iterable[tuple[int, Any]]:
    """The parts that have answers, those of a call with failures included."""
    for place, reply in replies.items():
        if isinstance(reply, Reply) and isinstance(reply.error, FailedRequestsError):
            yield place, reply.error.answers
        elif isinstance(reply, Reply) and reply.answers is not None:
            yield place, reply.answers


def ray_engine(
    model: str,
    adapters: Mapping[str, str] | None = None,
    *,
    engine: Callable[..., Engine],
    **settings: Any,
) -> RayEngine:
    """Workers that each hold the engine ``engine(model, adapters=…)``; for configs.

    Paths are made whole: workers have a working directory of their own.
    """
    folders = {name: _whole(folder) for name, folder in (adapters or {}).items()}
    make = partial(engine, _whole(model), adapters=folders)
    return RayEngine(make, WorkerSettings(**settings))


def _whole(place: str) -> str:
    return str(Path(place).resolve()) if Path(place).exists() else place
