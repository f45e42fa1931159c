"""Every engine and every wrapper keeps the whole contract; an engine that breaks it is noticed."""

import numpy as np
import pytest

from agents.inference.engine import Completion, Engine, EngineFacts
from agents.inference.failures import FailedRequestsError
from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.inference.server.server_engine import ServerEngine
from agents.inference.stats import EngineStats
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.inference.wrapped.replay import RecordingEngine, ReplayEngine
from agents.inference.wrapped.tolerant import TolerantEngine
from agents.testing.engine import CHOICES, SAMPLING, EngineContract, sample_requests
from tests.agents.inference.server.openai_server import OpenAIServer

NAMES = ("ann", "bob")


class TestScripted(EngineContract):
    refuses_unknown_adapters = False

    @pytest.fixture
    def engine(self):
        return ScriptedEngine()


@pytest.mark.parametrize(
    "engine",
    [{}, {"fast": False}, {"fast": False, "adapter_mode": "mixed"}, {"repeatable": True}],
    indirect=True,
    scope="class",
)
class TestLocal(EngineContract):
    adapters = NAMES
    atol = 1e-5

    @pytest.fixture(scope="class")
    def engine(self, request, pocket_folder, adapter_folders):
        return LocalEngine(pocket_folder, adapter_folders, **request.param)


class TestCachedLocal(EngineContract):
    adapters = NAMES
    atol = 1e-5

    @pytest.fixture(scope="class")
    def engine(self, pocket_folder, adapter_folders):
        return CachedEngine(LocalEngine(pocket_folder, adapter_folders), "m", {n: n for n in NAMES})


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
class TestServer(EngineContract):
    adapters = NAMES

    @pytest.fixture
    def engine(self, endpoint):
        with OpenAIServer(ScriptedEngine(), models=("base", *NAMES)) as server:
            yield ServerEngine("base", NAMES, base_url=server.url, endpoint=endpoint)


@pytest.mark.parametrize("stored", ["memory", "disk"])
class TestCached(EngineContract):
    adapters = NAMES

    @pytest.fixture
    def engine(self, stored, tmp_path):
        known = {name: name for name in NAMES}
        return CachedEngine(
            ScriptedEngine(), "m", known, folder=None if stored == "memory" else tmp_path
        )


class TestRecording(EngineContract):
    refuses_unknown_adapters = False

    @pytest.fixture
    def engine(self, tmp_path):
        return RecordingEngine(ScriptedEngine(), tmp_path / "run.jsonl")


class TestReplay(EngineContract):
    adapters = NAMES

    @pytest.fixture
    def engine(self, tmp_path):
        recorder = RecordingEngine(ScriptedEngine(), tmp_path / "run.jsonl")
        recorder.score(self.requests(), CHOICES)
        recorder.generate(self.requests(), SAMPLING)
        return ReplayEngine(recorder.path)


class TestTolerant(EngineContract):
    refuses_unknown_adapters = False

    @pytest.fixture
    def engine(self):
        return TolerantEngine(ScriptedEngine())


class TestAllWrappers(EngineContract):
    adapters = NAMES

    @pytest.fixture
    def engine(self, tmp_path):
        known = {name: name for name in NAMES}
        cached = CachedEngine(ScriptedEngine(), "m", known)
        return TolerantEngine(EngineWrapper(RecordingEngine(cached, tmp_path / "run.jsonl")))


# -- an engine that breaks the contract --------------------------------------------------------


class Reversed(ScriptedEngine):
    """Answers in its own order."""

    def score(self, requests, choices):
        return super().score(requests[::-1], choices)

    def generate(self, requests, sampling):
        return super().generate(requests[::-1], sampling)


class Seeded(ScriptedEngine):
    """Adds noise that follows the seed."""

    def score(self, requests, choices):
        noise = np.array([[0.1 * (r.seed % 7)] for r in requests]).reshape(-1, 1)
        scores = super().score(requests, choices) + noise * np.arange(len(choices))
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


