"""What workers find around them and what errors call them, without Ray."""

import sys
from types import SimpleNamespace

import pytest

from agents.inference.ray.cluster import (
    WorkerSettings,
    connect,
    environment,
    import_ray,
    num_workers,
    wait_for_room,
)

JOBS = {"door": "hydra/launcher=ray", "each": "job", "options": "hydra.launcher."}


def holding(cpus, gpus=0, free=None):
    has = {"CPU": cpus, "GPU": gpus}
    return SimpleNamespace(
        cluster_resources=lambda: has, available_resources=lambda: has if free is None else free
    )


@pytest.fixture
def plain(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PERSONAREC_DATA", "/data")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-workers")


@pytest.mark.parametrize(("cores", "threads"), [(1, "1"), (4, "4"), (0.5, "1"), (0, "1")])
def test_a_worker_has_as_many_threads_as_cores(plain, cores, threads):
    found = environment(WorkerSettings(cpus_per_worker=cores))
    assert found["OMP_NUM_THREADS"] == threads


def test_threads_that_the_command_names_hold_for_workers_too(plain, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment(WorkerSettings(cpus_per_worker=8))["OMP_NUM_THREADS"] == "3"


def test_settings_travel_and_keys_do_not(plain):
    found = environment(WorkerSettings())
    assert found["PERSONAREC_DATA"] == "/data"
    assert not [name for name in found if "KEY" in name]


@pytest.mark.parametrize(
    ("settings", "has", "wanted"),
    [
        ({}, (8, 0), 8),
        ({"cpus_per_worker": 3}, (8, 0), 2),
        ({"gpus_per_worker": 1}, (8, 4), 4),
        ({"gpus_per_worker": 0.5}, (8, 4), 8),
        ({"workers": 3}, (8, 4), 3),
    ],
)
def test_auto_is_as_many_as_there_is_room_for(settings, has, wanted):
    assert num_workers(holding(*has), WorkerSettings(**settings)) == wanted


def test_errors_speak_as_the_door_does():
    with pytest.raises(ValueError, match=r"hydra/launcher=ray wanted jobs of at least 1, got 0"):
        WorkerSettings(workers=0, **JOBS)
    with pytest.raises(ValueError, match=r"hydra/launcher=ray wanted gpus_per_job"):
        WorkerSettings(gpus_per_worker=-1, **JOBS)
    with pytest.raises(RuntimeError, match=r"=ray wanted room for one job .* a job takes 9"):
        num_workers(holding(2), WorkerSettings(cpus_per_worker=9, **JOBS))
    settings = WorkerSettings(workers=2, start_timeout=0.01, **JOBS)
    with pytest.raises(RuntimeError, match=r"for 2 jobs .* 1 CPUs .*launcher\.cpus_per_job=0\.5\)"):
        wait_for_room(holding(2, free={"CPU": 1}), settings, 2)


def test_without_ray_the_door_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"launcher=ray needs ray: pip .*rec\[ray\]'"):
        import_ray("hydra/launcher=ray")


def test_a_worker_that_wants_workers_of_its_own_is_refused():
    inside = SimpleNamespace(worker=SimpleNamespace(mode=1))
    ray = SimpleNamespace(
        is_initialized=lambda: True, WORKER_MODE=1, get_runtime_context=lambda: inside
    )
    with pytest.raises(RuntimeError, match=r"a Ray worker itself .*leave engine=ray out"):
        connect(ray, WorkerSettings())
    inside.worker.mode = 0
    connect(ray, WorkerSettings())


def test_a_machine_too_busy_for_ray_to_start_is_said():
    def init(**_):
        raise Exception("The current node timed out during startup.")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init)
    with pytest.raises(ConnectionError, match=r"ray wanted Ray to start .*timed out .*less busy"):
        connect(ray, WorkerSettings())
