"""From frames with named columns to a rating table and a catalogue; knows no file format."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRowReason, BadRows
from simenv.data.readers.rating_table import IdArray, RatingTable
from simenv.events import BoolArray, IntArray
from simenv.values.clocks import Moments, TimeUnit, moments_of

if TYPE_CHECKING:
    import pandas as pd

MAX_CAST = 15


class ColumnNames(TypedDict, total=False):
    """Keywords that say what files call their columns; None = there is no such column.

    Attributes:
        user_column: the user's id, any text or number; default "user_id".
        item_column: the item's id, any text or number; default "item_id".
        rating_column: a number on the source's scale; default "rating".
        timestamp_column: ISO 8601 dates, dates of Parquet, or numbers; None = the order of the file
            is the order.
        timestamp_unit: "s", "ms", "us" or "ns" since 1970, of numbers; None (default) = the
            coarsest in which most of them lie before the year 10000.
        title_column: None = the id is the title.
        year_column: a number; None = unknown.
        genres_column: text with separators, or lists (Parquet).
        genres_separator: between two genres; default "|".
        cast_column: people, of whom the first 15 stay; as ``genres_column``.
        cast_separator: between two people; default "|".
        summary_column: a description.
    """

    user_column: str
    item_column: str
    rating_column: str
    timestamp_column: str | None
    timestamp_unit: TimeUnit | None
    title_column: str | None
    year_column: str | None
    genres_column: str | None
    genres_separator: str
    cast_column: str | None
    cast_separator: str
    summary_column: str | None


@dataclass(frozen=True)
class Columns:
    """``ColumnNames`` with their defaults."""

    user_column: str = "user_id"
    item_column: str = "item_id"
    rating_column: str = "rating"
    timestamp_column: str | None = None
    timestamp_unit: TimeUnit | None = None
    title_column: str | None = None
    year_column: str | None = None
    genres_column: str | None = None
    genres_separator: str = "|"
    cast_column: str | None = None
    cast_separator: str = "|"
    summary_column: str | None = None

    def of_ratings(self) -> list[str]:
        """The columns that a ratings file must have."""
        wanted = (self.user_column, self.item_column, self.rating_column, self.timestamp_column)
        return [name for name in wanted if name is not None]

    def of_items(self) -> list[str]:
        """The columns that an item file must have."""
        wanted = (
            self.item_column, self.title_column, self.year_column, self.genres_column,
            self.cast_column, self.summary_column,
        )  # fmt: skip
        return [name for name in wanted if name is not None]


def require_columns(frame: "pd.DataFrame", file: str, names: list[str]) -> None:
    """Check that a file has the named columns.

    Raises:
        ValueError: some are missing; the message lists those found.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = ", ".join(str(c) for c in frame.columns)
        raise ValueError(
            f"{file} has no column {', '.join(map(repr, missing))}; it has {found};"
            " name the right ones (user_column=, item_column=, …)"
        )


def table_from_frame(
    frame: "pd.DataFrame", file: str, columns: Columns, bad_rows: BadRows
) -> RatingTable:
    """Rating rows of a frame whose index is the row number in the file.

    Args:
        frame: unchanged.
        file: its name, for errors.
        columns: what they are called.
        bad_rows: gets a note for each row without an id, or with a rating or a time that is no
            number.

    Raises:
        ValueError: a column is missing.
    """
    import pandas as pd  # heavy, and only files need it

    named = columns.of_ratings()
    require_columns(frame, file, named)
    users, items = ids_of(frame[columns.user_column]), ids_of(frame[columns.item_column])
    numbers = pd.to_numeric(frame[columns.rating_column], errors="coerce")
    ratings = numbers.to_numpy(np.float64, na_value=np.nan)
    times = _times(frame, columns)
    bad = (users == "") | (items == "") | ~np.isfinite(ratings)
    if times is not None:
        bad |= times.missing
    table = RatingTable(
        file,
        users,
        items,
        ratings,
        None if times is None else times.seconds,
        frame.index.to_numpy(np.int64),
        None if times is None else times.exact,
        None if times is None else times.spelling,
    )

    def what(i: int) -> str:
        cells = frame.loc[bad, named].iloc[i]
        shown = ", ".join(f"{name}={cells[name]!r}" for name in named)
        return f"not a number or empty: {shown}"

    bad_rows.note_all(BadRowReason.MALFORMED, file, table.rows[bad], what)
    return table.take(~bad)


