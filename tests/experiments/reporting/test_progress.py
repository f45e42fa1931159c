"""What lasts says how long it has been going on and how long the rest will take."""

import time

from experiments.reporting import progress
from experiments.reporting.progress import progress_bar


def printed(monkeypatch, capsys, quiet, pause):
    monkeypatch.setattr(progress, "QUIET_SECONDS", quiet)
    with progress_bar("policies", total=4) as tick:
        tick("ease: fit")
        time.sleep(pause)
        tick("ease: fit", advance=2)
        tick("als: fit")
        time.sleep(pause)
    return capsys.readouterr().err.splitlines()


def test_a_step_that_lasts_says_what_it_is_and_how_long_so_far(monkeypatch, capsys):
    lines = printed(monkeypatch, capsys, quiet=0.1, pause=0.5)
    assert lines[0] == "policies: ease: fit"
    assert lines[1].startswith("policies: ease: fit, 0 s so far")


def test_once_a_part_is_done_the_rest_is_estimated(monkeypatch, capsys):
    lines = printed(monkeypatch, capsys, quiet=0.1, pause=0.5)
    assert any(line.startswith("policies: als: fit, about ") for line in lines)
    assert any("so far, about" in line and line.endswith("left") for line in lines)


def test_what_is_done_at_once_says_only_what_it_is(monkeypatch, capsys):
    lines = printed(monkeypatch, capsys, quiet=15.0, pause=0.0)
    assert lines == ["policies: ease: fit", "policies: als: fit"]
