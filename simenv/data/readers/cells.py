"""Cells of a column to ids, texts, numbers, years and lists; knows no row's use and no format."""

import ast
import json
import re
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from simenv.data.readers.rating_table import IdArray
from simenv.events import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

_WHOLE_ID = re.compile(r"(-?\d+)(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def ids_of(column: "pd.Series[Any]") -> IdArray:
    """(r,) ids as text without spaces around them; a missing one is ``""``.

    Where all are whole numbers they are written without decimals: 7, 7.0 and "7.00" are one id.
    """
    import pandas as pd  # heavy, and only files need it

    if isinstance(column.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(column)  # ids recur in many rows
        known = _without_decimals([str(cell).strip() for cell in distinct])
        ids: IdArray = np.array([*known, ""], dtype=object)[codes]  # the last is the missing one
        return ids
    return np.array(_without_decimals(texts_of_cells(column)), dtype=object)


def _without_decimals(cells: list[str]) -> list[str]:
    """The same, as whole numbers where all are whole numbers or empty."""
    numbered = [_WHOLE_ID.fullmatch(cell) for cell in cells]
    if all(match or not cell for match, cell in zip(numbered, cells, strict=True)):
        return [match[1] if match else "" for match in numbered]
    return cells


def texts_of_cells(column: "pd.Series[Any]") -> list[str]:
    """(r,) one stripped text a cell; a missing or infinite one is ``""``."""
    import pandas as pd  # heavy, and only files need it

    if column.dtype.kind in "iu":
        return [str(cell) for cell in column.tolist()]
    if isinstance(column.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(column)
        known = [*(str(cell).strip() for cell in distinct), ""]  # the last is the missing one
        return [known[code] for code in codes.tolist()]
    cells = column.astype(object).tolist()
    return [
        cell.strip()
        if isinstance(cell, str)
        else ""
        if np.ndim(cell) == 0 and pd.isna(cell)
        else _number_text(cell)
        for cell in cells
    ]


def _number_text(cell: Any) -> str:
    """A whole float without decimals, an infinite one as nothing, all else as it prints."""
    if isinstance(cell, float | np.floating):
        if not np.isfinite(cell):
            return ""
        return str(int(cell)) if cell == int(cell) else str(cell)
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace").strip()
    return str(cell).strip()


def numbers_of(column: "pd.Series[Any]") -> FloatArray:
    """(r,) finite numbers; NaN where a cell is none: empty, a truth value, or such as ``1_0``."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(column)
        found = [float(x) if _is_number_cell(x) else np.nan for x in distinct]
        numbers = np.array([*found, np.nan])[codes]
        return np.where(np.isfinite(numbers), numbers, np.nan)
    if column.dtype.kind not in "iuf":
        cells = [cell if _is_number_cell(cell) else None for cell in column.astype(object)]
        column = pd.Series(cells, dtype=object)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _is_number_cell(cell: Any) -> bool:
    if isinstance(cell, str):
        return len(cell) < 400 and _NUMBER.fullmatch(cell.strip()) is not None
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, Real | Decimal):
        return False
    return bool(abs(cell) < 10**300)  # type: ignore[operator]


def years_of(frame: "pd.DataFrame", name: str | None) -> tuple[IntArray, BoolArray]:
    """(r,) years, 0 = unknown, and (r,) where the cell is no number."""
    import pandas as pd

    if name is None:
        return np.zeros(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=np.bool_)
    cells = np.array(texts_of_cells(frame[name]), dtype=object)
    numbers = numbers_of(pd.Series(cells, dtype=object))
    good = (np.abs(numbers) < 100_000) & (numbers % 1 == 0)
    return np.where(good, numbers, 0).astype(np.int64), ~good & (cells != "")


def texts_of(frame: "pd.DataFrame", name: str | None) -> tuple[str, ...]:
    """One stripped text a row; empty where missing."""
    if name is None:
        return ("",) * len(frame)
    return tuple(texts_of_cells(frame[name]))


def lists_of(
    frame: "pd.DataFrame", name: str | None, separator: str, most: int | None = None
) -> tuple[tuple[str, ...], ...]:
    """One tuple of words a row, at most ``most``; cells hold lists, or text with separators.

    A text in brackets is a list as Python or JSON prints it: ``['Action', 'Crime']``, or
    ``[{"id": 28, "name": "Action"}]``, of which the names count.

    Raises:
        ValueError: a text in brackets cannot be read.
    """
    rows = word_lists(frame, name, separator)
    for row, words in zip(frame.index, rows, strict=True):
        if words is None:
            raise ValueError(
                f"column {name!r}, row {row}: a list in brackets that cannot be read, got"
                f" {str(frame.loc[row, name])[:60]!r}; mend the row"
            )
    return tuple((words or ())[:most] for words in rows)


def word_lists(
    frame: "pd.DataFrame", name: str | None, separator: str
) -> list[tuple[str, ...] | None]:
    """(r,) words of each row; None where a list in brackets cannot be read."""
    if name is None:
        return [()] * len(frame)
    if not separator:
        raise ValueError("genres_separator and cast_separator wanted a sign such as '|', got ''")
    return [_words(cell, separator) for cell in frame[name]]


def _words(cell: Any, separator: str) -> tuple[str, ...] | None:
    if isinstance(cell, str) and cell.strip().startswith("[") and cell.strip().endswith("]"):
        cell = _printed_list(cell.strip())
        if cell is None:
            return None
    elif isinstance(cell, str):
        cell = cell.split(separator)
    elif not np.ndim(cell):
        cell = ()
    names = [x.get("name", "") if isinstance(x, dict) else x for x in cell]
    words = ("" if word is None else str(word).strip() for word in names)
    return tuple(word for word in words if word)


def _printed_list(text: str) -> list[Any] | None:
    """The list that a text prints, as Python or JSON does; None if it cannot be read."""
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        return found if isinstance(found, list) else None
    return None
