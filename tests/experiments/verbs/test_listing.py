"""``personarec list``: every choice stands there with a line of its own."""

import re
from pathlib import Path

import pytest

from experiments.command_line.experiments_said import AIMS, experiments, groups
from experiments.command_line.options import OptionError
from experiments.verbs.listing import GROUPS, _said, show_list

ROOT = Path(__file__).parents[3]


def listed(monkeypatch, capsys, *words):
    monkeypatch.setenv("COLUMNS", "80")
    show_list(words)
    return capsys.readouterr().out


def test_every_choice_of_every_group_is_listed_with_what_it_is(monkeypatch, capsys):
    lines = [line.split() for line in listed(monkeypatch, capsys).splitlines()]
    told = {line[0] for line in lines if len(line) > 2}
    for group, names in groups().items():
        assert group in GROUPS, f"{group} is missing in listing.GROUPS"
        assert set(names) <= told, group


def test_one_group_is_listed_alone_in_the_plural_too_and_within_eighty_columns(monkeypatch, capsys):
    shown = listed(monkeypatch, capsys, "engines")
    assert shown == listed(monkeypatch, capsys, "engine")
    assert "recording" in shown
    assert "item_knn" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_brackets_of_an_extra_are_printed_and_not_taken_for_a_style(monkeypatch, capsys):
    assert "needs personarec[rec]" in listed(monkeypatch, capsys, "recommender")


def test_a_group_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(OptionError, match=r"list wanted one of .*, got engin; .* mean engine\?"):
        show_list(["engin"])


def test_no_line_stops_in_the_middle_of_a_sentence():
    for group, names in groups().items():
        for name in names if group != "experiment" else ():
            said = _said(group, name)
            assert not re.search(r"(,|\b(and|or|then|the|a|of|in|with|by))$", said), (
                f"{name}: {said}"
            )


def test_the_reference_has_every_experiment():
    page = (ROOT / "docs/reference/experiments.md").read_text(encoding="utf-8")
    told = re.findall(r"^::: experiments\.([\w.]+)$", page, re.MULTILINE)
    assert sorted(name.replace(".", "_") for name in told) == sorted(experiments())


def test_every_experiment_says_what_it_is_for_what_it_needs_and_takes():
    for name, said in experiments().items():
        assert said.aim in AIMS, name
        assert said.question, name
        assert said.takes, name
        assert said.needs, f"{name} says no NEEDS; 'nothing more' is what make demo installs"
