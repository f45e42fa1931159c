"""Tables for a terminal, all in one style."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table


def text_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    num_texts: int = 1,
) -> Table:
    """A table whose first columns are text, on the left, and the others figures, on the right.

    The heads of figures are broken at their blanks, so that the room goes to names; in a narrow
    terminal cells are broken into lines, and none is cut.

    Args:
        heads: of the columns.
        rows: a cell a column.
        title: on top, on the left.
        num_texts: columns of text.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), title=title, title_justify="left")
    rows = list(rows)
    for place, head in enumerate(heads):
        if place < num_texts:
            table.add_column(head, overflow="fold")
            continue
        widest = max(map(cell_len, [*head.split(), *(cells[place] for cells in rows)]), default=1)
        table.add_column(head, justify="right", overflow="fold", max_width=widest)
    for cells in rows:
        table.add_row(*cells)
    return table
