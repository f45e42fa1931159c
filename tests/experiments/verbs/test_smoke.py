"""``personarec smoke``: a verdict a part; what is not installed is no failure."""

import pytest

from experiments.command_line.options import OptionError
from experiments.verbs.smoke import PARTS, Part, smoke


def fails(folder):
    raise ValueError("stars wanted 1 to 5, got 6; mend them")


def lacks(folder):
    raise ImportError("ALS needs implicit: pip install personarec[rec]") from ModuleNotFoundError()


def test_one_part_that_fails_makes_the_exit_code_1_and_the_others_are_tried(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    parts = [Part("first", "fails", fails), Part("second", "works", lambda folder: None)]
    assert smoke([], parts) == 1
    shown = capsys.readouterr().out
    assert "first, FAIL: stars wanted 1 to 5, got 6; mend them" in shown
    assert "1 pass, 1 FAIL" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_what_is_not_installed_is_left_out_with_the_line_that_installs_it(capsys):
    assert smoke([], [Part("als", "a policy", lacks)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "als, left out: ALS needs implicit: pip install personarec[rec]" in shown


def test_a_part_leaves_no_files(tmp_path):
    seen = []

    def writes(folder):
        (folder / "x").write_text("y", encoding="utf-8")
        seen.append(folder)

    assert smoke([], [Part("writes", "a file", writes)]) == 0
    assert not seen[0].exists()


def test_further_words_are_refused():
    with pytest.raises(OptionError, match=r"smoke wanted no further words, got data=tiny"):
        smoke(["data=tiny"])


@pytest.mark.slow  # seconds each; the whole of it is personarec smoke
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_passes(part, capsys):
    assert smoke([], [part]) == 0
    assert "1 pass" in capsys.readouterr().out
