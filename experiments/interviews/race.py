"""Batched with kept prefixes against one call an item, as harnesses ask: both timed."""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.inference.engine import Engine, Request
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.interviews.asking import Interviewee, ask
from agents.interviews.frames import PLAIN, frame_of
from agents.interviews.instruments import Instrument
from experiments.interviews.settings import Settings
from experiments.interviews.strategies import cast
from experiments.reporting.formatting import rounded
from simenv.events import FloatArray

_RIVAL = "reuse_prefixes"


def race(make: Callable[..., Engine], model: str, settings: Settings) -> dict[str, Any]:
    """Ask some people some items both ways, each on an engine of its own that was warmed up.

    Args:
        make: makes an engine of a model; one that cannot leave prefixes out is not raced.
        model: folder or hub name.
        settings: ``race`` says how many people and items.
    """
    num_people, num_items = settings.race["people"], settings.race["items"]
    if not num_people or not num_items:
        return {"skipped": "experiment.race has nobody or no item"}
    if _RIVAL not in inspect.signature(make).parameters:
        return {"skipped": "the engine keeps prefixes or not by its own rules"}
    whole = settings.instruments[-1]
    people = cast(whole, settings.levels).people[1 : num_people + 1]
    part = _part(whole, [item.name for item in whole.items][:num_items])
    ways = {"batched": (True, False), "one_call_an_item": (False, True)}
    runs = {
        way: _timed(make(model, **{_RIVAL: kept}), people, part, settings, one)
        for way, (kept, one) in ways.items()
    }
    return {"people": len(people), "items": len(part.items), **_compared(runs)}


class _Run(NamedTuple):
    logs: FloatArray  # (n, m, r, k)
    seconds: float
    processor: float


def _compared(runs: Mapping[str, _Run]) -> dict[str, Any]:
    ours, rival = runs.values()
    apart = np.abs(np.exp(ours.logs) - np.exp(rival.logs)).max()
    return {
        "seconds": {way: rounded(run.seconds) for way, run in runs.items()},
        "processor_seconds": {way: rounded(run.processor) for way, run in runs.items()},
        "times_faster": rounded(rival.seconds / ours.seconds, 2),
        "times_less_processor": rounded(rival.processor / ours.processor, 2),
        "largest_difference": rounded(float(apart), 8),
    }


def _timed(
    engine: Engine, people: Sequence[Interviewee], part: Instrument, settings: Settings, one: bool
) -> _Run:
    """Ask on an engine that was warmed up by one more person, then close it."""
    try:
        _ask(engine, [Interviewee("warm", "You wait.")], part, settings, one)
        wall, processor = time.perf_counter(), time.process_time()
        logs = _ask(engine, people, part, settings, one)
        return _Run(logs, time.perf_counter() - wall, time.process_time() - processor)
    finally:
        engine.close()


def _part(whole: Instrument, names: list[str]) -> Instrument:
    """The named items; those of traits that have none left keep no trait."""
    fields = {name: getattr(whole, name) for name in whole.__dataclass_fields__}
    items = tuple(item for item in whole.items if item.name in set(names))
    kept = {item.trait for item in items}
    traits = tuple(trait for trait in whole.traits if trait.name in kept)
    return Instrument(**{**fields, "items": items, "traits": traits, "norms": {}})


def _ask(
    engine: Engine,
    people: Sequence[Interviewee],
    part: Instrument,
    settings: Settings,
    one_call_an_item: bool,
) -> FloatArray:
    """(n, m, r, k) log-probabilities."""
    frame, how = frame_of(engine) if settings.chat else PLAIN, settings.how()
    if not one_call_an_item:
        return ask(engine, people, part, how, frame).logs
    return ask(_OneByOne(engine), people, part, how, frame).logs


class _OneByOne(EngineWrapper):
    """Hands the engine inside one request a call."""

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """A row a request, each from a call of its own."""
        return np.concatenate([self.inner.score([one], choices) for one in requests])
