"""The answer cache: exact, bounded, shared, and never another model's answers."""

import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from agents.inference.engine import Request, Sampling, UnknownAdapterError
from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine, cached_engine
from agents.inference.wrapped.identity import content_hash
from agents.testing.engine import CHOICES


class Counting(ScriptedEngine):
    """The scripted engine, with every call's requests noted."""

    def __init__(self, spread=0.9, fail=()):
        super().__init__(spread)
        self.calls, self.fail, self.closed = [], fail, False

    def score(self, requests, choices):
        self.calls.append(list(requests))
        scores = super().score(requests, choices)
        failed = {i: "no" for i, r in enumerate(requests) if r.suffix in self.fail}
        if failed:
            scores[list(failed)] = np.log(0.2)
            raise FailedRequestsError(failed, scores, "here")
        return scores

    def close(self):
        self.closed = True


@pytest.fixture(params=["memory", "disk"])
def folder(request, tmp_path):
    return tmp_path / "answers" if request.param == "disk" else None


@pytest.fixture
def model(tmp_path):
    """A folder that looks like a model."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(bytes(1000))
    return path


def test_a_cached_engine_equals_the_engine_inside_bit_for_bit(questions, folder):
    engine = CachedEngine(Counting(), "m", folder=folder)
    for _ in range(2):
        np.testing.assert_array_equal(
            engine.score(questions, CHOICES), ScriptedEngine().score(questions, CHOICES)
        )
    engine.close()
    assert engine.inner.closed


def test_only_misses_go_inside_in_one_call_each_once(questions, folder):
    engine = CachedEngine(Counting(), "m", folder=folder)
    engine.score(questions[:4] * 2, CHOICES)
    engine.score([*questions, *questions], CHOICES)
    engine.score(questions, CHOICES)
    assert [len(call) for call in engine.inner.calls] == [4, 8]
    assert engine.inner.calls[1] == questions[4:]
    stats = engine.answer_stats
    assert (stats.hits, stats.misses, stats.from_disk) == (32, 12, 0)
    assert stats.hit_rate == 32 / 44


def test_every_part_of_a_question_counts_and_the_seed_does_not(questions, folder):
    engine = CachedEngine(Counting(), "m", {"ann": "a", "bob": "b"}, folder=folder)
    asked = Request("average 2.", "0 x")
    engine.score([asked, asked._replace(seed=5)], CHOICES)
    for other in (
        Request("average 2.0", " x"),  # the same letters, cut elsewhere
        asked._replace(adapter="ann"),
        asked._replace(adapter="bob"),
    ):
        engine.score([other], CHOICES)
    engine.score([asked], CHOICES[:4])
    assert [len(call) for call in engine.inner.calls] == [1] * 5


def test_texts_are_not_cached(questions):
    engine = CachedEngine(Counting(), "m")
    assert engine.generate(questions, Sampling()) == ScriptedEngine().generate(
        questions, Sampling()
    )
    assert engine.description == "scripted (no language model)"


def test_an_adapter_of_unknown_content_is_refused(questions):
    engine = CachedEngine(Counting(), "m", {"ann": "x"})
    with pytest.raises(UnknownAdapterError, match="no adapter 'bob' is loaded"):
        engine.score([questions[0]._replace(adapter="bob")], CHOICES)


def test_failed_requests_are_asked_again_and_the_others_are_kept(questions, folder):
    bad = questions[3].suffix
    engine = CachedEngine(Counting(fail=(bad,)), "m", folder=folder)
    with pytest.raises(FailedRequestsError) as raised:
        engine.score([questions[3], *questions], CHOICES)
    assert raised.value.failures == {0: "no", 4: "no"}
    np.testing.assert_array_equal(
        raised.value.answers[5:], ScriptedEngine().score(questions[4:], CHOICES)
    )
    engine.inner.fail = ()
    np.testing.assert_array_equal(
        engine.score(questions, CHOICES), ScriptedEngine().score(questions, CHOICES)
    )
    assert engine.inner.calls[1] == [questions[3]]


def test_memory_stays_in_its_budget_and_the_least_recently_used_go(questions):
    engine = CachedEngine(Counting(), "m", max_bytes=4 * (250 + 40))
    engine.score(questions[:4], CHOICES)
    engine.score(questions[:1], CHOICES)  # used again, so it stays
    engine.score(questions[4:6], CHOICES)
    assert engine.answer_stats.num_bytes == 4 * 290
    engine.score([questions[0], questions[3]], CHOICES)
    assert [len(call) for call in engine.inner.calls] == [4, 2]
    engine.score(questions[1:3], CHOICES)
    assert [len(call) for call in engine.inner.calls] == [4, 2, 2]


def test_a_budget_of_nothing_still_answers(questions):
    engine = CachedEngine(Counting(), "m", max_bytes=0)
    np.testing.assert_array_equal(
        engine.score(questions, CHOICES), ScriptedEngine().score(questions, CHOICES)
    )
    assert engine.answer_stats.num_bytes == 0


# -- on disk ---------------------------------------------------------------------------------


def test_a_later_run_finds_the_answers_on_disk_bit_for_bit(questions, tmp_path):
    CachedEngine(Counting(), "m", folder=tmp_path).score(questions, CHOICES)
    later = CachedEngine(Counting(), "m", folder=tmp_path)
    np.testing.assert_array_equal(
        later.score(questions, CHOICES), ScriptedEngine().score(questions, CHOICES)
    )
    assert later.inner.calls == []
    assert later.answer_stats.from_disk == 12
    later.score(questions, CHOICES)
    assert later.answer_stats.from_disk == 12  # memory has them now


def test_two_processes_share_a_folder_while_both_write(tmp_path):
    """Both write the same and their own at once; afterwards all is there and right."""
    code = """
