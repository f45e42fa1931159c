"""One training at a time in a folder; training itself is tested where it is used."""

import pytest

from simenv.whole_files import alone_in
from training.adapters.runs import train_once


def never(*given):
    raise AssertionError("nothing may be trained")


def test_a_second_run_of_the_same_training_is_refused_while_the_first_is_at_it(tmp_path):
    work = tmp_path / "it.abc.training"
    work.mkdir()
    (work / "checkpoint").touch()
    with (
        alone_in(work),
        pytest.raises(
            RuntimeError, match=r"it' wanted to be alone .*; wait until .*output_dir=FOL"
        ),
    ):
        train_once(tmp_path / "it", "abc", never, dict)
    assert (work / "checkpoint").exists(), "what the first has is left alone"


def test_a_training_that_cannot_begin_leaves_nothing(tmp_path):
    def refused(*given):
        raise ValueError("too long")

    with pytest.raises(ValueError, match="too long"):
        train_once(tmp_path / "runs" / "it", "abc", refused, dict)
    assert list((tmp_path / "runs").iterdir()) == []


def test_another_training_in_the_folder_is_refused_in_the_words_of_both_doors(tmp_path):
    (tmp_path / "it").mkdir()
    with pytest.raises(FileExistsError, match=r"something else .* new folder \(output_dir=FOLDER"):
        train_once(tmp_path / "it", "abc", never, dict)
