"""A checkpoint that a kill, a full disk or a lost file has spoilt is never gone on from."""

import pytest

from training.adapters.checkpoints import SEAL, last_checkpoint, seal


@pytest.fixture
def work(tmp_path):
    for step in (4, 9, 10):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "optimizer.pt").write_bytes(bytes(range(100)))
        (folder / "trainer_state.json").write_text("{}")
        seal(folder)
    (tmp_path / "checkpoint-best").mkdir()
    return tmp_path


def test_the_newest_is_taken_by_its_number(work):
    assert last_checkpoint(work) == str(work / "checkpoint-10")


def test_where_nothing_was_saved_there_is_none(tmp_path):
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "missing") is None


SPOILT = {
    "cut": lambda folder: (folder / "optimizer.pt").write_bytes(bytes(range(50))),
    "zeros": lambda folder: (folder / "optimizer.pt").write_bytes(bytes(100)),
    "a lost file": lambda folder: (folder / "optimizer.pt").unlink(),
    "a file too many": lambda folder: (folder / "scaler.pt").touch(),
    "killed before the seal": lambda folder: (folder / SEAL).unlink(),
    "a torn seal": lambda folder: (folder / SEAL).write_text('{"opt'),
    "bytes for a seal": lambda folder: (folder / SEAL).write_bytes(b"\xff\x00"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_one_that_is_not_whole_is_removed_for_the_one_before(work, how):
    SPOILT[how](work / "checkpoint-10")
    assert last_checkpoint(work) == str(work / "checkpoint-9")
    assert not (work / "checkpoint-10").exists()
    assert (work / "checkpoint-4").exists()


def test_where_all_are_torn_a_run_begins_anew(work):
    for step in (4, 9, 10):
        (work / f"checkpoint-{step}" / "trainer_state.json").write_text("")
    assert last_checkpoint(work) is None
