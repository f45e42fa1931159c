"""Adapters that real Ray workers train, one of whom is killed: as in one process, to the byte."""

import os
import signal
from functools import partial

import pytest

from agents.inference.ray.tasks import RayTasks
from tests.experiments.command import run_command

ADAPTERS = [
    "experiment=train_adapters", "data=tiny", "experiment.num_clusters=2", "slm=shipped",
    "experiment.raft.cuts=[0.6]", "experiment.raft.turns=3", "+training.epochs=1",
    "+training.rank=2",
]  # fmt: skip


@pytest.mark.reliability  # two workers and the one that follows load torch
def test_adapters_are_those_of_one_process_though_a_worker_is_killed(tmp_path, monkeypatch):
    """The worker of one adapter dies behind its first checkpoint."""
    pytest.importorskip("ray")

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
