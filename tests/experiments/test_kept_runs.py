"""What was paid for stays: a late failure, a kill, settings that are wrong from the start."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from hydra import compose, initialize_config_module

from experiments.reporting.running import perform
from tests.experiments.failing_engines import questions

PEOPLE = [
    "experiment=policy_ranking",
    "debug=tiny",
    "engine=scripted",
    "~engine.spread",
    "engine._target_=tests.experiments.failing_engines.Counting",
    "recommender=[random,popularity]",
]


def words(folder, counts, **engine):
    more = [f"+engine.{key}={value}" for key, value in {"counts": counts, **engine}.items()]
    return [*PEOPLE, f"output_dir={folder}", *more]


def ranked(folder, counts, *overrides, **engine):
    with initialize_config_module("conf", version_base="1.3"):
        return perform(compose("config", [*words(folder, counts, **engine), *overrides]))


def figures(results):
    """What a run found, without its clock."""
    seconds = {"fit_seconds", "recommend_seconds", "refit_seconds", "play_seconds"}
    policies = [{k: v for k, v in p.items() if k not in seconds} for p in results["policies"]]
    return policies, results["fidelity"], results["contrasts"], results["agreement"]


def test_a_server_that_dies_before_the_last_part_costs_that_part_only(tmp_path):
    folder, counts = tmp_path / "run", tmp_path / "counts"
    (tmp_path / "gone").touch()
    with pytest.raises(RuntimeError, match=r"fidelity \(ConnectionError: the server is gone\)"):
        ranked(folder, counts)
    (tmp_path / "gone").unlink()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [one["part"] for one in results["failures"]] == ["fidelity"]
    assert results["policies"][0]["simulated"] is not None
    assert len(pd.read_parquet(folder / "interactions.parquet"))
    for page in ("report.html", "report.md"):
        assert "the server is gone" in (folder / page).read_text(encoding="utf-8")
    before = questions(counts)
    again = ranked(folder, counts)
    asked = questions(counts) - before
    assert (again["failures"], again["engine"]["answer_hits"] > 0) == ([], True)
    whole = ranked(tmp_path / "unbroken", tmp_path / "unbroken_counts")
    assert figures(again) == figures(whole)
    assert 0 < asked < questions(tmp_path / "unbroken_counts")


def test_a_finished_run_is_not_paid_for_twice(tmp_path):
    first = ranked(tmp_path / "run", tmp_path / "counts")
    asked = questions(tmp_path / "counts")
    assert figures(ranked(tmp_path / "run", tmp_path / "counts")) == figures(first)
    assert questions(tmp_path / "counts") == asked > 0


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("budget.seconds=nan", r"budget\.seconds wanted a number above 0, .* got NaN"),
        ("precision=inf", r"precision wanted a number above 0, .* got Infinity"),
        ("budget.price_per_hour=nan", r"budget\.price_per_hour wanted a number from 0 .* got NaN"),
        ("budget.wave=null", r"budget\.wave wanted a whole number from 1 .* got null"),
        (
            "experiment.num_resamples=0",
            r"experiment\.num_resamples wanted a whole number from 1 .* got 0",
        ),
        (
            "experiment.min_rating=nan",
            r"experiment\.min_rating wanted a number from 1 to 5, got NaN",
        ),
        ("num_users=-3", "num_users wanted a whole number from 1 .* got -3"),
        ("budget.exposures=10", "a budget of 10 exposures is below the"),
    ],
)
def test_a_wrong_setting_is_refused_before_anybody_is_asked(tmp_path, override, text):
    with pytest.raises((TypeError, ValueError), match=text):
        ranked(tmp_path / "run", tmp_path / "counts", override)
    assert questions(tmp_path / "counts") == 0


@pytest.mark.slow
def test_a_ranking_that_was_killed_goes_on_with_what_it_had(tmp_path):
    folder, counts = tmp_path / "run", tmp_path / "counts"
    command = [sys.executable, "-m", "experiments", *words(folder, counts, seconds=0.3)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and questions(counts) == 0:
            time.sleep(0.05)
        time.sleep(random.uniform(0.3, 1.5))
        os.kill(run.pid, signal.SIGKILL)
    assert not (folder / "results.json").exists()
    before = questions(counts)
    again = ranked(folder, counts, seconds=0.3)
    whole = ranked(tmp_path / "unbroken", tmp_path / "unbroken_counts", seconds=0.3)
    assert figures(again) == figures(whole)
    assert questions(counts) - before < questions(tmp_path / "unbroken_counts")


def table_words(folder):
    return [
        "experiment=rating_fidelity",
        "data=tiny",
        "experiment.draws=[3]",
        "experiment.regimes=[same_rows]",
        "experiment.cells={Ms:[none],Ml:[none],Ms+Ml:[none]}",
        "experiment.num_clusters=2",
        "experiment.said_rows=4",
        "experiment.num_resamples=50",
        f"output_dir={folder}",
    ]


def table(folder):
    with initialize_config_module("conf", version_base="1.3"):
        return perform(compose("config", table_words(folder)))["regimes"]


@pytest.mark.slow
def test_a_table_that_was_killed_goes_on_with_the_cells_it_had(tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "experiments", *table_words(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and not list(folder.glob("answers/*.npz")):
            time.sleep(0.02)
        time.sleep(random.uniform(0.0, 0.5))
        os.kill(run.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("answers/*.npz")}
    again = table(folder)
    assert before
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    whole = table(tmp_path / "unbroken")["same_rows"]["rows"]
    for name, row in again["same_rows"]["rows"].items():
        assert row["rmse"] == pytest.approx(whole[name]["rmse"], abs=1e-5)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "experiment.draws=[]",
            r"experiment\.draws wanted a list with at least one entry, .* got \[\]",
        ),
        (
            "experiment.regimes=[other]",
            r"experiment\.regimes wanted a list .*same_rows, population.* got \[other\]",
        ),
        ("+experiment.cells.Mx=[none]", "wanted cells among Ms, Ml, .* of another, got 'Mx'"),
        (
            "experiment.num_resamples=nan",
            r"experiment\.num_resamples wanted a whole number .* got NaN",
        ),
        (
            "experiment.said_rows=-1",
            r"experiment\.said_rows wanted a whole number from 0 .* got -1",
        ),
    ],
)
def test_a_wrong_setting_of_the_table_is_refused_before_anything_is_trained(
    tmp_path, override, text
):
    words = [*table_words(tmp_path / "run"), override]
    with (
        initialize_config_module("conf", version_base="1.3"),
        pytest.raises((TypeError, ValueError), match=text),
    ):
        perform(compose("config", words))
    assert not list((tmp_path / "run").glob("*"))
