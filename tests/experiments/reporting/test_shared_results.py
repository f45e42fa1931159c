"""A run's results on a stand-in for the hub and back: known files alone, the report as the card."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.reporting.on_hub.shared_results import card, read_results, share_results
from tests.agents.population.hub_server import Hub

ROOT = Path(__file__).parents[3]
RESULTS = {
    "experiment": "policy_ranking",
    "provenance": {
        "command": "personarec experiment=policy_ranking", "python": "3.11.7", "ended": "2026",
        "git": {"commit": "abc123"}, "packages": {"personarec": "0.1.0"},
    },
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """The folder of a run, with files of all kinds."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(RESULTS))
    (folder / "report.md").write_text("# ease is best: 3.51 stars\n")
    for name in ("interactions.parquet", "config.yaml", "evil.py", "answers.jsonl"):
        (folder / name).write_text(name)
    return folder


def test_the_card_is_the_report_with_its_command_version_and_commit():
    text = card(RESULTS, "# ease is best: 3.51 stars\n")
    assert text.startswith("---\nlibrary_name: personarec\n")
    for said in ("ease is best: 3.51", "PersonaRec 0.1.0, commit abc123", "personarec experiment"):
        assert said in text
    assert "tiny world" not in text
    assert "no figure of this page means anything" in card({**RESULTS, "debug": "tiny"}, "")


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"wanted the folder of a run with results\.json"):
        share_results(tmp_path, "owner/run")
    (tmp_path / "results.json").write_text("[")
    with pytest.raises(ValueError, match=r"results\.json: no JSON"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text("[]")
    with pytest.raises(ValueError, match="wanted an object, got list"):
        read_results(tmp_path)


@pytest.mark.slow  # huggingface_hub in a process of its own
def test_results_go_to_the_hub_and_come_back(run, tmp_path):
    hub = Hub()
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"),
           "HF_TOKEN": "hf_right", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "0",
           "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
    code = f"""
from experiments.reporting.on_hub.shared_results import *
commit = share_results({str(run)!r}, "owner/run")
print(read_results(shared_results("owner/run", commit))["experiment"])
share_results({str(run)!r}, "owner/all", sessions=True)
"""
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    hub.close()
    assert done.stdout.strip() == "policy_ranking", done.stderr
    known = {"results.json", "report.md", "config.yaml", "README.md", ".gitattributes"}
    assert set(hub.files("owner/run")[1]) - {".gitattributes"} == known - {".gitattributes"}
    assert "interactions.parquet" in hub.files("owner/all")[1]
    assert "ease is best" in hub.files("owner/run")[1]["README.md"].decode()
    assert hub.private == {"owner/run": True, "owner/all": True}
