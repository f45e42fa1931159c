"""A reader finds the old file or the new one."""

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import simenv.whole_files as whole_files
from simenv.whole_files import replace_whole, write_whole


def test_bytes_and_text_are_written_as_given(tmp_path):
    write_whole(tmp_path / "a.bin", b"\x00\r\n")
    write_whole(tmp_path / "a.txt", "naïve\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "a.txt").read_bytes() == "naïve\n".encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.txt"]


def test_while_it_is_written_the_old_content_stands(tmp_path):
    path = tmp_path / "state.json"
    write_whole(path, "old")

    def write(unfinished):
        unfinished.write_text("new")
        assert path.read_text() == "old"

    replace_whole(path, write)
    assert path.read_text() == "new"


def test_a_writer_that_fails_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "state.json"
    write_whole(path, "old")

    def write(unfinished):
        unfinished.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*/state\.json'"):
        replace_whole(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_goes_by_the_suffix_is_given_it(tmp_path):
    replace_whole(tmp_path / "a.npz", lambda path: np.savez(path, x=np.arange(3)))
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]


WRITES = """
import sys
from pathlib import Path
from simenv.whole_files import write_whole
for number in range(60):
    write_whole(Path(sys.argv[1]), sys.argv[2] * (100_000 + number))
"""


def test_two_processes_may_write_one_file_at_once(tmp_path):
    """They shared the unfinished file: one moved the other's half into place, the other failed."""
    path = tmp_path / "results.json"
    command = [sys.executable, "-c", WRITES, str(path)]
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen([*command, letter], cwd=root) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            found = path.read_text()
            assert set(found) in ({"a"}, {"b"})
            assert len(found) >= 100_000
    assert [writer.returncode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from simenv.whole_files import replace_whole\n"
        "replace_whole(Path(sys.argv[1]), lambda p: (p.write_text('x'), os._exit(9)))"
    )
    for name in ("a[1].json", "b"):
        path = tmp_path / name
        done = subprocess.run([sys.executable, "-c", code, path], cwd=Path(__file__).parents[2])
        assert done.returncode == 9
        assert len(list(tmp_path.iterdir())) == 1
        write_whole(path, "new")
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "new")]
        path.unlink()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_a_writer_that_was_killed_before_it_wrote_anything_leaves_nothing_for_long(tmp_path, make):
    make(tmp_path / ".a.json.00c0ffee.part.json")
    write_whole(tmp_path / "a.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_place_that_another_took_for_a_leftover_is_claimed_anew(tmp_path, monkeypatch):
    made = []

    def lost(path):
        made.append(path)
        return None if len(made) == 1 else real(path)

    real = whole_files._locked
    monkeypatch.setattr(whole_files, "_locked", lost)
    with whole_files.replaced_folder(tmp_path / "a") as folder:
        assert folder == made[1] != made[0]
        assert not made[0].exists()
        (folder / "x").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "x"]


def test_where_there_are_no_locks_files_are_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "_locked", lambda path: None)
    write_whole(tmp_path / "a", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "new")]


def test_one_at_a_time_is_alone_in_a_folder(tmp_path):
    with whole_files.alone_in(tmp_path) as first, whole_files.alone_in(tmp_path) as second:
        assert (first, second) == (True, False)
    with whole_files.alone_in(tmp_path) as later:
        assert later


def test_everybody_is_alone_on_a_disk_that_has_no_locks(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with whole_files.alone_in(tmp_path) as first, whole_files.alone_in(tmp_path) as second:
        assert first
        assert second


def test_a_file_that_is_still_written_is_no_leftover(tmp_path):
    path = tmp_path / "a.json"

    def write(unfinished):
        unfinished.write_text("first")
        write_whole(path, "second")
        assert unfinished.exists()

    replace_whole(path, write)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
