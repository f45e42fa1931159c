"""A student is distilled, measured and used, and every report says so."""

import pytest

from agents.student.counting import StudentCount
from experiments.reporting.before_you_quote import student_sentence, with_student_answers
from experiments.reporting.result import Record, Result
from tests.experiments.command import run_command

FEW = (
    "engine=scripted", "num_users=12", "recommender=[random,popularity]",
    "env.max_episode_steps=2",
)  # fmt: skip
SHIPPED = ("data=population", "data.path=shipped", "users.population=shipped")


@pytest.mark.slow
def test_a_student_is_made_and_answers_in_another_experiment(tmp_path):
    made = tmp_path / "made"
    results = run_command(
        made, "experiment=student", *FEW, "experiment.questions=1500", "experiment.rounds=1",
        "experiment.student={epochs: 2, width: 16}",
    )  # fmt: skip
    assert results["learning"]["student"]["nats"] > results["learning"]["cascade"]["nats"]
    assert results["orders"]["tau"] in (-1.0, 1.0)
    assert 0 < results["orders"]["share_asked"] < 0.2
    assert results["speed"]["ratio"]["median"] > 0
    assert results["held_out"]["num_ratings"] > 20
    used = run_command(
        tmp_path / "used", "experiment=policy_ranking", *FEW, *SHIPPED,
        f"users.student={made / 'student'}",
    )  # fmt: skip
    counted = used["answered_by_student"]
    assert counted["questions"] > counted["asked"] > 0
    assert used["users"]["student"]["unsure"] == results["unsure"]
    for page in ("report.md", "report.html"):
        assert "A student answered in the place of the language model" in (
            tmp_path / "used" / page
        ).read_text(encoding="utf-8")


def test_a_result_says_that_a_student_answered_and_how_much_was_asked():
    result = Result({"x": 1}, pages={"report.md": "# T\n\nwords\n"}, lines=["l"])
    said = with_student_answers(result, StudentCount(2000, 30))
    assert said.values["answered_by_student"] == {
        "questions": 2000, "asked": 30, "share_asked": 0.015
    }  # fmt: skip
    text = (
        "A student answered in the place of the language model, which was asked 30 of 2,000"
        " questions (1.5 %): where the student was unsure."
    )
    assert student_sentence(said.values) == text
    assert str(said.lines[0]) == text
    page = said.pages["report.md"](Record({"provenance": {}}, ""))
    assert page.startswith(f"# T\n\n> {text}\n")
    assert with_student_answers(result, StudentCount()) is result
    assert student_sentence(result.values) == ""


@pytest.mark.slow
def test_a_limit_of_doubt_without_a_student_is_refused(tmp_path, capsys):
    words = ("experiment=policy_ranking", "debug=tiny", "engine=scripted", "users.unsure=0.1")
    with pytest.raises(SystemExit):
        run_command(tmp_path, *words)
    said = " ".join(capsys.readouterr().err.split())
    assert "users.unsure=0.1 wanted a student whose doubt it limits, got none" in said
