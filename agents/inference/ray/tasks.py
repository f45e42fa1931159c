"""Functions that Ray runs in other processes, each at most once to its end. It knows no function.

A task that is begun again after its worker died must do no harm: what it left behind is found.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agents.inference.ray.cluster import (
    WorkerSettings,
    connect,
    environment,
    import_ray,
    num_workers,
    room_of,
    wait_for_room,
)
from agents.inference.ray.task_queue import TaskQueue
from agents.inference.ray.worker import portable

Task = Callable[[], Any]
Begins = Callable[[str], None]  # gets the name of a task that begins
_LOG = logging.getLogger(__name__)
_LONG = 120  # characters of Ray's reason that are shown


class Outcome(NamedTuple):
    """What came of a task."""

    name: str
    value: Any = None
    error: Exception | None = None


class LostTaskError(RuntimeError):
    """Every worker that was given the task died."""


class TaskWorker:
    """Runs one task after the other in this process.

    Args:
        surroundings: variables of the environment, set before a task imports anything.
        folder: that relative paths begin in, where this machine has it.
    """

    def __init__(self, surroundings: Mapping[str, str], folder: str) -> None:
        os.environ.update(surroundings)
        with contextlib.suppress(OSError):
            os.chdir(folder)

    def ready(self) -> int:
        """The id of this process."""
        return os.getpid()

    def run(self, name: str, task: Task) -> Outcome:
        """A value in every case: an error and a process that died must not look alike."""
        try:
            return Outcome(name, task())
        except Exception as error:
            return Outcome(name, error=portable(error))


class RayTasks:
    """Workers that run tasks, as many at once as the settings say; use it as a context.

    Workers are started when there is something to run and stay until the context ends, which may
    be entered again. So a task finds what the one before it loaded.

    Args:
        settings: how many workers, where.
        fresh: each task gets a process of its own, ended behind it.

    Raises:
        ModuleNotFoundError: the extra ``ray`` is not installed.
        ConnectionError: there is no cluster at the address.
        RuntimeError: this process is a Ray worker itself, or there is room for no worker.
    """

    def __init__(self, settings: WorkerSettings, *, fresh: bool = False) -> None:
        self._ray, self._settings, self._fresh = import_ray(settings.door), settings, fresh
        connect(self._ray, settings)
        self.num = num_workers(self._ray, settings)
        self._actors: dict[int, Any] = {}

    def __enter__(self) -> "RayTasks":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __call__(
        self, tasks: Mapping[str, Task], begins: Begins | None = None
    ) -> Iterator[Outcome]:
        """What comes of every task, in the order in which they end.

        A worker that dies is replaced and its task begun again. Whoever stops listening ends the
        tasks that still run.

        Args:
            tasks: by name; sent to workers with cloudpickle.
            begins: gets the name of each as it begins.

        Raises:
            RuntimeError: there was no room for a worker in time.
        """
        num = min(self.num, len(tasks))
        queue = TaskQueue(tasks, num, self._settings.restarts)
        self._start([worker for worker in range(num) if worker not in self._actors])
        pending: dict[Any, int] = {}
        try:
            while True:
                for worker, name in queue.begun():
                    if begins:
                        begins(name)
                    pending[self._begun(worker, name, tasks[name])] = worker
                if not pending:
                    return
                [done], _ = self._ray.wait(list(pending), num_returns=1)
                outcome = self._outcome(queue, pending.pop(done), done)
                if outcome:
                    yield outcome
        finally:
            for worker in pending.values():
                self._end(worker)

    def close(self) -> None:
        """End the workers; Ray stays, for the next ones. Closing twice is no error."""
        for worker in list(self._actors):
            self._end(worker)

    def _begun(self, worker: int, name: str, task: Task) -> Any:
        if worker not in self._actors:
            self._start([worker])
        return self._actors[worker].run.remote(name, task)

    def _outcome(self, queue: TaskQueue, worker: int, done: Any) -> Outcome | None:
        """What a worker said; None = it died, and its task is begun again."""
        try:
            outcome: Outcome = self._ray.get(done)
        except self._ray.exceptions.RayTaskError as error:  # it could not read the task
            name = queue.ended(worker)
            return Outcome(name, error=RuntimeError(f"{type(error.cause).__name__}: {error.cause}"))
        except self._ray.exceptions.RayError as error:
            return self._after_death(queue, worker, error)
        queue.ended(worker)
        if self._fresh:
            self._end(worker)
        return outcome

    def _after_death(self, queue: TaskQueue, worker: int, error: Exception) -> Outcome | None:
        self._end(worker)  # it may only have been out of reach
        name, deaths = queue.died(worker)
        why = " ".join(str(error).split())[:_LONG]
        if deaths > self._settings.restarts:
            times = "once" if deaths == 1 else f"{deaths} times"
            return Outcome(name, error=LostTaskError(f"its Ray worker died {times} ({why})"))
        _LOG.warning("the Ray worker of %s died; it is begun again (%s)", name, why)
        return None

    def _start(self, workers: Sequence[int]) -> None:
        """Start workers side by side and wait until each is there.

        Raises:
            RuntimeError: there was no room in time.
        """
        if self._settings.address is None and workers:
            wait_for_room(self._ray, self._settings, len(workers))
        cpus, gpus = self._settings.cpus_per_worker, self._settings.gpus_per_worker
        remote = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(TaskWorker)
        around = environment(self._settings), os.getcwd()
        self._actors |= {worker: remote.remote(*around) for worker in workers}
        for worker in workers:
            self._wait_for(self._actors[worker])

    def _wait_for(self, actor: Any) -> None:
        seconds = self._settings.start_timeout
        try:
            self._ray.get(actor.ready.remote(), timeout=seconds)
        except self._ray.exceptions.GetTimeoutError:
            each = self._settings.each
            raise RuntimeError(
                f"{self._settings.door} wanted room for a {each} within {seconds:g} s, got none;"
                f" {room_of(self._ray, self._settings)}; ask for fewer {each}s, or raise"
                f" {self._settings.options}start_timeout if the cluster is still growing"
            ) from None
        except self._ray.exceptions.RayError:
            _LOG.debug("a worker died at its start, which its first task will find")

    def _end(self, worker: int) -> None:
        actor = self._actors.pop(worker, None)
        with contextlib.suppress(Exception):  # a dead one has ended
            if actor is not None:
                self._ray.kill(actor)
