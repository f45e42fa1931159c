"""A reader finds the old file or the new one."""

import numpy as np
import pytest

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
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_whole(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_goes_by_the_suffix_is_given_it(tmp_path):
    replace_whole(tmp_path / "a.npz", lambda path: np.savez(path, x=np.arange(3)))
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
