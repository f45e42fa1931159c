"""Tables for a terminal, all in one style."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

_NAME = 24  # characters that a text keeps before figures move to a table of their own
_LEAST = 8  # that it keeps in any case
_WHOLE = 32  # of a figure; a longer one is a sentence, and broken like any text


def text_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    num_texts: int = 1,
) -> "TextTable":
    """A table whose first columns are text, on the left, and the others figures, on the right.

    The heads of figures are broken at their blanks, so that the room goes to names. In a narrow
    terminal texts are broken into lines, figures that find no room go on in another table behind
    the same texts, and none is cut.

    Args:
        heads: of the columns.
        rows: a cell a column.
        title: on top, on the left.
        num_texts: columns of text.
    """
    return TextTable(tuple(heads), tuple(tuple(row) for row in rows), title, num_texts)


@dataclass(frozen=True)
class TextTable:
    """What ``text_table`` makes, laid out by the width of the terminal when it is printed."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str | None
    num_texts: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or several one after the other."""
        widths = [self._widest(place) for place in range(len(self.heads))]
        for number, figures in enumerate(self._parts(widths, options.max_width)):
            yield self._table(figures, widths, options.max_width, None if number else self.title)

    def _widest(self, place: int) -> int:
        """Characters that a column wants: all of a text, of a figure's head one word."""
        head = self.heads[place]
        words = [head] if place < self.num_texts else head.split()
        cells = (row[place] for row in self.rows)
        return max(map(cell_len, [*words, *cells]), default=1)

    def _is_text(self, place: int, widths: Sequence[int]) -> bool:
        return place < self.num_texts or widths[place] > _WHOLE

    def _parts(self, widths: Sequence[int], room: int) -> list[range]:
        """Which figures stand together, as ranges of columns."""
        wanted = [
            (min(width, _NAME) if self._is_text(place, widths) else width) + 2
            for place, width in enumerate(widths)
        ]
        texts = sum(wanted[: self.num_texts])
        cuts, used = [self.num_texts], 0
        for place in range(self.num_texts, len(widths)):
            if place > cuts[-1] and 1 + texts + used + wanted[place] > room:
                cuts.append(place)
                used = 0
            used += wanted[place]
        return [range(*ends) for ends in pairwise([*cuts, len(widths)])]

    def _table(self, figures: range, widths: Sequence[int], room: int, title: str | None) -> Table:
        table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), title=title, title_justify="left")
        shown = [*range(self.num_texts), *figures]
        texts = [place for place in shown if self._is_text(place, widths)]
        free = room - 1 - sum(widths[place] + 2 for place in shown if place not in texts)
        given = dict(zip(texts, _shared([widths[place] for place in texts], free), strict=True))
        for place in shown:
            table.add_column(
                self.heads[place],
                justify="left" if place in given else "right",
                overflow="fold",
                width=given.get(place),
                max_width=None if place in given else widths[place],
            )
        for row in self.rows:
            table.add_row(*(row[place] for place in shown))
        return table


def _shared(widths: Sequence[int], room: int) -> list[int]:
    """Widths of texts that fit into ``room``: the widest give way first, none below ``_LEAST``."""
    found, free = list(widths), room - 2 * len(widths)
    while sum(found) > free and max(found) > _LEAST:
        found[found.index(max(found))] -= 1
    return found
