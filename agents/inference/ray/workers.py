"""Processes that Ray starts, watches and replaces. It knows no prompt: a call is a name and values.

The only module that imports Ray, and only when the first workers are made.
"""

import contextlib
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from agents.inference.ray.worker import EngineWorker, MakeWorkerEngine, Reply, Started
from simenv.ranges import check_number

_LOG = logging.getLogger(__name__)
_OBJECT_STORE = 2**28  # bytes of the store that Ray starts here; calls hold a few megabytes
_FREED_WITHIN = 20.0  # seconds that the room of a closed worker may stay taken
_ANSWERS_WITHIN = 5.0  # seconds in which a cluster takes a connection
_LONG = 120  # characters of Ray's reason that are shown


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

    def __post_init__(self) -> None:
        if self.workers != "auto":
            check_number("engine=ray", "workers", self.workers, "whole [1, 1e6]", "or 'auto'")
        for name in ("cpus_per_worker", "gpus_per_worker"):
            check_number("engine=ray", name, getattr(self, name), "[0, 1e6]", "0 is none")
        check_number("engine=ray", "restarts", self.restarts, "whole [0, 1e6]", "try 3")
        check_number("engine=ray", "start_timeout", self.start_timeout, "(0, inf)", "in seconds")


class Call(NamedTuple):
    """One part of a call, for one worker."""

    method: str  # of ``EngineWorker``
    arguments: tuple[Any, ...]


class Dead(NamedTuple):
    """No worker lived to answer a part."""

    reason: str


class Workers:
    """Workers 0..w-1, each with an engine of its own.

    Args:
        make: makes the engine of each; sent to the workers.
        settings: of them.

    Attributes:
        deaths: of workers, since construction.

    Raises:
        ModuleNotFoundError: the extra ``ray`` is not installed.
        ConnectionError: there is no cluster at the address.
        RuntimeError: the cluster has no room for the workers.
        Exception: what ``make`` raises.
    """

    def __init__(self, make: MakeWorkerEngine, settings: WorkerSettings) -> None:
        self._ray, self._make, self._settings = import_ray(), make, settings
        _connect(self._ray, settings)
        self.num = _num_workers(self._ray, settings)
        self.deaths = 0
        if settings.address is None:
            _wait_for_room(self._ray, settings, self.num)
        self._actors: list[Any] = [self._actor() for _ in range(self.num)]
        try:
            self.started = [self._start(place) for place in range(self.num)]
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers, each on its own machine."""
        return [started.pid for started in self.started]

    def ask(self, calls: Mapping[int, Call]) -> dict[int, Reply | Dead]:
        """What came of every worker's part; a part whose worker died is asked again of a new one.

        Args:
            calls: worker → its part. Asking twice must do no harm.
        """
        pending = {self._send(place, call): place for place, call in calls.items()}
        died: Counter[int] = Counter()
        replies: dict[int, Reply | Dead] = {}
        while pending:
            [done], _ = self._ray.wait(list(pending), num_returns=1)
            place = pending.pop(done)
            try:
                replies[place] = self._ray.get(done)
            except self._ray.exceptions.RayError as error:
                died[place] += 1
                reason = self._replaced(place, error, died[place])
                if reason:
                    replies[place] = Dead(reason)
                else:
                    pending[self._send(place, calls[place])] = place
        return replies

    def close(self) -> None:
        """End the workers; Ray stays, for the next ones. Closing twice is no error."""
        actors, self._actors = self._actors, []
        for actor in actors:
            with contextlib.suppress(Exception):  # a dead one is closed
                self._ray.kill(actor)

    def _actor(self) -> Any:
        cpus, gpus = self._settings.cpus_per_worker, self._settings.gpus_per_worker
        remote = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(EngineWorker)
        return remote.remote(self._make)

    def _send(self, place: int, call: Call) -> Any:
        if not self._actors:
            raise RuntimeError("this engine is closed; make another")
        return getattr(self._actors[place], call.method).remote(*call.arguments)

    def _start(self, place: int) -> Started:
        """Wait until a worker has its engine.

        Raises:
            RuntimeError: it found no room in time.
        """
        seconds = self._settings.start_timeout
        try:
            started: Started = self._ray.get(self._actors[place].start.remote(), timeout=seconds)
        except self._ray.exceptions.GetTimeoutError:
            raise RuntimeError(
                f"engine=ray wanted worker {place + 1} of {self.num} to be ready within"
                f" {seconds:g} s, got none; {_room(self._ray, self._settings)}; ask for fewer"
                " workers, or raise start_timeout if the cluster is still growing"
            ) from None
        if started.error is not None:
            raise started.error
        return started

    def _replaced(self, place: int, error: Exception, deaths: int) -> str:
        """Why a dead worker has no successor; empty where it has one."""
        self.deaths += 1
        why = " ".join(str(error).split())[:_LONG]
        who = f"Ray worker {place + 1} of {self.num}"
        if deaths > self._settings.restarts:
            return f"{who} died {deaths} times over this part of the call ({why})"
        _LOG.warning("%s died and is replaced; its part is asked again (%s)", who, why)
        with contextlib.suppress(Exception):  # it may only have been out of reach
            self._ray.kill(self._actors[place])
        self._actors[place] = self._actor()
        try:
            self.started[place] = self._start(place)
        except self._ray.exceptions.RayError as again:
            return self._replaced(place, again, deaths + 1)
        except Exception as again:
            return f"{who} died and cannot be replaced: {again}"
        return ""


def import_ray() -> Any:
    """The package.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or Ray reports every run to its makers
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"engine=ray needs {error.name}: pip install 'personarec[ray]'", name=error.name
        ) from error
    return ray


