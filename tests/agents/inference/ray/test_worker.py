"""What a worker's engine did, and its errors, as values that survive the way to another process."""

import importlib
import inspect
import pickle
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest

import agents.inference
from agents.inference.engine import Engine, EngineFacts, UnknownAdapterError
from agents.inference.failures import DeadServerError, FailedRequestsError
from agents.inference.ray.cluster import WorkerSettings
from agents.inference.ray.worker import EngineWorker, Reply
from agents.inference.ray.workers import Workers
from agents.inference.scripted import ScriptedEngine
from agents.inference.stats import EngineStats
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.replay import UnknownRequestError
from agents.testing.engine import CHOICES, SAMPLING, sample_requests


class Counting(ScriptedEngine):
    def __init__(self):
        super().__init__()
        self._stats = EngineStats()

    @property
    def stats(self):
        return self._stats

    def score(self, requests, choices):
        self._stats.requests += len(requests)
        self._stats.model_seconds += 0.5
        self._stats.add_call(0.5)
        return super().score(requests, choices)


def test_a_reply_counts_its_own_part_alone():
    worker = EngineWorker(Counting)
    assert worker.start().counts
    for asked in (sample_requests(), sample_requests()[:5]):
        reply = worker.score(asked, CHOICES)
        assert reply.counts == EngineStats(requests=len(asked), model_seconds=0.5, calls=1)


def test_a_reply_says_what_the_answer_cache_did_with_its_part():
    worker = EngineWorker(lambda: CachedEngine(ScriptedEngine(), "m"))
    assert worker.start().keeps_answers
    first, second = (worker.score(sample_requests()[:5], CHOICES).cached for _ in range(2))
    assert (first.hits, first.misses) == (0, 5)
    assert (second.hits, second.misses) == (5, 0)
    assert first.num_bytes == second.num_bytes > 0


def test_a_worker_answers_as_its_engine_does():
    worker, engine = EngineWorker(ScriptedEngine), ScriptedEngine()
    assert not worker.start().counts
    reply = worker.score(sample_requests(), CHOICES)
    np.testing.assert_array_equal(reply.answers, engine.score(sample_requests(), CHOICES))
    said = worker.generate(sample_requests(), SAMPLING)
    assert said == Reply(engine.generate(sample_requests(), SAMPLING))


def test_an_engine_that_cannot_be_made_is_an_error_that_comes_back():
    def broken():
        raise FileNotFoundError("no weights at all")

    worker = EngineWorker(broken)
    assert isinstance(worker.start().error, FileNotFoundError)
    assert str(worker.score(sample_requests(), CHOICES).error) == "no weights at all"


def test_an_error_that_cannot_travel_comes_back_as_its_text():
    class StayingError(ValueError):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    class Raising(ScriptedEngine):
        def score(self, requests, choices):
            raise StayingError("this", "that")

    error = EngineWorker(Raising).score(sample_requests(), CHOICES).error
    assert isinstance(error, RuntimeError)
    assert str(error) == "StayingError: this and that"


ERRORS = [
    UnknownAdapterError("ann", ["bob"]),
    FailedRequestsError({1: "no"}, np.array([[0.0], [np.nan]]), "here"),
    DeadServerError({0: "no"}, np.array([[np.nan]]), "here"),
    UnknownRequestError(3, (None, "prefix", "suffix", 1), Path("run.jsonl")),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error):
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert str(found) == str(error)
    if isinstance(error, FailedRequestsError):
        assert found.failures == error.failures
        np.testing.assert_array_equal(found.answers, error.answers)


def test_every_error_of_an_engine_with_a_form_of_its_own_can_travel():
    names = [m.name for m in pkgutil.walk_packages(agents.inference.__path__, "agents.inference.")]
    own = {
        kind
        for name in names
        if "kernels" not in name and "fused" not in name
        for kind in vars(importlib.import_module(name)).values()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == name
        and "__init__" in vars(kind) and kind.__name__ not in ("Lost", "RefusedAnswerError")
    }  # fmt: skip
    assert {kind.__name__ for kind in own if "__reduce__" not in vars(kind)} == set()


def test_without_ray_the_error_is_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"engine=ray .*pip install 'personarec\[ray\]'"):
        Workers(ScriptedEngine, WorkerSettings(workers=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, r"engine=ray wanted workers of at least 1.*or 'auto'"),
        ({"workers": "many"}, r"engine=ray wanted workers"),
        ({"restarts": -1}, r"restarts"),
        ({"start_timeout": 0}, r"start_timeout above 0"),
        ({"gpus_per_worker": -1}, r"gpus_per_worker"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        WorkerSettings(**settings)


def test_a_worker_that_was_never_asked_closes():
    class Closing(Engine):
        closed = 0
        facts = EngineFacts("closing")

        def score(self, requests, choices):
            raise NotImplementedError

        def generate(self, requests, sampling):
            raise NotImplementedError

        def close(self):
            Closing.closed += 1

    EngineWorker(Closing).close()
    assert Closing.closed == 0
    worker = EngineWorker(Closing)
    worker.start()
    worker.close()
    assert Closing.closed == 1
