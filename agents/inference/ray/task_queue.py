"""Which task is whose turn, and what becomes of one whose worker died. It knows no Ray."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator


class TaskQueue:
    """Tasks by name, begun in the order given, one at a time on each of some workers.

    Args:
        names: of the tasks.
        workers: how many there are; they are called 0..w-1.
        restarts: how often a task may be begun again because its worker died.
    """

    def __init__(self, names: Iterable[str], workers: int, restarts: int) -> None:
        self._waiting = deque(names)
        self._free = deque(range(workers))
        self._running: dict[int, str] = {}
        self._deaths: Counter[str] = Counter()
        self._restarts = restarts

    def begun(self) -> Iterator[tuple[int, str]]:
        """Worker and task of all that can begin now."""
        while self._waiting and self._free:
            worker, name = self._free.popleft(), self._waiting.popleft()
            self._running[worker] = name
            yield worker, name

    def ended(self, worker: int) -> str:
        """The task that a worker is done with."""
        self._free.appendleft(worker)  # it has read what the next task wants too
        return self._running.pop(worker)

    def died(self, worker: int) -> tuple[str, int]:
        """The task that a worker died over, and how many did so far; above the limit it is lost.

        Otherwise it comes next, since what it has done so far may be on disk.
        """
        name = self.ended(worker)
        self._deaths[name] += 1
        if self._deaths[name] <= self._restarts:
            self._waiting.appendleft(name)
        return name, self._deaths[name]
