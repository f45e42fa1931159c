"""Commands whose work is done by real Ray workers: a sweep, and the adapters of a population."""

import json
import os
import re
import signal
import sys
from functools import partial

import pytest

from agents.inference.ray.tasks import RayTasks
from experiments.__main__ import main
from tests.experiments.command import run_command

pytestmark = pytest.mark.slow
SWEEP = ["experiment=cluster", "data=tiny", "experiment.most=3", "experiment.k=0,2"]
ADAPTERS = [
    "experiment=train_adapters", "data=tiny", "experiment.num_clusters=2", "slm=shipped",
    "experiment.raft.cuts=[0.6]", "experiment.raft.turns=3", "+training.epochs=1",
    "+training.rank=2",
]  # fmt: skip


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
    lines = [line for line in printed.splitlines(keepends=True) if not line.startswith("\t#")]
    assert streams.out.replace("/ray/", "/basic/") == "".join(lines)  # but for Hydra's numbers
    said = "error: job 0 (experiment=cluster data=tiny experiment.most=3 experiment.k=0"
    assert said in streams.err
    assert "): experiment.k wanted a whole number from 1" in streams.err
    assert re.search(r"sweep: job 0 .* failed\n", streams.err)
    assert re.search(r"sweep: job 1 .* is done\n", streams.err)


def test_adapters_are_those_of_one_process_though_a_worker_is_killed(tmp_path, monkeypatch):
    """The worker of one adapter dies behind its first checkpoint."""

    def kill(step, loss):
        if step == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    def once(marker, task):
        if marker.exists():
            return task(save_every=2)
        marker.touch()
        return task(save_every=2, on_step=kill)

    spread, begun = RayTasks.__call__, []

    def watched(self, tasks, begins=None):
        assert sorted(tasks) == ["adapter persona-0", "adapter persona-1"]
        name = "adapter persona-1"
        killed = {**tasks, name: partial(once, tmp_path / "killed", tasks[name])}

        def begin(name):
            begun.append((name, bool(list((tmp_path / "two").rglob("checkpoint-2/whole.json")))))
            begins(name)

        return spread(self, killed, begin)

    one = run_command(tmp_path / "one", *ADAPTERS)["adapters"]
    monkeypatch.setattr(RayTasks, "__call__", watched)
    two = run_command(tmp_path / "two", *ADAPTERS, "engine=ray", "engine.workers=2")["adapters"]
    assert begun[2:] == [("adapter persona-1", True)]
    for name, card in one.items():
        seconds = {"seconds": two[name]["seconds"]}
        assert two[name] == card | seconds
        files = [p.name for p in (tmp_path / "one" / card["folder"]).iterdir()]
        for file in {*files} - {"adapter_card.json"}:
            first, second = (tmp_path / run / card["folder"] / file for run in ("one", "two"))
            assert first.read_bytes() == second.read_bytes(), file


def test_a_job_with_workers_of_its_own_is_refused_before_any_begins(tmp_path, capsys, monkeypatch):
    words = ["experiment=policy_ranking", "engine=ray", "seed=0,1", "-m", "hydra/launcher=ray"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words, f"output_dir={tmp_path}"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "got job 0 (experiment=policy_ranking engine=ray seed=0" in capsys.readouterr().err
    assert not list(tmp_path.rglob("results.json"))


def test_without_ray_a_sweep_on_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(
        sys, "argv", ["personarec", *SWEEP, "-m", "hydra/launcher=ray", f"output_dir={tmp_path}"]
    )
    with pytest.raises(SystemExit, match="1"):
        main()
    said = "error: hydra/launcher=ray needs ray: pip install 'personarec[ray]'\n"
    assert capsys.readouterr().err.endswith(said)
