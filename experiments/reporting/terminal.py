"""Tables for a terminal, all in one style."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table


def text_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    num_texts: int = 1,
) -> Table:
    """A table whose first columns are text, on the left, and the others figures, on the right.

    In a narrow terminal cells are broken into lines; none is cut.

    Args:
        heads: of the columns.
        rows: a cell a column.
        title: on top, on the left.
        num_texts: columns of text.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), title=title, title_justify="left")
    for place, head in enumerate(heads):
        side = "left" if place < num_texts else "right"
        table.add_column(head, justify=side, overflow="fold")  # type: ignore[arg-type]
    for cells in rows:
        table.add_row(*cells)
    return table
