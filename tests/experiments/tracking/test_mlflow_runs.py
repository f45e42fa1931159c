"""Runs in MLflow's books, in a store of files."""

import sys

import pytest
from omegaconf import OmegaConf

from experiments.tracking.mlflow_runs import MlflowRuns
from experiments.tracking.tracker import Untracked, tracked
from tests.experiments.command import run_command

WANTED = "wants MLflow: pip install 'personarec[tracking]'"


def runs_in(store):
    mlflow = pytest.importorskip("mlflow", reason=WANTED)
    client = mlflow.MlflowClient(tracking_uri=store.as_uri())
    return client, client.search_runs([e.experiment_id for e in client.search_experiments()])


def config_of(**tracking):
    return OmegaConf.create({"experiment": {"name": "cluster"}, "tracking": tracking or None})


@pytest.mark.slow
def test_config_figures_and_files_of_a_run_are_kept(tmp_path):
    pytest.importorskip("mlflow", reason=WANTED)
    store = tmp_path / "store"
    results = run_command(
        tmp_path / "run", "experiment=cluster", "debug=tiny", "tracking=mlflow",
        f"tracking.store={store}",
    )  # fmt: skip
    client, (run,) = runs_in(store)
    assert run.info.status == "FINISHED"
    assert run.data.params["experiment.name"] == "cluster"
    assert str(tmp_path) not in str(run.data.params)
    assert run.data.metrics["k"] == results["k"]
    assert run.data.metrics["explained/groups"] == pytest.approx(results["explained"]["groups"])
    assert "experiment=cluster" in run.data.tags["command"]
    kept = {found.path for found in client.list_artifacts(run.info.run_id)}
    assert {"results.json", "report.html", "config.yaml", "clusters.json", "tables"} <= kept


@pytest.mark.slow
def test_a_run_that_fails_is_kept_as_failed_without_its_secrets(tmp_path):
    pytest.importorskip("mlflow", reason=WANTED)
    cfg = config_of(_target_="experiments.tracking.mlflow_runs.MlflowRuns", store=str(tmp_path))
    with pytest.raises(ValueError, match="no answer"), tracked(cfg, {"seed": 1}):
        raise ValueError("no answer from http://me:pa/ss-word@host/v1\nmore")
    _, (run,) = runs_in(tmp_path)
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "no answer from http://***@host/v1"


@pytest.mark.slow
def test_a_store_that_cannot_be_written_is_an_error_before_the_run(tmp_path):
    pytest.importorskip("mlflow", reason=WANTED)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"tracking\.store=.*file wanted a store of MLflow that"):
        MlflowRuns(str(tmp_path / "file")).begin("cluster", {})


@pytest.mark.slow
def test_a_store_within_the_run_is_refused_and_the_run_is_kept(tmp_path):
    pytest.importorskip("mlflow", reason=WANTED)
    books = MlflowRuns(str(tmp_path / "run" / "store"))
    books.begin("cluster", {})
    with pytest.raises(RuntimeError, match=r"everything is kept in .*run, but MLflow could not"):
        books.end({}, tmp_path / "run")


def test_without_mlflow_the_error_is_the_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'personarec\[tracking\]'"):
        MlflowRuns("mlruns").begin("cluster", {})


def test_a_run_that_nobody_tracks_is_kept_nowhere():
    with tracked(config_of(), {}) as tracker:
        assert isinstance(tracker, Untracked)


def test_what_is_no_tracker_is_refused():
    with pytest.raises(TypeError, match=r"begin, end and fail .*, got PurePosixPath; take"):
        tracked(config_of(_target_="pathlib.PurePosixPath"), {}).__enter__()


def test_a_tracker_of_ones_own_hears_how_a_run_begins_and_ends():
    with tracked(config_of(_target_=f"{__name__}.Heard"), {"seed": 1}) as heard:
        heard.end({"k": 1}, "folder")
    assert heard.said == [("begin", "cluster", {"seed": 1}), ("end", {"k": 1}, "folder")]


class Heard:
    """Keeps what it was told."""

    def __init__(self):
        self.said = []

    def begin(self, *told):
        self.said.append(("begin", *told))

    def end(self, *told):
        self.said.append(("end", *told))

    def fail(self, *told):
        self.said.append(("fail", *told))
