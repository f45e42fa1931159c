"""``personarec inspect``: what a folder of people says, with no language model."""

import pytest

from experiments.command_line.options import OptionError
from experiments.verbs.inspect_population import show_population


def inspected(monkeypatch, capsys, *words):
    monkeypatch.setenv("COLUMNS", "80")
    show_population(words)
    return capsys.readouterr().out


@pytest.mark.slow  # reads the shipped people
def test_the_shipped_people_their_groups_and_what_may_be_believed(monkeypatch, capsys):
    shown = inspected(monkeypatch, capsys)
    for said in (
        "400",
        "600, each called a movie",
        "persona-3",
        'says "pass"',
        "data.seed=2025",
    ):
        assert said in shown, said
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.slow  # reads the shipped people
def test_one_person_with_profile_and_latest_memories(monkeypatch, capsys):
    shown = inspected(monkeypatch, capsys, "user=3")
    assert "persona-1" in shown
    assert "I gave 3.8 on average" in shown
    assert "latest memories" in shown
    assert "You judge for yourself." in shown  # as the prompt says it, not "conformity high"
    with pytest.raises(
        OptionError, match=r"inspect wanted a user in \[0, 400\), got 400; set user"
    ):
        show_population(["user=400"])


def test_another_option_is_refused_with_those_that_there_are():
    wanted = r"inspect wanted population=FOLDER \(or a hub id\) and user=NUMBER, got people=x"
    with pytest.raises(OptionError, match=wanted):
        show_population(["people=x"])


def test_a_folder_that_holds_no_people_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"wanted a folder with population\.json"):
        show_population([f"population={tmp_path}"])
