"""``share`` and ``fetch``: what they take, what would go, and a way there and back over HTTP."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.__main__ import main
from tests.agents.population.hub_server import Hub

ROOT = Path(__file__).parents[3]
TOKEN = "hf_right"


@pytest.fixture
def run(tmp_path):
    """The folder of a run that kept its sessions, with a file that nobody asked for."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps({"experiment": "policy_ranking"}))
    (folder / "report.md").write_text("# ease is best\n")
    for name in ("interactions.parquet", "config.yaml", "evil.py", ".env"):
        (folder / name).write_text(name)
    return folder


def told(monkeypatch, capsys, *words):
    """Exit code, what was printed and the error."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["personarec", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


def test_a_dry_run_lists_what_would_go_and_nothing_else(monkeypatch, capsys, run):
    before = sorted(run.iterdir())
    code, said, _ = told(monkeypatch, capsys, "share", run, "to=me/mine", "--dry-run")
    assert code == 0
    assert "Would go to me/mine (private" in said
    rows = [line.split() for line in said.splitlines() if line.startswith("  ")]
    names = {row[0] for row in rows if row}
    assert names == {"file", "README.md", "config.yaml", "report.md", "results.json", "in"}
    assert "read yours before" in said
    assert "Nothing was sent." in said
    assert sorted(run.iterdir()) == before
    words = ["share", run, "to=me/mine", "sessions=true", "private=false", "--dry-run"]
    _, said, _ = told(monkeypatch, capsys, *words)
    assert "interactions.parquet" in said
    assert "open to everybody" in said
    assert "evil.py" not in said


REFUSED = {
    ("share",): r"share wanted FOLDER to=owner/name, .*; got nothing",
    ("share", "RUN"): r"share wanted FOLDER to=owner/name",
    ("share", "RUN", "to=mine"): r"to wanted a name as owner/name, got 'mine'",
    ("share", "RUN", "to=me/mine", "private=yes"): r"private=false.*got .*private=yes",
    ("share", "nowhere", "to=me/mine"): r"share wanted a folder, found none at 'nowhere'",
    ("share", "EMPTY", "to=me/mine"): r"a folder with population\.json.*with results\.json\), got",
    ("share", "RUN", "to=me/mine", "token=secret123"):
        r"got token=…; a token is taken from HF_TOKEN or `hf auth login` alone",
    ("share", "RUN", "to=hf_abcdefghijklmnopqrstuvwxyzabcdef"):
        r"got a token; a token is taken from HF_TOKEN",
    ("fetch",): r"fetch wanted owner/name, and to=FOLDER, .*; got nothing",
    ("fetch", "mine"): r"fetch wanted owner/name",
    ("fetch", "me/mine", "what=weights"): r"what=population or results",
    ("fetch", "me/mine", "to=EMPTY"): r"wanted a new folder, got one that is there; name another",
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_be_read_is_answered_in_the_words_of_the_command(
    words, monkeypatch, capsys, run, tmp_path
):
    (tmp_path / "empty").mkdir()
    places = {"RUN": str(run), "EMPTY": str(tmp_path / "empty")}
    given = ["=".join(places.get(part, part) for part in word.split("=")) for word in words]
    code, said, error = told(monkeypatch, capsys, *given)
    assert code == 1
    assert re.search(REFUSED[words], error), error
    assert not re.search("hf_abcdef|secret123", said + error)


def test_without_the_package_the_error_is_the_line_that_installs_it(monkeypatch, capsys, run):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    code, _, error = told(monkeypatch, capsys, "share", run, "to=me/mine")
    assert code == 1
    assert "pip install 'personarec[local]'" in error


@pytest.mark.slow  # the command in processes of their own: huggingface_hub reads the address once
def test_results_and_people_go_there_and_come_back_by_command(run, tmp_path):
    hub = Hub(TOKEN)
    home = tmp_path / "home"
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONPATH": str(ROOT),
           "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "COLUMNS": "80",
           "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip

    def command(*words, **more):
        done = subprocess.run(
            [sys.executable, "-m", "experiments", *map(str, words)], env={**env, **more},
            capture_output=True, text=True, cwd=tmp_path, timeout=120,
        )  # fmt: skip
        assert TOKEN not in done.stdout + done.stderr
        return done

    sent = command("share", run, "to=me/mine")
    assert "Shared the results as me/mine, revision " in sent.stdout, sent.stderr
    assert hub.private == {"me/mine": True}
    assert set(hub.files("me/mine")[1]) - {".gitattributes"} == {
        "README.md", "config.yaml", "report.md", "results.json",
    }  # fmt: skip
    hub.commits["me/mine"][-1][1]["evil.py"] = b"raise SystemExit"
    got = command("fetch", "me/mine", "what=results", "to=theirs")
    assert "Fetched the results me/mine into theirs" in got.stdout, got.stderr
    assert {path.name for path in (tmp_path / "theirs").iterdir()} == {
        "README.md", "config.yaml", "report.md", "results.json",
    }  # fmt: skip
    refused = command("share", run, "to=me/mine", HF_TOKEN="hf_wrong")
    assert refused.returncode == 1
    assert "log in with `hf auth login` or HF_TOKEN" in refused.stderr
    hub.close()
    gone = command("fetch", "me/other", "what=results")
    assert gone.returncode == 1
    assert "check the name, the network, or `hf auth login`" in gone.stderr
