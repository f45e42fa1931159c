"""Progress bars on the terminal's error stream; one line a step where it is not a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

Announce = Callable[[str], None]  # shows a short text


class Tick(Protocol):
    """Reports work done: a short text, and by how much the bar moves."""

    def __call__(self, text: str, advance: int = 0) -> None:
        """Show ``text`` and move the bar by ``advance``."""
        ...


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Tick]:
    """A bar of ``total`` ticks; in a pipe it prints one line a text instead of drawing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[title]}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", style="dim"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, title=title)
        last = ""

        def tick(text: str, advance: int = 0) -> None:
            nonlocal last
            bar.update(task, description=text, advance=advance)
            if not console.is_terminal and text != last:
                console.print(f"{title}: {text}", style="dim", highlight=False)
            last = text

        yield tick
