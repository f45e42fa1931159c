"""The frame around every experiment: one place that writes, whole files, and a last line."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments.reporting import running
from experiments.reporting.result import Result
from experiments.reporting.running import perform


def good(cfg):
    return Result(
        {"experiment": cfg.experiment.name, "stars": 3.5},
        pages={"report.md": lambda record: f"{record.results['stars']} stars\n{record.command}"},
        frames={"table.csv": pd.DataFrame({"user": [1]}), "all.parquet": pd.DataFrame({"u": [2]})},
        lines=["[3.5] stars"],
    )


def failing(cfg):
    return Result({"stars": None}, pages={"report.html": "nothing"}, error="every policy failed")


def with_a_bad_page(cfg):
    return Result({"stars": 1}, pages={"report.html": lambda record: record.results["none"]})


def going_on(cfg):
    earlier = OmegaConf.create({**OmegaConf.to_container(cfg), "seed": 9})
    earlier.output_dir = cfg.resume
    return Result({"stars": 1}, config=earlier)


def nothing(cfg):
    return None


def config(folder, run, **more):
    here = {"experiment": {"name": "toy", "run": f"{__name__}.{run}"}, "output_dir": str(folder)}
    return OmegaConf.create({**here, "seed": 4, **more})


@pytest.fixture(autouse=True)
def _found_by_name(monkeypatch):
    """Under importlib mode this module is not importable by a dotted path."""
    monkeypatch.setattr(running, "get_method", lambda path: globals()[path.rpartition(".")[2]])


def test_a_result_becomes_files_with_figures_provenance_and_config(tmp_path):
    results = perform(config(tmp_path, "good", twice="${seed}"))
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == results
    assert results["stars"] == 3.5
    assert results["provenance"]["seed"] == 4
    assert OmegaConf.load(tmp_path / "config.yaml").twice == 4
    command = results["provenance"]["command"]
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == f"3.5 stars\n`{command}`\n"
    assert pd.read_csv(tmp_path / "table.csv").user.tolist() == [1]
    assert pd.read_parquet(tmp_path / "all.parquet").u.tolist() == [2]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"results.json", "config.yaml", "report.md", "table.csv", "all.parquet"}


def test_lines_are_printed_as_they_are_and_the_last_names_the_report(tmp_path, capsys):
    perform(config(tmp_path, "good"))
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["[3.5] stars", f"Report: {tmp_path / 'report.md'}"]


def test_a_report_below_the_working_folder_is_named_as_one_would_type_it(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path.parent)
    perform(config(tmp_path, "good"))
    assert capsys.readouterr().out.endswith(f"Report: {Path(tmp_path.name) / 'report.md'}\n")


def test_a_run_that_failed_in_the_end_leaves_its_files_and_raises(tmp_path):
    with pytest.raises(RuntimeError, match="every policy failed"):
        perform(config(tmp_path, "failing"))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "nothing"


def test_a_page_that_cannot_be_made_does_not_take_the_figures_along(tmp_path):
    with pytest.raises(KeyError):
        perform(config(tmp_path, "with_a_bad_page"))
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["stars"] == 1
    assert not (tmp_path / "report.html").exists()


def test_a_run_that_is_taken_up_again_writes_where_it_began(tmp_path):
    results = perform(config(tmp_path / "new", "going_on", resume=str(tmp_path)))
    assert results["provenance"]["config"]["seed"] == 9
    assert (tmp_path / "results.json").exists()
    assert not (tmp_path / "new" / "results.json").exists()


def test_nothing_to_report_writes_nothing(tmp_path):
    assert perform(config(tmp_path, "nothing")) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_missing_value_stops_the_run_before_it_begins(tmp_path):
    with pytest.raises(ValueError, match=r"toy wanted a value for path; add path=… to the"):
        perform(config(tmp_path, "good", path="???"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": {"b": [1, math.nan]}}, r"finite numbers or None, got nan at values\.a\.b\.1"),
        ({"a": math.inf}, r"finite numbers or None, got inf at values\.a"),
        ({"a": {3: 1}}, r"text as keys, got 3 at values\.a"),
        ({"a": {1, 2}}, r"JSON values, got set at values\.a; convert it first"),
    ],
)
def test_figures_that_strict_json_does_not_hold_are_refused_with_their_place(values, message):
    with pytest.raises(ValueError, match=message):
        Result(values)


def test_one_file_has_one_content_and_a_known_format():
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(ValueError, match=r"figures in values, got a file results\.json"):
        Result({}, pages={"results.json": "{}"})
    with pytest.raises(ValueError, match=r"one content a file, got a\.csv as page and frame"):
        Result({}, pages={"a.csv": ""}, frames={"a.csv": frame})
    with pytest.raises(ValueError, match=r"end in \.csv or \.parquet, got a\.xlsx; give"):
        Result({}, frames={"a.xlsx": frame})