def _connect(ray: Any, settings: WorkerSettings) -> None:
    """Join the cluster, or start Ray on this machine; nothing where this process did already."""
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_worker_niceness", "0")  # else 15: they would starve beside others
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if settings.address is None:
        needed = 0 if settings.workers == "auto" else settings.workers * settings.cpus_per_worker
        cores = max(len(os.sched_getaffinity(0)), int(needed + 0.999))
        here = {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _OBJECT_STORE}
        ray.init(address="local", **here, **quiet)
        return
    try:
        _knock(settings.address)
        ray.init(address=settings.address, **quiet)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"engine=ray wanted a Ray cluster at address={settings.address!r}, got none ({error});"
            " start one with `ray start --head` (`ray stop` first, where one has died), or leave"
            " address out to run on this machine"
        ) from error


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


def _num_workers(ray: Any, settings: WorkerSettings) -> int:
    if settings.workers != "auto":
        return settings.workers
    has = ray.cluster_resources()
    if settings.gpus_per_worker:
        found = int(has.get("GPU", 0) / settings.gpus_per_worker)
    else:
        found = int(has.get("CPU", 0) / max(settings.cpus_per_worker, 1e-9))
    if found < 1:
        raise RuntimeError(
            f"engine=ray wanted room for one worker at least, got none: {_room(ray, settings)}"
        )
    return found


def _wait_for_room(ray: Any, settings: WorkerSettings, num: int) -> None:
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
                f"engine=ray wanted room for {num} workers on this machine, got"
                f" {free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs free;"
                f" {_room(ray, settings)}; close the engines that hold the others, ask for fewer"
                " workers, or for less a worker (cpus_per_worker=0.5)"
            )
        time.sleep(0.05)


def _room(ray: Any, settings: WorkerSettings) -> str:
    has = ray.cluster_resources()
    return (
        f"a worker takes {settings.cpus_per_worker:g} CPUs and {settings.gpus_per_worker:g} GPUs,"
        f" the cluster has {has.get('CPU', 0):g} and {has.get('GPU', 0):g}"
    )
