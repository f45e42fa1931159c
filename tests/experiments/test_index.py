"""An index of runs: what each said, a link that leads there, and no trust in what it reads."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from omegaconf import OmegaConf

from experiments.__main__ import main
from experiments.index.finished_runs import headline, runs_below
from experiments.index.run import run
from experiments.reporting.running import finished, write

HOSTILE = "<script>alert(1)</script> \"x\" & 'y'"


def a_run(
    folder, name="policy_ranking", started="2026-11-01T10:00:00+00:00", config=None, **values
):
    folder.mkdir(parents=True)
    made = {"command": f"personarec experiment={name}", "started": started, "seconds": 12.3,
            "git": {"commit": "abcdef0123", "dirty": True}, "config": config}  # fmt: skip
    results = {"experiment": name, "provenance": made, **values}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def index_of(folder):
    """The page over a folder, as the command writes it."""
    cfg = OmegaConf.create({
        "experiment": {"name": "index", "run": "experiments.index.run.run", "folder": str(folder)},
        "output_dir": str(folder / "index"), "seed": 0,
    })  # fmt: skip
    result = run(cfg)
    (folder / "index").mkdir(exist_ok=True)
    write(result, finished(result, cfg, datetime.now(UTC)), folder / "index")
    return (folder / "index" / "index.html").read_text(encoding="utf-8"), result


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src")]


def test_every_run_is_linked_and_the_links_lead_to_their_reports(tmp_path):
    for name in ("a", "deep/er/b", "odd #1 %20? : é"):
        (a_run(tmp_path / name) / "report.html").write_text("<h1>Fine</h1>", encoding="utf-8")
    a_run(tmp_path / "c", "throughput")
    page, result = index_of(tmp_path)
    links = Links(page).found
    assert len(links) == 4
    for link in links:
        assert (tmp_path / "index" / unquote(link)).resolve().is_file()
        assert ":" not in link.split("/")[0]
    assert result.values["no_runs"] == []
    assert "4 runs of 2 experiments" in page


def test_the_newest_run_stands_first_and_debug_and_warnings_are_said(tmp_path):
    a_run(tmp_path / "old", started="2026-01-01T00:00:00+00:00", debug="tiny")
    a_run(tmp_path / "older", started="2025-01-01T00:00:00+00:00", config={"debug": "tiny"})
    card = {"warning": "No language model answered."}
    a_run(tmp_path / "new", started="2026-02-01T00:00:00+00:00", users=card,
          failures=[{"part": "traces", "message": "KeyError: 1"}])  # fmt: skip
    runs, _ = runs_below(tmp_path, tmp_path / "index")
    assert [one["folder"] for one in runs] == ["new", "old", "older"]
    assert runs[1]["notes"] == runs[2]["notes"] == ["debug=tiny"]
    assert runs[0]["notes"][0] == "No language model answered."
    assert "traces (KeyError: 1)" in runs[0]["notes"][1]
    assert runs[0]["commit"] == "abcdef0+"


def test_nothing_that_a_run_holds_is_read_as_markup(tmp_path):
    folder = a_run(tmp_path / "<b>x", HOSTILE, users={"warning": HOSTILE}, debug=HOSTILE)
    (folder / "report.md").write_text("# \\<i>best&lt;/i> wins\n", encoding="utf-8")
    page, _ = index_of(tmp_path)
    body = page.split("</style>")[1]
    assert "<script" not in body
    assert "<b>" not in body
    assert "<i>" not in body
    assert body.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "&lt;i&gt;best&lt;/i&gt; wins" in body


@pytest.mark.parametrize(
    "text", ["{", "[1]", "{}", '{"experiment": "x"}', '{"experiment": 1, "provenance": {}}', "\x00"]
)
def test_a_file_that_is_no_result_is_named_and_the_others_are_shown(text, tmp_path):
    a_run(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text(text, encoding="utf-8")
    page, result = index_of(tmp_path)
    assert [one["file"] for one in result.values["no_runs"]] == ["bad/results.json"]
    assert "1 run of 1 experiment; 1 results.json could not be read" in page
    assert "bad/results.json" in page


@pytest.mark.parametrize(
    "odd", [{"failures": 3}, {"failures": [1]}, {"failed_answers": "x"}, {"users": [1]}]
)
def test_a_result_of_another_shape_still_has_its_row(odd, tmp_path):
    a_run(tmp_path / "odd", **odd)
    assert len(runs_below(tmp_path, tmp_path / "index")[0]) == 1


def test_the_index_does_not_list_itself_when_it_is_made_again(tmp_path):
    a_run(tmp_path / "a")
    first, _ = index_of(tmp_path)
    again, result = index_of(tmp_path)
    assert len(result.values["runs"]) == 1
    assert len(Links(again).found) == len(Links(first).found) == 1


def test_what_a_tracker_keeps_once_more_is_no_second_run(tmp_path):
    a_run(tmp_path / "a")
    a_run(tmp_path / "mlruns" / "1" / "2" / "artifacts")
    (tmp_path / "mlruns" / "1" / "2" / "meta.yaml").touch()
    assert [one["folder"] for one in runs_below(tmp_path, tmp_path / "index")[0]] == ["a"]


def test_a_folder_that_is_missing_or_has_no_runs_is_an_error_with_the_cure(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"experiment\.folder=.* no such folder; check"):
        runs_below(tmp_path / "nowhere", tmp_path / "index")
    with pytest.raises(ValueError, match=r"wanted runs, folders with a results\.json; found none"):
        runs_below(tmp_path, tmp_path / "index")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("report.html", "<title>x</title><h1>a &amp; <b>b</b>\n c</h1><h1>d</h1>", "a & b c"),
        ("report.md", "intro\n# a \\| b\n# c\n", "a | b"),
        ("table.md", "no heading\n", ""),
        ("results.json", "{}", ""),
    ],
)
def test_the_first_heading_is_what_a_report_says(name, text, said, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert headline(tmp_path / name) == said


def test_the_command_runs_makes_the_index_beside_the_runs(monkeypatch, tmp_path, capsys):
    a_run(tmp_path / "my runs" / "first")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr("sys.argv", ["personarec", "runs", "my runs"])
    main()
    said = capsys.readouterr().out
    assert "1 run of 1 experiment" in said
    assert "Report: my runs/index/index.html" in said
    tables = sorted(path.name for path in Path("my runs/index/tables").iterdir())
    assert tables == ["01_policy_ranking.csv", "01_policy_ranking.tex"]
    assert re.search(r"^first,", Path("my runs/index/tables", tables[0]).read_text(), re.MULTILINE)