def ids_of(column: "pd.Series[Any]") -> IdArray:
    """(r,) ids as text objects; a whole number keeps no decimals, a missing one is ``""``."""
    if column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")  # integers with gaps come out of Parquet as floats
    return np.asarray(column.astype("string").fillna("").to_numpy(dtype=object))


def _times(frame: "pd.DataFrame", columns: Columns) -> Moments | None:
    """The times; None where the file has none."""
    if columns.timestamp_column is None:
        return None
    return moments_of(frame[columns.timestamp_column], columns.timestamp_unit)


def catalog_from_frame(
    frame: "pd.DataFrame", file: str, columns: Columns, kind: str, bad_rows: BadRows
) -> Catalog:
    """One item a row, in the order of the file.

    Rows without an id are noted as malformed, repeated ids as duplicates (the first stays), years
    that are not numbers as malformed (the row goes); an empty year is 0 = unknown.

    Raises:
        ValueError: a column is missing, or no row is left.
    """
    require_columns(frame, file, columns.of_items())
    ids = ids_of(frame[columns.item_column])
    years, bad_year = _years(frame, columns.year_column)
    malformed = (ids == "") | bad_year
    bad_rows.note_all(
        BadRowReason.MALFORMED, file, _rows(frame)[malformed], lambda i: "no item id, or a bad year"
    )
    frame, years = frame[~malformed], years[~malformed]
    again = frame[columns.item_column].duplicated().to_numpy(np.bool_)
    bad_rows.note_all(
        BadRowReason.DUPLICATE, file, _rows(frame)[again], lambda i: "this item is listed before"
    )
    frame, years = frame[~again], years[~again]
    if not len(frame):
        raise ValueError(f"{file} holds no usable item; {bad_rows.summary()}")
    ids = ids_of(frame[columns.item_column])
    return Catalog(
        titles=texts_of(frame, columns.title_column or columns.item_column),
        years=years,
        genres=lists_of(frame, columns.genres_column, columns.genres_separator),
        casts=lists_of(frame, columns.cast_column, columns.cast_separator, MAX_CAST),
        summaries=texts_of(frame, columns.summary_column),
        external_ids=tuple(ids),
        kind=kind,
    )


def _rows(frame: "pd.DataFrame") -> IntArray:
    """(r,) row numbers in the file."""
    return np.asarray(frame.index, dtype=np.int64)


def _years(frame: "pd.DataFrame", name: str | None) -> tuple[IntArray, BoolArray]:
    """(r,) years, 0 = unknown, and (r,) where the cell is no number."""
    import pandas as pd

    if name is None:
        return np.zeros(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=np.bool_)
    cells = ids_of(frame[name])
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(np.float64)
    finite = np.isfinite(numbers)
    return np.where(finite, numbers, 0).astype(np.int64), ~finite & (cells != "")


def texts_of(frame: "pd.DataFrame", name: str | None) -> tuple[str, ...]:
    """One stripped text a row; empty where missing."""
    if name is None:
        return ("",) * len(frame)
    return tuple(text.strip() for text in ids_of(frame[name]))


def lists_of(
    frame: "pd.DataFrame", name: str | None, separator: str, most: int | None = None
) -> tuple[tuple[str, ...], ...]:
    """One tuple of words a row, at most ``most``; cells hold lists, or text with separators."""
    if name is None:
        return ((),) * len(frame)
    rows = (
        cell.split(separator) if isinstance(cell, str) else cell if np.ndim(cell) else ()
        for cell in frame[name]
    )
    return tuple(
        tuple(word for word in (str(x).strip() for x in row) if word)[:most] for row in rows
    )
