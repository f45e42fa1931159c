"""From frames with named columns to a rating table and a catalogue; knows no file format."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRows, Reason
from simenv.data.readers.rating_table import IdArray, RatingTable
from simenv.events import BoolArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

MAX_CAST = 15


class ItemColumns(NamedTuple):
    """What an item file calls its columns; None = it has no such column."""

    item: str
    title: str | None = None  # None = the id is the title
    year: str | None = None
    genres: str | None = None
    cast: str | None = None
    summary: str | None = None
    genres_separator: str = "|"
    cast_separator: str = "|"

    def names(self) -> list[str]:
        """The columns that must be there."""
        all_names = (self.item, self.title, self.year, self.genres, self.cast, self.summary)
        return [name for name in all_names if name is not None]


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
    frame: "pd.DataFrame",
    file: str,
    columns: tuple[str, str, str, str | None],
    bad_rows: BadRows,
) -> RatingTable:
    """Rating rows of a frame whose index is the row number in the file.

    Args:
        frame: unchanged.
        file: its name, for errors.
        columns: user, item, rating and timestamp (None = the order of the file is the order).
            Timestamps are numbers (fractions are cut off) or ISO 8601 dates.
        bad_rows: gets a note for each row without an id, or with a rating or a time that is no
            number.

    Raises:
        ValueError: a column is missing.
    """
    import pandas as pd  # heavy, and only files need it

    user, item, rating, timestamp = columns
    require_columns(frame, file, [name for name in columns if name is not None])
    users, items = ids_of(frame[user]), ids_of(frame[item])
    ratings = pd.to_numeric(frame[rating], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    times, timeless = _times(frame, timestamp)
    bad = (users == "") | (items == "") | ~np.isfinite(ratings) | timeless
    table = RatingTable(file, users, items, ratings, times, frame.index.to_numpy(np.int64))
    named = [name for name in columns if name is not None]

    def what(i: int) -> str:
        cells = frame.loc[bad, named].iloc[i]
        shown = ", ".join(f"{name}={cells[name]!r}" for name in named)
        return f"not a number or empty: {shown}"

    bad_rows.note_all(Reason.MALFORMED, file, table.rows[bad], what)
    return table.take(~bad)


def ids_of(column: "pd.Series[Any]") -> IdArray:
    """(r,) ids as text objects; a whole number keeps no decimals, a missing one is ``""``."""
    if column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")  # integers with gaps come out of Parquet as floats
    return np.asarray(column.astype("string").fillna("").to_numpy(dtype=object))


def _times(frame: "pd.DataFrame", name: str | None) -> tuple[IntArray | None, BoolArray]:
    """(r,) times and (r,) where there is none."""
    import pandas as pd

    if name is None:
        return None, np.zeros(len(frame), dtype=np.bool_)
    column = frame[name]
    if column.dtype.kind != "M":
        numbers = pd.to_numeric(column, errors="coerce")
        missing: BoolArray = ~np.isfinite(np.asarray(numbers, dtype=np.float64))
        if not missing.all():  # filled, not cast to float: nanoseconds need all 64 bits
            return np.asarray(numbers.mask(missing, 0), dtype=np.int64), missing
    dates = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    nanoseconds = dates.astype("datetime64[ns, UTC]").astype("int64")
    return np.asarray(nanoseconds, dtype=np.int64), np.asarray(dates.isna(), dtype=np.bool_)


def catalog_from_frame(
    frame: "pd.DataFrame", file: str, columns: ItemColumns, kind: str, bad_rows: BadRows
) -> Catalog:
    """One item a row, in the order of the file; averages are empty.

    Rows without an id are noted as malformed, repeated ids as duplicates (the first stays), years
    that are not numbers as malformed (the row goes); an empty year is 0 = unknown.

    Raises:
        ValueError: a column is missing, or no row is left.
    """
    require_columns(frame, file, columns.names())
    ids = ids_of(frame[columns.item])
    years, bad_year = _years(frame, columns.year)
    frame, years = _noted(
        frame, years, (ids == "") | bad_year, file, Reason.MALFORMED, "no item id, or a bad year",
        bad_rows,
    )  # fmt: skip
    again = frame[columns.item].duplicated().to_numpy(np.bool_)
    frame, years = _noted(
        frame, years, again, file, Reason.DUPLICATE, "this item is listed before", bad_rows
    )
    if not len(frame):
        raise ValueError(f"{file} holds no usable item; {bad_rows.summary()}")
    ids = ids_of(frame[columns.item])
    return Catalog(
        titles=texts_of(frame, columns.title or columns.item),
        years=years,
        genres=lists_of(frame, columns.genres, columns.genres_separator),
        casts=lists_of(frame, columns.cast, columns.cast_separator, MAX_CAST),
        summaries=texts_of(frame, columns.summary),
        external_ids=tuple(ids),
        kind=kind,
    )


def _noted(
    frame: "pd.DataFrame",
    years: IntArray,
    bad: BoolArray,
    file: str,
    reason: Reason,
    what: str,
    bad_rows: BadRows,
) -> tuple["pd.DataFrame", IntArray]:
    bad_rows.note_all(reason, file, frame.index.to_numpy(np.int64)[bad], lambda i: what)
    return frame[~bad], years[~bad]


def _years(frame: "pd.DataFrame", name: str | None) -> tuple[IntArray, BoolArray]:
    """(r,) years, 0 = not told, and (r,) where the cell is no number."""
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
