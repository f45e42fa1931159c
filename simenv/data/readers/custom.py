"""Anybody's ratings, from CSV or Parquet files whose columns the caller names."""

from pathlib import Path

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRows, OnBadRows
from simenv.data.readers.frames import (
    ItemColumns,
    catalog_from_frame,
    require_columns,
    table_from_frame,
)
from simenv.data.readers.protocol import Regime, build_dataset
from simenv.data.readers.rating_table import RatedCatalog, log_from_table
from simenv.data.readers.text_rows import read_frame


def custom(
    path: str | Path,
    *,
    items_path: str | Path | None = None,
    name: str | None = None,
    kind: str = "item",
    user_column: str = "user_id",
    item_column: str = "item_id",
    rating_column: str = "rating",
    timestamp_column: str | None = None,
    rating_scale: tuple[float, float] = (1.0, 5.0),
    title_column: str | None = None,
    year_column: str | None = None,
    genres_column: str | None = None,
    genres_separator: str = "|",
    cast_column: str | None = None,
    cast_separator: str = "|",
    summary_column: str | None = None,
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    regime: Regime = "population",
    on_bad_rows: OnBadRows = "error",
    encoding: str = "utf-8",
) -> Dataset:
    """Read a table of ratings and, if there is one, a table of items.

    Args:
        path: ratings, one a row: .csv, .csv.gz (with a header) or .parquet.
        items_path: items, one a row, in the same kinds of file; its id column is ``item_column``
            too. None = the items are those rated, and the columns below are columns of ``path``
            (the first row of an item counts).
        name: of the data set; None = the name of the file without its suffixes.
        kind: what one item is called in a sentence, such as "book".
        user_column: the user's id, any text or number.
        item_column: the item's id, any text or number.
        rating_column: a number within ``rating_scale``.
        timestamp_column: a number or an ISO 8601 date; None = the order of the file is the order.
        rating_scale: (lowest, highest) rating, stretched linearly to 1..5 stars.
        title_column: None = the id is the title.
        year_column: None = unknown.
        genres_column: text with separators, or lists (Parquet); None = none.
        genres_separator: between two genres.
        cast_column: people, at most 15 stay; None = none.
        cast_separator: between two people.
        summary_column: a description; None = none.
        fraction: of each user's rows, in time order, that are training rows.
        min_ratings: fewest ratings of a drawn user; None = no bound.
        max_ratings: most ratings of a drawn user; None = no bound.
        num_users: how many users to draw; None = all that qualify.
        seed: of the draw.
        regime: what the averages see besides training rows; see ``simenv.data.readers.protocol``.
        on_bad_rows: ``"error"`` raises at the first row that cannot be used; ``"drop"`` leaves such
            rows out and warns with their counts (the report itself: ``read_custom``).
        encoding: of CSV files.

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, a suffix or a scale is wrong, or too few users qualify.
    """
    rated = read_custom(
        path,
        ItemColumns(
            item_column, title_column, year_column, genres_column, cast_column, summary_column,
            genres_separator, cast_separator,
        ),
        items_path=items_path,
        kind=kind,
        rating_columns=(user_column, item_column, rating_column, timestamp_column),
        rating_scale=rating_scale,
        on_bad_rows=on_bad_rows,
        encoding=encoding,
    )  # fmt: skip
    return build_dataset(
        name or Path(path).name.split(".")[0],
        rated,
        fraction=fraction,
        min_ratings=min_ratings,
        max_ratings=max_ratings,
        num_users=num_users,
        seed=seed,
        regime=regime,
    )


def read_custom(
    path: str | Path,
    item_columns: ItemColumns,
    *,
    items_path: str | Path | None = None,
    kind: str = "item",
    rating_columns: tuple[str, str, str, str | None] = ("user_id", "item_id", "rating", None),
    rating_scale: tuple[float, float] = (1.0, 5.0),
    on_bad_rows: OnBadRows = "error",
    encoding: str = "utf-8",
) -> RatedCatalog:
    """All rows, not cut, and the report on bad rows; arguments as in ``custom``.

    ``rating_columns`` are the names of user, item, rating and timestamp.
    """
    bad_rows = BadRows(on_bad_rows)
    ratings_file = Path(path)
    frame = read_frame(ratings_file, encoding, bad_rows, strict=False)
    table = table_from_frame(frame, ratings_file.name, rating_columns, bad_rows)
    if items_path is None:
        require_columns(frame, ratings_file.name, item_columns.names())
        items = frame.loc[table.rows].drop_duplicates(item_columns.item)
        items_name = ratings_file.name
    else:
        items = read_frame(Path(items_path), encoding, bad_rows, strict=True)
        items_name = Path(items_path).name
    catalog = catalog_from_frame(items, items_name, item_columns, kind, bad_rows)
    low, high = rating_scale
    ids = np.array(catalog.external_ids, dtype=object)
    log, user_ids = log_from_table(table, ids, bad_rows, scale=(float(low), float(high)))
    return RatedCatalog(catalog, log, user_ids, bad_rows)
