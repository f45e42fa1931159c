"""Sends many requests at once: bounded threads, back-off, and an end when the server is gone.

It knows no server and no model: what it runs is a function of a row.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from simenv.ranges import check_fields


class Lost(Exception):  # noqa: N818  a signal between a try and ``dispatch``, never seen by a caller
    """One try failed.

    Attributes:
        again: whether another try may help.
        wait: seconds that the server asked for; None = it did not say.
        blame: ``request`` if others may still fare well, ``server`` if probably not, ``all`` if
            surely not.
        refused: whether the server did no work for it: it said no, or was never reached.
    """

    def __init__(
        self,
        reason: str,
        *,
        again: bool,
        wait: float | None = None,
        blame: str = "server",
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.wait = wait
        self.blame = blame
        self.refused = refused


class Attempt(NamedTuple):
    """What came of asking for all rows."""

    answers: dict[int, Any]  # row → answer
    failures: dict[int, str]  # row → why not
    gave_up: bool  # nobody answered any more; what was not sent yet counts as failed


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        tries: most tries of one request.
        first_wait: before the second try at most this long, then twice as long, and so on; the
            wait is drawn between 0 and that (full jitter), unless the server names one.
        longest_wait: longest wait, in seconds; a server that asks for more is not asked again.
    """

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0

    def __post_init__(self) -> None:
        check_fields(self, {"tries": "whole [1, 1e6]"}, "try 5")
        check_fields(self, dict.fromkeys(("first_wait", "longest_wait"), "[0, inf)"), "in seconds")


def dispatch(
    rows: Sequence[int], ask: Callable[[int], Any], concurrency: int, patience: Patience
) -> Attempt:
    """Run ``ask`` for every row, at most ``concurrency`` at once, begun in the order given.

    Args:
        rows: what to ask for.
        ask: answers a row, or raises ``Lost``; called from several threads.
        concurrency: most requests on their way.
        patience: how often and how long to try again.

    Returns:
        Every row is in ``answers`` or in ``failures``. After one failure that says ``all``, or
        max(8, concurrency) others with no answer between them, the rest is not sent.
    """
    queue = _Queue(concurrency)

    def run(row: int) -> None:
        if queue.closing.is_set():
            queue.skip(row)
            return
        try:
            queue.answer(row, _with_patience(lambda: ask(row), patience, queue))
        except Lost as lost:
            queue.fail(row, lost)

    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(rows)))) as threads:
        try:
            for _ in threads.map(run, rows):
                pass
        except BaseException:  # an interrupt, or a fault of ours: send nothing more
            queue.closing.set()
            raise
    return Attempt(queue.answers, queue.failures, queue.closing.is_set())


class _Queue:
    """What the threads of one call share."""

    def __init__(self, concurrency: int) -> None:
        self.answers: dict[int, Any] = {}
        self.failures: dict[int, str] = {}
        self.closing = threading.Event()  # set when nothing more is to be sent
        self._why = "the run was interrupted"
        self._limit = max(8, concurrency)
        self._streak = 0
        self._lock = threading.Lock()

    def answer(self, row: int, answer: Any) -> None:
        with self._lock:
            self.answers[row] = answer
            self._streak = 0

    def fail(self, row: int, lost: Lost) -> None:
        with self._lock:
            self.failures[row] = str(lost)
            self._streak += lost.blame != "request"
            if not self.closing.is_set() and (lost.blame == "all" or self._streak >= self._limit):
                self._why = str(lost)
                self.closing.set()

    def skip(self, row: int) -> None:
        with self._lock:
            self.failures[row] = f"not sent: {self._why}"


def _with_patience(ask: Callable[[], Any], patience: Patience, queue: _Queue) -> Any:
    """``ask`` with back-off; tries stop as soon as the queue is closed.

    Raises:
        Lost: the last try's.
    """
    import tenacity

    jitter = tenacity.wait_random_exponential(patience.first_wait, max=patience.longest_wait)

    def may_help(error: BaseException) -> bool:
        named = error.wait or 0.0 if isinstance(error, Lost) else 0.0
        return isinstance(error, Lost) and error.again and named <= patience.longest_wait

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        named = error.wait if isinstance(error, Lost) else None
        return jitter(state) if named is None else named

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(patience.tries)
        | tenacity.stop_when_event_set(queue.closing),
        sleep=tenacity.sleep_using_event(queue.closing),
        wait=wait,
        retry=tenacity.retry_if_exception(may_help),
        reraise=True,
    )(ask)
