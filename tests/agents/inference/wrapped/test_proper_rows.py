"""Only a proper, finite distribution is kept or served: in memory, on disk and in a recording."""

import gzip
import json
import math

import numpy as np
import pytest

from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.answer_store import DiskStore
from agents.inference.wrapped.proper_rows import is_distribution
from agents.inference.wrapped.replay import RecordingEngine, ReplayEngine, UnknownRequestError
from agents.inference.wrapped.tolerant import TolerantEngine
from agents.testing.engine import CHOICES

BAD = {
    "NaN": [math.nan] * 5,
    "one NaN": [math.nan, -1.0, -2.0, -3.0, -1.0],
    "infinity": [math.inf, -1.0, -2.0, -3.0, -1.0],
    "minus infinity": [-math.inf, 0.0, -math.inf, -math.inf, -math.inf],
    "too much": [-1.0] * 5,
    "too little": [-3.0] * 5,
    "logits": [3.0, 1.0, 0.0, 2.0, 4.0],
}


class Broken(ScriptedEngine):
    """Gives a bad row for one question, until it is mended."""

    def __init__(self, row):
        super().__init__()
        self.row, self.num_asked = row, 0

    def score(self, requests, choices):
        self.num_asked += len(requests)
        scores = super().score(requests, choices)
        for i, request in enumerate(requests):
            if "Film 5 " in request.suffix and self.row is not None:
                scores[i] = self.row
        return scores


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_a_row_that_is_no_distribution_is_seen(row):
    assert not is_distribution(np.array(row))


@pytest.mark.parametrize("row", [[], [[-0.1]], ["a"], [0]])
def test_what_is_no_row_of_numbers_is_no_distribution(row):
    assert not is_distribution(np.array(row))


def test_a_proper_row_is_a_distribution(questions):
    assert all(is_distribution(row) for row in ScriptedEngine().score(questions, CHOICES))
    assert is_distribution(np.array([0.0, -9999.0]))


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
@pytest.mark.parametrize("keeper", ["memory", "disk", "recording"])
def test_an_improper_answer_fails_and_is_not_kept(questions, tmp_path, keeper, row):
    broken = Broken(row)
    folder = tmp_path / "answers" if keeper == "disk" else None
    engine = (
        RecordingEngine(broken, tmp_path / "run.jsonl")
        if keeper == "recording"
        else CachedEngine(broken, "m", folder=folder)
    )
    with pytest.raises(FailedRequestsError, match=r"request 5: the answer is no distribution: \["):
        engine.score(questions, CHOICES)
    broken.row = None
    expected = ScriptedEngine().score(questions, CHOICES)
    np.testing.assert_array_equal(engine.score(questions, CHOICES), expected)
    assert broken.num_asked == 12 + 1
    engine.close()


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_an_improper_row_that_lies_on_disk_is_asked_for_anew(questions, tmp_path, caplog, row):
    engine = CachedEngine(ScriptedEngine(), "m", folder=tmp_path)
    key = engine._key(questions[5], CHOICES)
    engine.close()
    store = DiskStore(tmp_path, 2**30)
    store.put({key: np.array(row)})
    store.close()
    engine = CachedEngine(ScriptedEngine(), "m", folder=tmp_path)
    expected = ScriptedEngine().score(questions, CHOICES)
    np.testing.assert_array_equal(engine.score(questions, CHOICES), expected)
    assert "1 answers in the cache are no distributions; they are asked anew" in caplog.text
    engine.close()


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_an_improper_row_in_a_recording_is_not_played_back(questions, tmp_path, name, caplog):
    path = tmp_path / name
    RecordingEngine(ScriptedEngine(), path).score(questions[:2], CHOICES)
    data = path.read_bytes()
    text = (gzip.decompress(data) if name.endswith("gz") else data).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    lines[-1]["scores"] = [math.nan] * 5
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(UnknownRequestError, match="request 1 is not in the recording"):
        ReplayEngine(path).score(questions[:2], CHOICES)
    assert "an answer is no distribution, left out" in caplog.text
    expected = ScriptedEngine().score(questions[:2], CHOICES)
    recorder = RecordingEngine(ScriptedEngine(), path)
    np.testing.assert_array_equal(recorder.score(questions[:2], CHOICES), expected)
    np.testing.assert_array_equal(ReplayEngine(path).score(questions[:2], CHOICES), expected)


def test_a_tolerant_engine_marks_an_improper_row_of_any_engine(questions):
    engine = TolerantEngine(Broken(BAD["infinity"]))
    scores = engine.score(questions, CHOICES)
    assert list(engine.last_failures) == [5]
    assert np.isnan(scores[5]).all()
    assert np.isfinite(np.delete(scores, 5, axis=0)).all()


def test_an_engine_that_answers_too_few_is_refused(questions):
    class Short(ScriptedEngine):
        def score(self, requests, choices):
            return super().score(requests[:-1], choices)

    with pytest.raises(ValueError, match=r"wanted log-probabilities of shape \(12, 5\), got \(11,"):
        TolerantEngine(Short()).score(questions, CHOICES)


class Dead(ScriptedEngine):
    """Fails on every request, once it is told to."""

    failing = False

    def score(self, requests, choices):
        scores = super().score(requests, choices)
        if self.failing:
            raise FailedRequestsError(dict.fromkeys(range(len(requests)), "no"), scores, "here")
        return scores


def test_a_call_of_one_may_fail_once_others_were_answered_and_not_before(questions):
    inner = Dead()
    engine = TolerantEngine(inner)
    inner.failing = True
    with pytest.raises(FailedRequestsError):
        engine.score(questions[:1], CHOICES)
    inner.failing = False
    engine.score(questions, CHOICES)
    inner.failing = True
    assert np.isnan(engine.score(questions[:1], CHOICES)).all()
    assert "1 of 13 answers failed" in engine.description
