"""Progress bars on the terminal's error stream; one line a step where it is not a terminal.

What lasts says so: how long it has been going on, and, once some of the work is done, how long the
rest will take.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

Announce = Callable[[str], None]  # shows a short text
QUIET_SECONDS = 15.0  # after which a step that still goes on says so


class Tick(Protocol):
    """Reports work done: a short text, and by how much the bar moves."""

    def __call__(self, text: str, advance: int = 0) -> None:
        """Show ``text`` and move the bar by ``advance``."""
        ...


@dataclass
class _Steps:
    """What was said last and since when, and how much of the work is done."""

    total: int
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    advanced: float = 0.0  # when the last of it was done
    last: str = ""
    since: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def tick(self, text: str, advance: int) -> bool:
        """Whether the text is new."""
        new, now = text != self.last, time.monotonic()
        if advance:
            self.done, self.advanced = self.done + advance, now
        if new:
            self.last, self.since, self.said = text, now, now
        return new

    def left(self) -> str:
        """How long the rest will take, once a part of the work has told, and while that holds."""
        now = time.monotonic()
        if not 0 < self.done < self.total or now - self.started < QUIET_SECONDS:
            return ""
        rest = (self.advanced - self.started) / self.done * (self.total - self.done)
        rest -= now - self.advanced  # of the step that is going on
        return f", about {duration(rest)} left" if rest > 0 else ""

    def overdue(self) -> str | None:
        """The last text with its time, if nothing was said for a while."""
        now = time.monotonic()
        if not self.last or now - self.said < QUIET_SECONDS:
            return None
        self.said = now
        return f"{self.last}, {duration(now - self.since)} so far{self.left()}"


def duration(seconds: float) -> str:
    """A time span in words.

    >>> duration(75), duration(600), duration(9000)
    ('75 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Tick]:
    """A bar of ``total`` ticks; in a pipe it prints one line a text instead of drawing."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    steps = _Steps(total)

    def say(text: str) -> None:
        if not console.is_terminal:
            console.print(f"{title}: {text}", style="dim", highlight=False)

    with Progress(*_columns(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, title=title)

        def tick(text: str, advance: int = 0) -> None:
            bar.update(task, description=text, advance=advance)
            if steps.tick(text, advance):
                say(f"{text}{steps.left()}")

        with _watched(steps, say):
            yield tick


@contextmanager
def _watched(steps: _Steps, say: Announce) -> Iterator[None]:
    """A thread that speaks where a step goes on for long."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(min(1.0, QUIET_SECONDS / 4)):
            text = steps.overdue()
            if text is not None:
                say(text)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _columns() -> tuple[Any, ...]:
    from rich.progress import (
        BarColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return (
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[title]}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.description}", style="dim"),
    )