class Relative(ScriptedEngine):
    """Looks at its neighbours."""

    def score(self, requests, choices):
        scores = super().score(requests, choices)
        scores = scores + 0.01 * len(requests) * np.arange(len(choices))
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


class Nameless(ScriptedEngine):
    @property
    def facts(self):
        return EngineFacts("")


class Unnormalised(ScriptedEngine):
    def score(self, requests, choices):
        return super().score(requests, choices) - 1.0


class Miscounting(ScriptedEngine):
    stats = EngineStats()


@pytest.mark.parametrize(
    ("engine", "broken"),
    [
        (Reversed, "test_the_order_of_the_caller_is_kept"),
        (Reversed, "test_texts_keep_the_order_of_the_caller_and_repeat"),
        (Seeded, "test_scores_do_not_depend_on_the_seed"),
        (Relative, "test_an_answer_is_the_same_alone_twice_and_among_all"),
        (Nameless, "test_what_is_known_of_it_is_known_before_and_after_a_call"),
        (Unnormalised, "test_scores_are_distributions"),
        (Miscounting, "test_what_is_asked_is_counted_and_a_good_call_leaves_no_failure"),
        (ScriptedEngine, "test_an_unknown_adapter_is_refused"),
    ],
)
def test_what_breaks_the_contract_fails_its_test(engine, broken):
    with pytest.raises(AssertionError):
        getattr(EngineContract(), broken)(engine())


# -- wrappers ------------------------------------------------------------------------------------


class Bare(Engine):
    """No more than an engine must give."""

    @property
    def facts(self):
        return EngineFacts("bare", "id", "cpu", "float32", 77)

    def score(self, requests, choices):
        return np.full((len(requests), len(choices)), -np.log(len(choices)))

    def generate(self, requests, sampling):
        return [Completion("", 0)] * len(requests)


def test_an_engine_that_gives_no_more_than_it_must_has_all_that_callers_use():
    engine = Bare()
    assert engine.description == "bare"
    assert engine.stats is None
    assert engine.answer_stats is None
    assert engine.last_failures == {}
    engine.close()


def test_an_engine_without_its_verbs_cannot_be_made():
    class Mute(Engine):
        pass

    with pytest.raises(TypeError, match=r"abstract.* facts.*generate.*score"):
        Mute()


def test_a_wrapper_forwards_all_that_it_does_not_change(pocket_folder):
    class Watched(LocalEngine):
        last_failures = {3: "no"}  # noqa: RUF012

    inner = Watched(pocket_folder)
    outer = EngineWrapper(CachedEngine(inner, "m"))
    outer.score(sample_requests(), CHOICES)
    outer.score(sample_requests(), CHOICES)
    assert outer.facts == inner.facts
    assert outer.facts.dtype == "float32"
    assert outer.facts.device == "cpu"
    assert outer.facts.context == inner.context
    assert outer.stats is inner.stats
    assert outer.answer_stats.hits == 12
    assert outer.last_failures == {3: "no"}
    outer.close()
    assert inner.model is None


@pytest.mark.parametrize("depth", [0, 1])
def test_what_keeps_answers_refuses_stand_ins_however_deep(tmp_path, depth):
    inner = TolerantEngine(ScriptedEngine())
    for _ in range(depth):
        inner = EngineWrapper(inner)
    with pytest.raises(ValueError, match=r"answer cache wanted .* failures are errors.*outside"):
        CachedEngine(inner, "m")
    with pytest.raises(ValueError, match=r"recording wanted .* failures are errors.*outside"):
        RecordingEngine(inner, tmp_path / "run.jsonl")


def test_failures_of_a_tolerant_engine_are_seen_through_a_wrapper():
    class Failing(ScriptedEngine):
        def score(self, requests, choices):
            raise FailedRequestsError({1: "no"}, super().score(requests, choices), "here")

    engine = EngineWrapper(TolerantEngine(Failing()))
    engine.score(sample_requests(), CHOICES)
    assert engine.last_failures == {1: "no"}
    assert engine.description.endswith(", 1 of 12 answers failed (8.3 %)")