import sys
import numpy as np
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.engine import Request
from agents.inference.scripted import ScriptedEngine
choices = (" 1", " 2", " 3", " 4", " 5")
me = sys.argv[1]
engine = CachedEngine(ScriptedEngine(), "m", folder=sys.argv[2])
for i in range(60):
    asked = [Request("p", f"{who} {i}, average {i % 5}.{i % 10}") for who in (me, "both")]
    expected = ScriptedEngine().score(asked, choices)
    np.testing.assert_array_equal(engine.score(asked, choices), expected)
engine.close()
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", code, name, tmp_path]) for name in ("ann", "bob")
    ]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    engine = CachedEngine(Counting(), "m", folder=tmp_path)
    asked = [
        Request("p", f"{who} {i}, average {i % 5}.{i % 10}")
        for who in ("ann", "bob", "both")
        for i in range(60)
    ]
    np.testing.assert_array_equal(
        engine.score(asked, CHOICES), ScriptedEngine().score(asked, CHOICES)
    )
    assert engine.inner.calls == []


def test_the_disk_stays_near_its_budget(tmp_path):
    budget = 300_000
    engine = CachedEngine(Counting(), "m", folder=tmp_path, max_disk_bytes=budget)
    for part in range(10):
        engine.score([Request("p", f"{part} {i}") for i in range(400)], CHOICES)
    engine.close()
    assert os.path.getsize(tmp_path / "cache.db") < 1.2 * budget


