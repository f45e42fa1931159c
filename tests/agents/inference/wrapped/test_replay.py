"""Recorded answers come back bit for bit, and nothing else does."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.replay import (
    RecordingEngine,
    ReplayEngine,
    UnknownRequestError,
    generate_key,
    recording_engine,
    replay_engine,
)
from agents.persona_users import PersonaUsers
from agents.testing.engine import CHOICES
from simenv.events import Slates
from simenv.seeding import row_seeds


class Rambling(Engine):
    """Never says the same twice, and counts what it is asked."""

    facts = EngineFacts("rambling")

    def __init__(self, fail=()):
        self.rng, self.asked, self.fail, self.closed = np.random.default_rng(0), 0, fail, False

    def score(self, requests, choices):
        self.asked += len(requests)
        scores = np.log(self.rng.dirichlet(np.full(len(choices), 0.1), len(requests)) + 1e-300)
        failed = {i: "no" for i, r in enumerate(requests) if r.suffix in self.fail}
        if failed:
            raise FailedRequestsError(failed, scores, "rambling")
        return scores

    def generate(self, requests, sampling):
        return [Completion(f" {self.rng.integers(99)} é", 2) for _ in requests]

    def close(self):
        self.closed = True


@pytest.fixture(params=["run.jsonl", "run.jsonl.gz"])
def path(request, tmp_path):
    return tmp_path / "deep" / request.param


def test_a_run_and_its_replay_agree_bit_for_bit_even_over_an_engine_that_does_not(questions, path):
    recorder = RecordingEngine(Rambling(), path)
    run = [recorder.score(questions, CHOICES), recorder.score(questions[::-1], CHOICES)]
    said = recorder.generate(questions, Sampling())
    recorder.close()
    replay = ReplayEngine(path)
    np.testing.assert_array_equal(replay.score(questions, CHOICES), run[0])
    np.testing.assert_array_equal(replay.score(questions[::-1], CHOICES), run[1])
    assert replay.generate(questions, Sampling()) == said
    assert len(replay) == 24
    assert recorder.inner.closed
    assert replay.description == "rambling, replayed"
    assert replay.facts.reads_blocks, "whoever was recorded"
    replay.close()


def test_what_was_asked_before_is_not_asked_again(questions, path):
    recorder = RecordingEngine(Rambling(), path)
    recorder.score([*questions, *questions], CHOICES)
    recorder.score(questions, CHOICES)
    assert recorder.inner.asked == len(questions)


def test_a_recording_is_continued_in_a_later_run(questions, path):
    first = RecordingEngine(Rambling(), path).score(questions[:5], CHOICES)
    later = RecordingEngine(Rambling(), path)
    scores = later.score(questions, CHOICES)
    np.testing.assert_array_equal(scores[:5], first)
    assert later.inner.asked == 7
    np.testing.assert_array_equal(ReplayEngine(path).score(questions, CHOICES), scores)


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_a_killed_run_loses_its_last_line_and_can_go_on(questions, path, cut):
    RecordingEngine(Rambling(), path).score(questions[:5], CHOICES)
    RecordingEngine(Rambling(), path).score(questions, CHOICES)
    path.write_bytes(path.read_bytes()[:-cut])
    recorder = RecordingEngine(Rambling(), path)
    scores = recorder.score(questions, CHOICES)
    assert recorder.inner.asked <= 7
    if path.suffix == ".jsonl":  # a gzip member ends in 8 bytes of checks, which hold no answer
        assert recorder.inner.asked > 0
    np.testing.assert_array_equal(ReplayEngine(path).score(questions, CHOICES), scores)


def test_failed_requests_are_not_recorded_and_the_others_are(questions, path):
    bad = questions[3].suffix
    recorder = RecordingEngine(Rambling(fail=(bad,)), path)
    with pytest.raises(FailedRequestsError) as raised:
        recorder.score([*questions[2:5], questions[3], questions[2]], CHOICES)
    assert raised.value.failures == {1: "no", 3: "no"}
    replay = ReplayEngine(path)
    np.testing.assert_array_equal(
        replay.score([questions[2], questions[4]], CHOICES), raised.value.answers[[0, 2]]
    )
    with pytest.raises(UnknownRequestError):
        replay.score([questions[3]], CHOICES)


@pytest.mark.parametrize(
    "change",
    [
        {"suffix": "another"},
        {"prefix": "another"},
        {"adapter": "ann"},
    ],
)
def test_an_unknown_request_is_named_with_the_cure(questions, path, change):
    RecordingEngine(ScriptedEngine(), path).score(questions, CHOICES)
    asked = [questions[0], questions[1]._replace(**change)]
    with pytest.raises(
        UnknownRequestError, match=r"request 1 is not in the recording run.*engine=rec"
    ):
        ReplayEngine(path).score(asked, CHOICES)


def test_scores_do_not_depend_on_the_seed_and_texts_do(questions, path):
    recorder = RecordingEngine(Rambling(), path)
    recorder.score(questions, CHOICES)
    recorder.generate(questions, Sampling())
    reseeded = [q._replace(seed=7) for q in questions]
    replay = ReplayEngine(path)
    replay.score(reseeded, CHOICES)
    with pytest.raises(UnknownRequestError):
        replay.generate(reseeded, Sampling())
    with pytest.raises(UnknownRequestError):
        replay.generate(questions, Sampling(temperature=0.9))
    with pytest.raises(UnknownRequestError):
        replay.score(questions, (" a", " b"))


def test_the_file_is_json_lines_with_every_prefix_once(questions, tmp_path):
    RecordingEngine(ScriptedEngine(), tmp_path / "run.jsonl").score(questions, CHOICES)
    text = (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0] == {"format": 1, "engine": "scripted (no language model)"}
    assert sum("prefix" in line for line in lines) == 3
    assert sum("scores" in line for line in lines) == 12


def test_another_engines_recording_is_not_continued(questions, path):
    RecordingEngine(ScriptedEngine(), path)
    with pytest.raises(ValueError, match=r"holds answers of 'scripted.*this engine is 'rambling'"):
        RecordingEngine(Rambling(), path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no recording"),
        (b"{}\n", "is no recording"),
        (b"\x80\x81\n", "is no recording"),
        (
            b'{"format": 1, "engine": "x"}\n{"ask": [null, 5, "s", [" 1"]], "scores": [0]}\n',
            "damaged",
        ),
        (
            b'{"format": 9, "engine": "x"}\n',
            "has format 9, this version reads 1; update personarec",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "run.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        ReplayEngine(tmp_path / "run.jsonl")
    (tmp_path / "run.gz").write_bytes(gzip.compress(content)[:-4] if content else b"no gzip")
    with pytest.raises(ValueError, match=words):
        ReplayEngine(tmp_path / "run.gz")


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="make it with engine=recording"):
        ReplayEngine(tmp_path / "none.jsonl")


def test_both_are_made_as_configs_make_engines(questions, path):
    recorder = recording_engine("m", {}, engine=lambda model, adapters: ScriptedEngine(), path=path)
    expected = recorder.score(questions, CHOICES)
    np.testing.assert_array_equal(
        replay_engine("m", adapters={}, path=path).score(questions, CHOICES), expected
    )


def test_replay_needs_no_model_no_torch_and_no_client(questions, path):
    RecordingEngine(ScriptedEngine(), path).score(questions, CHOICES)
    code = (
        "import sys\nfrom agents.inference.wrapped.replay import ReplayEngine\n"
        f"assert len(ReplayEngine({str(path)!r})) == 12\n"
        "assert not {'torch', 'transformers', 'openai', 'diskcache'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nobody_may_change_a_recorded_answer_through_what_is_returned(questions, path):
    recorder = RecordingEngine(ScriptedEngine(), path)
    expected = recorder.score(questions, CHOICES).copy()
    recorder.score(questions, CHOICES)[:] = 0
    np.testing.assert_array_equal(recorder.score(questions, CHOICES), expected)
    assert isinstance(questions[0], Request)


def test_people_live_the_same_life_again_without_their_model(population, path):
    def life(engine):
        users = PersonaUsers(population, engine)
        slates = Slates(np.tile(np.arange(4), (5, 1)), np.zeros((5, 4)), None)
        steps = []
        for step in range(3):
            seeds = row_seeds(7, np.arange(5), step)
            feedback = users.respond(np.arange(5), slates, seeds)
            users.remember(np.arange(5), slates, feedback)
            steps.append(feedback)
        return steps

    recorded = life(RecordingEngine(Rambling(), path))
    for first, second in zip(recorded, life(ReplayEngine(path)), strict=True):
        for ours, theirs in zip(first, second, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_text_with_and_without_emojis_are_two_answers_and_old_recordings_still_serve():
    request = Request("a", "b", None, seed=3)
    assert generate_key(request, Sampling(4, 0.3, 50)) == (None, "a", "b", 3, (4, 0.3, 50))
    kept_out = generate_key(request, Sampling(4, 0.3, 50, emojis=False))
    assert kept_out == (None, "a", "b", 3, (4, 0.3, 50, False))
