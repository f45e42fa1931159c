"""The stage as a command, offline and with a model behind a server."""

import json

import pytest

from tests.experiments.command import run_command
from tests.training.distillation.reflecting_server import ReflectingServer

SECRET = "sk-do-not-tell-4711"


def run(folder, *words):
    return run_command(folder, "experiment=distil", "debug=tiny", *words)


def people(folder):
    lines = (folder / "people.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_offline_people_need_no_model(tmp_path):
    results = run(tmp_path)
    assert len(people(tmp_path)) == results["num_users"] == 24
    assert {person["told_by"] for person in people(tmp_path)} == {"offline"}
    assert sum(len(person["reasons"]) for person in people(tmp_path)) == results["num_ratings"]
    assert results["spending"]["cost"] == 0


@pytest.mark.slow  # three runs of the command against a server
def test_a_model_writes_the_people_and_one_failure_is_marked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_MODEL", "base")
    words = [
        "distiller=openai", f"distiller.cache={tmp_path / 'cache'}", "distiller.input_price=1",
        "distiller.output_price=2", "distiller.max_cost=5",
    ]  # fmt: skip
    with ReflectingServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        dry = run(tmp_path, *words, "experiment.dry_run=true")
        assert server.sent == []
        run(tmp_path, *words)
        assert len(server.sent) == dry["estimate"]["requests"] > 0
        title = json.loads(server.sent[0].body["messages"][1]["content"])["ratings"][0]["title"]
        server.bad[title] = ["few"] * 99
        results = run(tmp_path, *words, "distiller.seed=1")
    found = people(tmp_path)
    failed = [person for person in found if person["failure"]]
    assert 0 < len(failed) == len(results["failures"]) < 24
    assert {person["told_by"] for person in failed} == {"offline"}
    assert results["told_by_model"] == sum(p["told_by"] == "model" for p in found) > 0
    assert all("wanted one reason for each" in person["failure"] for person in failed)
    written = "".join(p.read_text("utf-8") for p in tmp_path.glob("*.json*"))
    assert SECRET not in written + str(capsys.readouterr())
