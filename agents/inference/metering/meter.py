"""What asking an engine cost between two looks, for whoever runs something on it."""

import itertools
import time
from dataclasses import fields
from typing import Any, TypedDict

import numpy as np

from agents.inference.engine import Engine
from agents.inference.metering.machine import peak_device_memory, peak_flops, peak_memory
from agents.inference.stats import EngineStats, FailureStats

_NO_COUNT = "call_seconds"
_NO_ENGINE = "no engine"


class EngineFigures(TypedDict):
    """Metrics of a stretch of a run; None where the engine does not count (a server, a replay)."""

    engine: str
    seconds: float  # of the stretch, everything included
    exposures: int | None  # (user, item) pairs asked about
    exposures_per_second: float | None  # over the whole stretch
    prompt_tokens_per_exposure: float | None
    cached_share: float | None  # of the prompt tokens, not run again: in [0, 1]
    answer_hits: int | None  # questions that an answer cache knew
    steps: int | None  # calls of the engine; an environment makes one a step
    step_seconds: dict[str, float] | None  # p50 and p95 of a call
    model_share: float | None  # of the time, spent in the model: in [0, 1]
    adapter_switches: int | None
    padding_waste: float | None  # share of the tokens run: in [0, 1]
    splits: int | None  # batches halved because memory ran out
    flops_per_second: float | None  # of the model's time: 2 x weights x real tokens
    utilisation: float | None  # of the measured peak of this machine's products
    failed: int | None  # questions that got no answer; None where a failure ends the run
    failed_share: float | None  # of the questions: in [0, 1]
    peak_memory_bytes: int  # of the process, since it began
    peak_device_bytes: int | None  # of tensors on a GPU


class EngineMeter:
    """Counts from its construction, or from the last ``restart``, on.

    Args:
        engine: any engine, wrapped or not; None = whoever answers needs none.
    """

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self._started, self._before = time.perf_counter(), self._counts()
        self._known, self._failed_before = self._answer_hits(), self._failures()

    def read(self, peak: float | None = None) -> EngineFigures:
        """The figures so far; changes nothing.

        Args:
            peak: FLOP/s of the machine, see ``peak_flops``; None leaves utilisation out.
        """
        seconds = time.perf_counter() - self._started
        now, known = self._counts(), self._answer_hits()
        hits = None if known is None or self._known is None else known - self._known
        figures = _empty(_NO_ENGINE if self._engine is None else self._engine.description, seconds)
        figures["answer_hits"] = hits
        failures = self._failures()
        if failures is not None and self._failed_before is not None:
            asked = failures.requests - self._failed_before.requests
            figures["failed"] = failed = failures.failed - self._failed_before.failed
            figures["failed_share"] = failed / max(asked, 1)
        if now is not None and self._before is not None:
            done = {key: value - self._before[key] for key, value in now.items()}
            figures.update(_rates(done, seconds, peak))  # type: ignore[typeddict-item]
            if hits:
                figures["exposures"] = exposures = int(done["requests"]) + hits
                figures["exposures_per_second"] = exposures / seconds
            stats = self._stats()
            assert stats is not None
            figures["step_seconds"] = _percentiles(stats, int(done["calls"]))
        return figures

    def report(self) -> EngineFigures:
        """The figures so far with the utilisation; it measures the machine's peak, 0.3 s."""
        figures = self.read()  # before the measurement, which takes time
        flops = figures["flops_per_second"]
        if flops is not None and self._engine is not None and self._engine.facts.dtype:
            facts = self._engine.facts
            figures["utilisation"] = flops / peak_flops(facts.device, facts.dtype, seconds=0.3)
        return figures

    def _stats(self) -> EngineStats | None:
        return None if self._engine is None else self._engine.stats

    def _counts(self) -> dict[str, float] | None:
        stats = self._stats()
        if stats is None:
            return None
        return {f.name: getattr(stats, f.name) for f in fields(stats) if f.name != _NO_COUNT}

    def _failures(self) -> FailureStats | None:
        return None if self._engine is None else self._engine.failure_stats

    def _answer_hits(self) -> int | None:
        answers = None if self._engine is None else self._engine.answer_stats
        return None if answers is None else answers.hits


def in_words(figures: EngineFigures) -> str:
    """The figures as one line for a terminal."""
    if figures["engine"] == _NO_ENGINE:
        return f"no language model answered; {figures['seconds']:.1f} s"
    if figures["exposures_per_second"] is None:
        parts = [f"{figures['seconds']:.1f} s", "it does not count what it is asked"]
        return f"{figures['engine']}: {'; '.join([*parts, *_failed(figures)])}"
    parts = [f"{figures['exposures']:,} exposures at {figures['exposures_per_second']:,.0f} /s"]
    parts += _of(figures, "prompt_tokens_per_exposure", "{:.0f} prompt tokens each")
    parts += _of(figures, "cached_share", "{:.0%} of them cached")
    parts += _of(figures, "answer_hits", "{:,} answers known")
    parts += _failed(figures)
    if figures["step_seconds"]:
        parts.append("a call takes {p50:.2f} s (p95 {p95:.2f})".format(**figures["step_seconds"]))
    parts += _of(figures, "model_share", "{:.0%} of the time in the model")
    parts += _of(figures, "utilisation", "{:.0%} of the machine's peak")
    parts += _of(figures, "adapter_switches", "{:,} adapter switches")
    parts += _of(figures, "padding_waste", "{:.1%} padding")
    parts.append(f"peak memory {figures['peak_memory_bytes'] / 2**30:.1f} GiB")
    return f"{figures['engine']}: {'; '.join(parts)}"


def _failed(figures: EngineFigures) -> list[str]:
    if not figures["failed"]:
        return []
    return [f"{figures['failed']:,} questions without an answer ({figures['failed_share']:.1%})"]


def _of(figures: EngineFigures, key: str, words: str) -> list[str]:
    value = figures[key]  # type: ignore[literal-required]
    return [] if value is None else [words.format(value)]


def _rates(done: dict[str, float], seconds: float, peak: float | None) -> dict[str, Any]:
    requests, model = int(done["requests"]), done["model_seconds"]
    flops = done["flops"] / model if model else None
    return {
        "exposures": requests,
        "exposures_per_second": requests / seconds,
        "prompt_tokens_per_exposure": done["prompt_tokens"] / requests if requests else None,
        "cached_share": done["cached_tokens"] / max(done["prompt_tokens"], 1),
        "steps": int(done["calls"]),
        "model_share": model / seconds,
        "adapter_switches": int(done["adapter_switches"]),
        "padding_waste": done["padding_tokens"] / max(done["run_tokens"], 1),
        "splits": int(done["splits"]),
        "flops_per_second": flops,
        "utilisation": flops / peak if flops and peak else None,
    }


def _percentiles(stats: EngineStats, calls: int) -> dict[str, float] | None:
    """Of the last ``calls`` calls, as far as their times are kept."""
    kept = len(stats.call_seconds)
    own = list(itertools.islice(stats.call_seconds, max(0, kept - calls), None))
    if not own:
        return None
    return {"p50": float(np.percentile(own, 50)), "p95": float(np.percentile(own, 95))}


def _empty(engine: str, seconds: float) -> EngineFigures:
    nothing = dict.fromkeys(EngineFigures.__annotations__)
    figures: EngineFigures = {**nothing, "engine": engine, "seconds": seconds}  # type: ignore[typeddict-item]
    figures["peak_memory_bytes"] = peak_memory()
    figures["peak_device_bytes"] = peak_device_memory()
    return figures
