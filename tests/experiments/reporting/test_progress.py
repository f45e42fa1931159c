"""What lasts says how long it has been going on and how long the rest will take."""

import time
from types import SimpleNamespace

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


def test_time_left_runs_down_while_a_step_lasts_and_is_not_said_once_it_has_run_out(monkeypatch):
    clock = iter([10.0, 14.0, 19.0, 21.0])  # half of the work took ten seconds
    steps = progress._Steps(2, started=0.0, since=0.0, said=0.0)
    monkeypatch.setattr(progress, "QUIET_SECONDS", 5.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    steps.tick("fit", 1)
    assert [steps.left() for _ in range(3)] == [", about 6 s left", ", about 1 s left", ""]


def test_what_is_done_at_once_says_only_what_it_is(monkeypatch, capsys):
    lines = printed(monkeypatch, capsys, quiet=15.0, pause=0.0)
    assert lines == ["policies: ease: fit", "policies: als: fit"]