def test_pickles_and_damaged_rows_in_the_folder_read_as_absent(questions, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    CachedEngine(Counting(), "m", folder=tmp_path / "c").score(questions, CHOICES)
    with sqlite3.connect(tmp_path / "c" / "cache.db") as db:
        rows = [row for (row,) in db.execute("SELECT rowid FROM Cache")]
        trap = (4, pickle.dumps(Trap()), rows[0])  # 4 = diskcache's mark of a pickle
        db.execute("UPDATE Cache SET mode = ?, value = ? WHERE rowid = ?", trap)
        db.execute("UPDATE Cache SET value = zeroblob(44) WHERE rowid = ?", (rows[1],))
        db.execute("UPDATE Cache SET value = 'text' WHERE rowid = ?", (rows[2],))
        db.execute("UPDATE Cache SET value = x'00' WHERE rowid = ?", (rows[3],))
    later = CachedEngine(Counting(), "m", folder=tmp_path / "c")
    np.testing.assert_array_equal(
        later.score(questions, CHOICES), ScriptedEngine().score(questions, CHOICES)
    )
    assert len(later.inner.calls[0]) == 4
    assert not (tmp_path / "sprung").exists()
    with sqlite3.connect(tmp_path / "c" / "cache.db") as db:
        assert {mode for (mode,) in db.execute("SELECT mode FROM Cache")} == {1}  # mended, raw


def test_a_folder_that_is_no_cache_is_an_error_with_the_cure(tmp_path):
    (tmp_path / "cache.db").write_bytes(b"this is no database " * 500)
    with pytest.raises(ValueError, match=r"is damaged .*; delete the folder"):
        CachedEngine(Counting(), "m", folder=tmp_path)


def test_without_diskcache_the_error_is_the_install_line(tmp_path):
    code = (
        "import sys; sys.modules['diskcache'] = None\n"
        "from agents.inference.wrapped.answer_cache import CachedEngine\n"
        "from agents.inference.scripted import ScriptedEngine\n"
        "CachedEngine(ScriptedEngine(), 'm')\n"
        f"CachedEngine(ScriptedEngine(), 'm', folder={str(tmp_path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "line 5" in done.stderr
    assert "needs diskcache: pip install 'personarec[serve]'" in done.stderr


# -- whose answers ---------------------------------------------------------------------------


def made(model, folder, maker=Counting, adapters=None, **settings):
    return cached_engine(
        model,
        adapters=adapters or {},
        engine=partial(lambda model, adapters, **given: maker(), **settings),
        folder=folder,
    )


def test_the_same_model_at_another_place_shares_the_answers(questions, model, tmp_path):
    made(model, tmp_path / "c").score(questions, CHOICES)
    moved = shutil.copytree(model, tmp_path / "elsewhere")
    later = made(moved, tmp_path / "c")
    later.score(questions, CHOICES)
    assert later.inner.calls == []


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_another_models_answers_are_never_given_though_it_has_name_and_size(
    questions, model, tmp_path, file
):
    made(model, tmp_path / "c").score(questions, CHOICES)
    content = bytearray((model / file).read_bytes())
    content[-1] ^= 1  # one bit, at the same path, with the same size
    (model / file).write_bytes(content)
    later = made(model, tmp_path / "c")
    later.score(questions, CHOICES)
    assert len(later.inner.calls) == 1


def test_an_adapter_trained_anew_under_its_name_is_another(questions, model, tmp_path):
    adapter = tmp_path / "ann"
    adapter.mkdir()
    asked = [q._replace(adapter="ann") for q in questions]
    for content, expected in ((b"old", 1), (b"new", 1), (b"old", 0)):
        (adapter / "adapter_model.safetensors").write_bytes(content)
        engine = made(model, tmp_path / "c", adapters={"ann": str(adapter)})
        engine.score(asked, CHOICES)
        assert len(engine.inner.calls) == expected


def test_settings_that_move_the_last_digits_are_part_of_the_key(questions, model, tmp_path):
    for dtype, expected in (("float32", 1), ("bfloat16", 1), ("float32", 0)):
        engine = made(model, tmp_path / "c", dtype=dtype, api_key=f"secret {expected}")
        engine.score(questions, CHOICES)
        assert len(engine.inner.calls) == expected


def test_the_key_of_a_server_is_in_no_file_of_the_cache(questions, model, tmp_path):
    made(model, tmp_path / "c", api_key="sk-secret").score(questions, CHOICES)
    stored = [p.read_bytes() for p in (tmp_path / "c").rglob("*") if p.is_file()]
    assert stored
    assert not any(b"sk-secret" in content for content in stored)


def test_a_model_that_is_not_here_needs_a_said_identity(questions, tmp_path):
    maker = partial(lambda model, adapters: Counting())
    with pytest.raises(FileNotFoundError, match="not on this machine give identity="):
        cached_engine("owner/name", engine=maker)
    for said, expected in (("v1", 1), ("v2", 1), ("v1", 0)):
        engine = cached_engine("owner/name", engine=maker, folder=tmp_path, identity=said)
        engine.score(questions, CHOICES)
        assert len(engine.inner.calls) == expected


def test_pictures_and_read_me_files_do_not_change_what_a_model_is(model):
    before = content_hash(model)
    (model / "README.md").write_text("new words")
    assert content_hash(model) == before
    (model / "tokenizer.json").write_text("{}")
    assert content_hash(model) != before
