"""Answers of a run on disk: torn files, other patience, stand-ins, two processes."""

from functools import partial

import numpy as np
import pytest

from agents.inference.engine import Request
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.kept_answers import AnswerFiles, keeping
from agents.inference.wrapped.tolerant import TolerantEngine, tolerant_engine

STARS = ("1", "2", "3", "4", "5")
ROWS = {bytes([n]) * 32: np.log(np.full(5, 0.2)) + n for n in range(20)}


class Asked(ScriptedEngine):
    """Counts; takes settings that shape an answer and such that do not."""

    asked = 0

    def __init__(self, model, adapters=None, spread=0.9, timeout=1.0):
        super().__init__(spread)

    def score(self, requests, choices):
        type(self).asked += len(requests)
        return super().score(requests, choices)


@pytest.fixture(autouse=True)
def _nothing_asked():
    Asked.asked = 0


def ask(maker, *, num=3):
    engine = maker("model")
    found = engine.score([Request("", f"AVERAGE {n}.0") for n in range(1, num + 1)], STARS)
    engine.close()
    return found


@pytest.mark.parametrize("torn", [1, 3, 40, 77])
def test_a_file_cut_off_anywhere_keeps_every_whole_record(tmp_path, torn):
    files = AnswerFiles(tmp_path)
    files.put(ROWS)
    files.close()
    (path,) = tmp_path.glob("*.answers")
    path.write_bytes(path.read_bytes()[:-torn])
    found = AnswerFiles(tmp_path)
    assert len(found) == 19
    for key, row in found.get(list(ROWS), 5).items():
        np.testing.assert_array_equal(row, ROWS[key])
    found.put(ROWS)
    found.close()
    assert len(AnswerFiles(tmp_path)) == 20


def test_a_flipped_byte_is_no_answer(tmp_path):
    files = AnswerFiles(tmp_path)
    files.put(ROWS)
    files.close()
    (path,) = tmp_path.glob("*.answers")
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(bytes(data))
    assert len(AnswerFiles(tmp_path)) == 0


def test_rows_that_are_no_distribution_are_not_kept(tmp_path):
    files = AnswerFiles(tmp_path)
    files.put({b"a" * 32: np.array([np.nan, 0.0]), b"b" * 32: np.array([np.inf, 0.0])})
    assert len(files) == 0


def test_two_at_once_write_files_of_their_own(tmp_path):
    first, second = AnswerFiles(tmp_path), AnswerFiles(tmp_path)
    keys = list(ROWS)
    first.put({keys[0]: ROWS[keys[0]]})
    second.put({keys[1]: ROWS[keys[1]]})
    first.close()
    second.close()
    assert len(AnswerFiles(tmp_path)) == 2


def test_more_patience_finds_the_answers_and_another_model_does_not(tmp_path):
    first = ask(keeping(partial(Asked, timeout=1.0), tmp_path))
    assert Asked.asked == 3
    np.testing.assert_array_equal(ask(keeping(partial(Asked, timeout=60.0), tmp_path)), first)
    assert Asked.asked == 3
    ask(keeping(partial(Asked, spread=0.5), tmp_path))
    assert Asked.asked == 6


def test_tolerance_stays_outside_of_what_is_kept(tmp_path):
    maker = keeping(partial(tolerant_engine, engine=Asked), tmp_path)
    assert isinstance(maker("model"), TolerantEngine)
    ask(maker)
    ask(maker)
    assert Asked.asked == 3


def test_stand_ins_of_an_engine_are_never_kept(tmp_path):
    def masking(model, adapters=None):
        return TolerantEngine(Asked(model, adapters))

    ask(keeping(masking, tmp_path))
    ask(keeping(masking, tmp_path))
    assert Asked.asked == 6
    assert not list(tmp_path.glob("*.answers"))


def test_a_full_disk_costs_no_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    found = ask(keeping(Asked, tmp_path / "file"))
    assert found.shape == (3, 5)
    assert "are not kept any more" in caplog.text
