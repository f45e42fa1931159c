"""Ray itself: which cluster, how many workers have room there, and what a worker finds around it.

It knows no engine and no task. The only module that imports Ray, when it is first wanted.
"""

import logging
import os
import socket
import time
from dataclasses import dataclass
from typing import Any, Literal

from simenv.ranges import check_number

_OBJECT_STORE = 2**28  # bytes of the store that Ray starts here; calls hold a few megabytes
_FREED_WITHIN = 20.0  # seconds that the room of a closed worker may stay taken
# No key is among them: those of a server are set where its workers run.
_PASSED_ON = ("PERSONAREC_", "HYDRA_", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_")
_ANSWERS_WITHIN = 5.0  # seconds in which a cluster takes a connection


@dataclass(frozen=True)
class WorkerSettings:
    """How many workers, where, and what becomes of one that dies.

    Attributes:
        workers: how many; ``auto`` = one a GPU where ``gpus_per_worker`` is above 0, else one for
            every ``cpus_per_worker`` cores, of the whole cluster.
        address: None = Ray is started on this machine, or the one that this process started;
            ``auto`` = the cluster that this machine belongs to; ``ray://HOST:10001`` = another.
        cpus_per_worker: cores, and threads, of each.
        gpus_per_worker: GPUs of each; it sees no others.
        restarts: how often a worker that dies may be replaced within one call.
        start_timeout: seconds in which a worker must have its model.
        door: what its user calls all of this, in errors.
        each: what its user calls a worker.
        options: what stands before the names of these settings there.

    Raises:
        TypeError: a setting is no number.
        ValueError: it is out of range.
    """

    workers: int | Literal["auto"] = "auto"
    address: str | None = None
    cpus_per_worker: float = 1
    gpus_per_worker: float = 0
    restarts: int = 3
    start_timeout: float = 600.0
    door: str = "engine=ray"
    each: str = "worker"
    options: str = ""

    def __post_init__(self) -> None:
        if self.workers != "auto":
            check_number(self.door, f"{self.each}s", self.workers, "whole [1, 1e6]", "or 'auto'")
        for kind in ("cpus", "gpus"):
            value = getattr(self, f"{kind}_per_worker")
            check_number(self.door, f"{kind}_per_{self.each}", value, "[0, 1e6]", "0 is none")
        check_number(self.door, "restarts", self.restarts, "whole [0, 1e6]", "try 3")
        check_number(self.door, "start_timeout", self.start_timeout, "(0, inf)", "in seconds")


def import_ray(door: str = "engine=ray") -> Any:
    """The package; ``door`` is what wants it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or Ray reports every run to its makers
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{door} needs {error.name}: pip install 'personarec[ray]'", name=error.name
        ) from error
    return ray


def connect(ray: Any, settings: WorkerSettings) -> None:
    """Join the cluster, or start Ray on this machine; nothing where this process did already.

    Raises:
        ConnectionError: there is no cluster at the address, or Ray did not start here.
        RuntimeError: this process is a worker itself, whose cores its own workers would wait for.
    """
    if ray.is_initialized():
        _check_outside(ray, settings)
        return
    os.environ.setdefault("RAY_worker_niceness", "0")  # else 15: they would starve beside others
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if settings.address is None:
        needed = 0 if settings.workers == "auto" else settings.workers * settings.cpus_per_worker
        cores = max(len(os.sched_getaffinity(0)), int(needed + 0.999))
        here = {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _OBJECT_STORE}
        _start_here(ray, settings, {**here, **quiet})
        return
    try:
        _knock(settings.address)
        ray.init(address=settings.address, **quiet)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"{settings.door} wanted a Ray cluster at address={settings.address!r}, got none"
            f" ({error}); start one with `ray start --head` (`ray stop` first, where one has"
            " died), or leave address out to run on this machine"
        ) from error


def _start_here(ray: Any, settings: WorkerSettings, how: dict[str, Any]) -> None:
    try:
        ray.init(address="local", **how)
    except Exception as error:  # Ray has no kind of its own for it
        raise ConnectionError(
            f"{settings.door} wanted Ray to start on this machine, got: {error} Ray waits half a"
            " minute for its own processes: give the command again when the machine is less busy"
        ) from error


def _check_outside(ray: Any, settings: WorkerSettings) -> None:
    if ray.get_runtime_context().worker.mode == ray.WORKER_MODE:
        raise RuntimeError(
            f"{settings.door} wanted to start workers, got a process that is a Ray worker itself"
            " (a job of hydra/launcher=ray), whose cores they would wait for; leave engine=ray out"
            " of such a sweep, or hydra/launcher=ray"
        )


def _knock(address: str) -> None:
    """Raise unless somebody listens at the address, for which Ray itself would wait for minutes.

    ``auto`` is what Ray would turn to: RAY_ADDRESS, a cluster that runs on this machine, or the
    one it noted last, which may be gone.

    Raises:
        OSError: nobody does.
        ValueError: it is no address.
    """
    from ray._private.services import canonicalize_bootstrap_address

    client = address.startswith("ray://")
    place = address.removeprefix("ray://") if client else canonicalize_bootstrap_address(address)
    if place is None:
        return
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_WITHIN).close()
    except OSError as error:
        raise ConnectionError(f"nobody answers at {place}: {error}") from error


def num_workers(ray: Any, settings: WorkerSettings) -> int:
    """How many there are to be.

    Raises:
        RuntimeError: as many as there is room for were wanted, and there is none.
    """
    if settings.workers != "auto":
        return settings.workers
    has = ray.cluster_resources()
    if settings.gpus_per_worker:
        found = int(has.get("GPU", 0) / settings.gpus_per_worker)
    else:
        found = int(has.get("CPU", 0) / max(settings.cpus_per_worker, 1e-9))
    if found < 1:
        raise RuntimeError(
            f"{settings.door} wanted room for one {settings.each} at least, got none:"
            f" {room_of(ray, settings)}"
        )
    return found


def environment(settings: WorkerSettings) -> dict[str, str]:
    """What a worker is to find in its environment: this process's settings, and its threads.

    With as many threads a training or a forward comes to the same bits, which other numbers of
    threads may not. OMP_NUM_THREADS holds for workers too; unset, each has as many as cores.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    threads = str(max(1, int(settings.cpus_per_worker)))
    return {"OMP_NUM_THREADS": threads} | kept


def wait_for_room(ray: Any, settings: WorkerSettings, num: int) -> None:
    """Wait until workers that were just closed are gone: this machine will not grow.

    Raises:
        RuntimeError: workers of other engines stay where these want to be, or it is too small.
    """
    wanted = {"CPU": num * settings.cpus_per_worker, "GPU": num * settings.gpus_per_worker}
    end = time.monotonic() + min(_FREED_WITHIN, settings.start_timeout)
    while True:
        free = ray.available_resources()
        if all(free.get(kind, 0) >= count - 1e-6 for kind, count in wanted.items()):
            return
        if time.monotonic() > end:
            raise RuntimeError(
                f"{settings.door} wanted room for {num} {settings.each}s on this machine, got"
                f" {free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs free;"
                f" {room_of(ray, settings)}; close the engines that hold the others, ask for fewer"
                f" {settings.each}s, or for less a {settings.each}"
                f" ({settings.options}cpus_per_{settings.each}=0.5)"
            )
        time.sleep(0.05)


def room_of(ray: Any, settings: WorkerSettings) -> str:
    """What a worker takes and what the cluster has, for errors."""
    has = ray.cluster_resources()
    return (
        f"a {settings.each} takes {settings.cpus_per_worker:g} CPUs and"
        f" {settings.gpus_per_worker:g} GPUs, the cluster has {has.get('CPU', 0):g}"
        f" and {has.get('GPU', 0):g}"
    )
