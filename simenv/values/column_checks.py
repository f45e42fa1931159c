"""The schema check of every data door: a column is numbers in a range, whole numbers, or texts.

Nothing is rounded, parsed or filled: a cell that is not what its field holds is refused with the
field, the row (from 0), what was wanted, what came and the cure. Knows no field by itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_CURE = "mend the row or leave it out"
_INT64 = 2**63


def whole_numbers(
    column: ArrayLike,
    field: str,
    low: int = -_INT64,
    high: int = _INT64 - 1,
    cure: str = _CURE,
) -> NDArray[np.int64]:
    """(r,) int64 of whole numbers in [low, high]; an int64 column comes back as it is.

    Raises:
        ValueError: a cell is a text, a truth value, empty, a fraction, infinite or out of range.
    """
    wanted = f"whole numbers in [{low}, {high}]"
    values = _column(column, field, wanted, cure)
    if values.dtype.kind not in "iu":
        for row, cell in enumerate(values.tolist()):
            if not _is_number(cell) or cell != cell // 1 or not low <= cell <= high:
                raise _refusal(field, wanted, cell, row, cure)
        return np.array([int(x) for x in values.tolist()], dtype=np.int64)
    _check_range(values, field, low, high, wanted, cure)
    return np.asarray(values, dtype=np.int64)


def numbers(
    column: ArrayLike,
    field: str,
    low: float = -np.inf,
    high: float = np.inf,
    cure: str = _CURE,
) -> NDArray[np.float64]:
    """(r,) float64 of finite numbers in [low, high]; a float64 column comes back as it is.

    Raises:
        ValueError: a cell is a text, a truth value, empty, infinite or out of range.
    """
    unbounded = low == -np.inf and high == np.inf
    wanted = "finite numbers" if unbounded else f"numbers in [{low:g}, {high:g}]"
    values = _column(column, field, wanted, cure)
    if values.dtype.kind not in "iuf":
        for row, cell in enumerate(values.tolist()):
            if not _is_number(cell):
                raise _refusal(field, wanted, cell, row, cure)
    values = np.asarray(values, dtype=np.float64)
    _check_range(values, field, low, high, wanted, cure)
    return values


def texts(column: Sequence[Any], field: str, cure: str = _CURE) -> tuple[str, ...]:
    """(r,) the texts.

    Raises:
        ValueError: a cell is no text.
    """
    for row, cell in enumerate(column):
        if not isinstance(cell, str):
            raise _refusal(field, "a text in every row", cell, row, cure)
    return tuple(column)


def text_lists(column: Sequence[Any], field: str, cure: str = _CURE) -> tuple[tuple[str, ...], ...]:
    """(r,) lists of texts.

    Raises:
        ValueError: a cell is no list of texts, as where a single text was given.
    """
    wanted = "a list of texts in every row"
    found = []
    for row, cell in enumerate(column):
        listed = None if isinstance(cell, (str, bytes)) or not np.iterable(cell) else tuple(cell)
        if listed is None or not all(isinstance(text, str) for text in listed):
            raise _refusal(field, wanted, cell, row, cure)
        found.append(listed)
    return tuple(found)


def one_length(sizes: dict[str, int], what: str, cure: str) -> None:
    """Check that all columns have as many rows.

    Raises:
        ValueError: they do not.
    """
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{what} wanted columns of one length, got {sizes}; {cure}")


def _column(column: ArrayLike, field: str, wanted: str, cure: str) -> NDArray[Any]:
    """(r,) as an array; a column that numpy cannot hold as numbers is one of objects."""
    values = np.asarray(column)
    if values.size == 0:
        values = np.zeros(values.shape)
    if values.ndim != 1:
        raise ValueError(f"{field} wanted {wanted}, one a row, got shape {values.shape}; {cure}")
    hides_bools = not hasattr(column, "dtype") and any(map(_is_bool, column))  # type: ignore[arg-type]
    if values.dtype.kind in "iuf" and not hides_bools:
        return values
    return np.array(list(column), dtype=object) if len(values) else values  # type: ignore[arg-type]


def _is_bool(cell: Any) -> bool:
    return isinstance(cell, (bool, np.bool_))


def _is_number(cell: Any) -> bool:
    if _is_bool(cell):
        return False
    if isinstance(cell, (int, np.integer)):
        return abs(int(cell)) < 2**1000  # a float holds it
    return isinstance(cell, (float, np.floating)) and bool(np.isfinite(cell))


def _check_range(
    values: NDArray[Any], field: str, low: float, high: float, wanted: str, cure: str
) -> None:
    if not len(values):
        return
    inside = (values >= low) & (values <= high) & np.isfinite(values)
    if not inside.all():
        row = int(np.flatnonzero(~inside)[0])
        raise _refusal(field, wanted, values[row].item(), row, cure)


def _refusal(field: str, wanted: str, got: Any, row: int, cure: str) -> ValueError:
    shown = repr(got)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ValueError(f"{field} wanted {wanted}, got {shown} in row {row}; {cure}")
