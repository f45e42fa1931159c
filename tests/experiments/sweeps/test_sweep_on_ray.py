"""A real sweep on real Ray workers: the files of the basic launcher, and errors with names."""

import json
import sys

import pytest

from experiments.__main__ import main

pytestmark = pytest.mark.slow
SWEEP = ["experiment=cluster", "data=tiny", "experiment.most=3", "experiment.k=0,2"]


@pytest.fixture(scope="module", autouse=True)
def ray():
    """One Ray for this file, started by the first command as a user would."""
    found = pytest.importorskip("ray")
    yield found
    found.shutdown()


def swept(folder, *words):
    """Runs a sweep of which one job fails; what each of the others left, without times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["personarec", *SWEEP, "-m", *words, f"output_dir={folder}"])
        with pytest.raises(SystemExit, match="1"):
            main()
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".json" and path.name != "multirun.yaml":
            text = path.read_bytes().replace(str(folder).encode(), b"FOLDER")
            found[str(path.relative_to(folder))] = text
    results = json.loads((folder / "1" / "results.json").read_text())
    origin = results.pop("provenance")
    assert origin["command"].startswith(f"personarec -m {' '.join(SWEEP)}")
    assert origin["config"]["experiment"]["k"] == 2
    return found, results


def test_a_sweep_leaves_what_the_basic_launcher_leaves_and_names_the_job_that_fails(
    tmp_path, capsys
):
    wanted = swept(tmp_path / "basic")
    printed = capsys.readouterr().out
    launcher = ["hydra/launcher=ray", "hydra.launcher.jobs=2"]
    found = swept(tmp_path / "ray", *launcher)
    streams = capsys.readouterr()
    assert sorted(found[0]) == sorted(wanted[0])
    assert found[1] == wanted[1]
    of_hydra = ("\t#", "Launching")  # how many jobs and which, where an earlier test let it speak
    lines = [one for one in printed.splitlines(keepends=True) if not one.startswith(of_hydra)]
    assert streams.out.replace("/ray/", "/basic/") == "".join(lines)
    assert "error: job 0 (experiment.k=0): experiment.k wanted a whole number" in streams.err
    assert "sweep: job 0 (experiment.k=0) failed" in streams.err
    assert "sweep: job 1 (experiment.k=2) is done" in streams.err


def test_a_job_with_workers_of_its_own_is_refused_before_any_begins(tmp_path, capsys, monkeypatch):
    words = ["experiment=policy_ranking", "engine=ray", "seed=0,1", "-m", "hydra/launcher=ray"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words, f"output_dir={tmp_path}"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "got job 0 (seed=0) with engine=ray" in capsys.readouterr().err
    assert not list(tmp_path.rglob("results.json"))
