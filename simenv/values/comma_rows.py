"""Rows of a small CSV of texts, none of whose cells gets lost. It knows no column's meaning."""

import csv
import io
from collections.abc import Sequence

_OTHERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def comma_rows(text: str, file: str) -> tuple[list[str], list[dict[str, str]]]:
    """The names of a CSV's columns, and its rows: column → cell; a missing last cell is empty.

    Args:
        text: of the file.
        file: its name, for errors.

    Raises:
        ValueError: another sign stands between the cells, a row has more cells than columns (a
            text with a comma and without quotes), or a quote is never closed.
    """
    rows = csv.reader(io.StringIO(text), strict=True)
    try:
        head, *others = [row for row in rows if row] or [[]]
    except csv.Error as error:
        raise ValueError(
            f"{file} wanted quotes that are closed, got another ({error}, line {rows.line_num});"
            " close it, or double a quote inside a cell"
        ) from None
    _check_commas(head, file)
    for number, cells in enumerate(others, 2):
        if len(cells) > len(head):
            raise ValueError(
                f"{file}, row {number}: wanted {len(head)} cells, got {len(cells)}; put a text that"
                " holds commas in quotes"
            )
    return head, [dict(zip(head, [*c, *[""] * (len(head) - len(c))], strict=True)) for c in others]


def _check_commas(head: Sequence[str], file: str) -> None:
    signs = [name for sign, name in _OTHERS.items() if len(head) == 1 and sign in head[0]]
    if signs:
        raise ValueError(
            f"{file} wanted commas between its cells, got {signs[0]} ({head[0]!r}); save it with"
            " commas"
        )
