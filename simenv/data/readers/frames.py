"""From frames with named columns to a rating table and a catalogue; knows no file format."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRowReason, BadRows
from simenv.data.readers.cells import ids_of, numbers_of, texts_of, word_lists, years_of
from simenv.data.readers.csv_frames import other_separator
from simenv.data.readers.rating_table import IdArray, RatingTable
from simenv.domains.domain import Domain
from simenv.domains.domain_file import load_domain, shipped_domains
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
        ValueError: some are missing; the message lists those found, and says so where the separator
            or the header seems to be the reason.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = [str(c) for c in frame.columns]
        raise ValueError(
            f"{file} has no column {', '.join(map(repr, missing))}; it has {', '.join(found)};"
            f" {_hint(found, missing)}name the right ones (user_column=, item_column=,"
            " rating_column=, …)"
        )


def _hint(found: list[str], missing: list[str]) -> str:
    """What may be wrong with the columns found."""
    if len(found) == 1 and (sign := other_separator(found[0])):
        return f"it seems to be separated by {sign!r}: pass separator={sign!r}, or "
    if all(re.fullmatch(r"[\d.:-]*", name) for name in found):
        return "it seems to have no header: add one as its first row, or "
    alike = {name.casefold().replace(" ", "_"): name for name in found}
    near = [alike[m] for m in (n.casefold().replace(" ", "_") for n in missing) if m in alike]
    return f"perhaps {', '.join(map(repr, near))} is meant: " if near else ""


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
    named = columns.of_ratings()
    if len(set(named)) < len(named):
        raise ValueError(
            f"users, items, ratings and times wanted a column each, got {', '.join(named)}; name"
            " another (user_column=, item_column=, …)"
        )
    require_columns(frame, file, named)
    users, items = ids_of(frame[columns.user_column]), ids_of(frame[columns.item_column])
    ratings = numbers_of(frame[columns.rating_column])
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


def _times(frame: "pd.DataFrame", columns: Columns) -> Moments | None:
    """The times; None where the file has none."""
    if columns.timestamp_column is None:
        return None
    return moments_of(frame[columns.timestamp_column], columns.timestamp_unit)


def catalog_from_frame(
    frame: "pd.DataFrame",
    file: str,
    columns: Columns,
    domain: Domain,
    bad_rows: BadRows,
    facts: Mapping[str, str] | None = None,
) -> Catalog:
    """One item a row, in the order of the file.

    Rows without an id are noted as malformed, repeated ids as duplicates (the first stays), years
    that are no whole numbers of at most five digits and lists that do not end as malformed (the row
    goes); an empty year is 0 = unknown. ``facts`` says in which column each fact of the domain
    stands.

    Raises:
        ValueError: a column is missing, or no row is left.
    """
    require_columns(frame, file, [*columns.of_items(), *(facts or {}).values()])
    ids = ids_of(frame[columns.item_column])
    years, bad_year = years_of(frame, columns.year_column)
    genres = word_lists(frame, columns.genres_column, columns.genres_separator)
    casts = word_lists(frame, columns.cast_column, columns.cast_separator)
    broken = np.array([None in pair for pair in zip(genres, casts, strict=True)], dtype=np.bool_)
    malformed = (ids == "") | bad_year | broken
    bad_rows.note_all(
        BadRowReason.MALFORMED,
        file,
        _rows(frame)[malformed],
        lambda i: (
            "no item id, or a bad year"
            if not broken[np.flatnonzero(malformed)[i]]
            else "a list in brackets that cannot be read"
        ),
    )
    again = np.zeros(len(frame), dtype=np.bool_)
    again[~malformed] = is_repeated(ids[~malformed])
    bad_rows.note_all(
        BadRowReason.DUPLICATE, file, _rows(frame)[again], lambda i: "this item is listed before"
    )
    kept = np.flatnonzero(~malformed & ~again)
    if not len(kept):
        raise ValueError(f"{file} holds no usable item; {bad_rows.summary()}")
    frame = frame.iloc[kept]
    return Catalog(
        titles=texts_of(frame, columns.title_column or columns.item_column),
        years=years[kept],
        genres=tuple(genres[i] or () for i in kept),
        casts=tuple((casts[i] or ())[:MAX_CAST] for i in kept),
        summaries=texts_of(frame, columns.summary_column),
        external_ids=tuple(ids[kept]),
        domain=domain,
        facts={fact: texts_of(frame, column) for fact, column in (facts or {}).items()},
    )


def columns_of_facts(
    domain: Domain, named: Mapping[str, str] | None, columns: Collection[str]
) -> dict[str, str]:
    """Fact of the domain → the column that it stands in: the one named, else one of its name.

    Raises:
        ValueError: a fact is named that the domain does not tell.
    """
    given = dict(named or {})
    if unknown := [fact for fact in given if fact not in domain.facts]:
        telling = [name for name in shipped_domains() if unknown[0] in load_domain(name).facts]
        cures = "".join(f'pass domain="{name}", which tells it, or ' for name in telling)
        raise ValueError(
            f"facts wanted those that {domain.one} has in its domain"
            f" ({', '.join(domain.facts) or 'none'}), got {unknown[0]!r}; {cures}name it under"
            " 'facts' and in 'line' of a domain file of your own, and pass domain=FILE.yaml"
            " (docs/how-to/your_own_domain.md)"
        )
    found = {fact: given.get(fact, fact) for fact in domain.facts}
    return {fact: name for fact, name in found.items() if fact in given or name in columns}


def is_repeated(ids: IdArray) -> BoolArray:
    """(r,) true where the id stands in an earlier row."""
    import pandas as pd

    return np.asarray(pd.Series(ids, dtype=object).duplicated(), dtype=np.bool_)


def _rows(frame: "pd.DataFrame") -> IntArray:
    """(r,) row numbers in the file."""
    return np.asarray(frame.index, dtype=np.int64)
