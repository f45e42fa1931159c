"""Engines in processes that Ray starts, watches and replaces; a call is a name and values."""

import contextlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.inference.ray.cluster import (
    WorkerSettings,
    connect,
    import_ray,
    num_workers,
    room_of,
    wait_for_room,
)
from agents.inference.ray.worker import EngineWorker, MakeWorkerEngine, Reply, Started

_LOG = logging.getLogger(__name__)
_LONG = 120  # characters of Ray's reason that are shown


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
        connect(self._ray, settings)
        self.num = num_workers(self._ray, settings)
        self.deaths = 0
        if settings.address is None:
            wait_for_room(self._ray, settings, self.num)
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
                f" {seconds:g} s, got none; {room_of(self._ray, self._settings)}; ask for fewer"
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
