"""People on disk answer an experiment as people in memory do."""

import pytest

from experiments.people.people import People
from experiments.simulate.build import cast
from tests.experiments.command import run_command

FEW = (
    "experiment=policy_ranking", "debug=tiny", "engine=scripted", "num_users=12",
    "recommender=[random,popularity]",
)  # fmt: skip


@pytest.mark.slow
def test_a_ranking_by_people_on_disk_is_the_ranking_by_people_in_memory(tmp_path):
    disk = tmp_path / "crowd"
    found = run_command(tmp_path / "disk", *FEW, f"users.on_disk={disk}")
    usual = run_command(tmp_path / "memory", *FEW)
    assert found["users"]["on_disk"] is True
    assert (disk / "crowd.json").exists()
    for mine, theirs in zip(found["policies"], usual["policies"], strict=True):
        assert mine["simulated"] == theirs["simulated"]
    assert found["fidelity"] == usual["fidelity"]


def test_a_society_refuses_people_on_disk_and_says_why():
    people = People(None, {"on_disk": True})
    with pytest.raises(ValueError, match=r"wanted people in memory, got users\.on_disk: in a soci"):
        cast(None, people, 0.0, 0)


@pytest.mark.slow
def test_a_student_and_people_on_disk_are_not_both(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_command(tmp_path, *FEW, f"users.on_disk={tmp_path / 'c'}", "users.student=somewhere")
    assert "leave one of the two out" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_a_folder_of_something_else_is_not_replaced(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(SystemExit):
        run_command(tmp_path / "run", *FEW, f"users.on_disk={tmp_path / 'mine'}")
    said = " ".join(capsys.readouterr().err.split())
    assert "wanted an empty folder, or one of a crowd to be replaced" in said
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
