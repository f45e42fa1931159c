"""Anybody's ratings, from text or Parquet files whose columns the caller names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRows, OnBadRows
from simenv.data.readers.cells import ids_of
from simenv.data.readers.csv_frames import read_frame
from simenv.data.readers.frames import (
    ColumnNames,
    Columns,
    catalog_from_frame,
    columns_of_facts,
    is_repeated,
    require_columns,
    table_from_frame,
)
from simenv.data.readers.rating_table import RatedCatalog, log_from_table, reading_of, require_rows
from simenv.data.readers.user_sample import ProtocolSettings, build_dataset, parted
from simenv.domains.domain import Domain
from simenv.domains.domain_file import domain_called, load_domain

if TYPE_CHECKING:
    import pandas as pd


class CustomSettings(ColumnNames, ProtocolSettings, total=False):
    """Names of columns, and how users are drawn and split."""


def custom(
    path: str | Path,
    *,
    items_path: str | Path | None = None,
    name: str | None = None,
    kind: str | None = None,
    domain: str | Path | None = None,
    facts: Mapping[str, str] | None = None,
    rating_scale: tuple[float, float] | None = None,
    on_bad_rows: OnBadRows = "error",
    encoding: str = "utf-8",
    separator: str | None = None,
    **settings: Unpack[CustomSettings],
) -> Dataset:
    """Read a table of ratings and, if there is one, a table of items.

    Args:
        path: ratings, one a row: .csv, .tsv, .txt or .dat with a header (each also .gz), or
            .parquet.
        items_path: items, one a row, in the same kinds of file; its id column is ``item_column``
            too. None = the items are those rated, and all columns are columns of ``path`` (the
            first row of an item counts).
        name: of the data set; None = the name of the file without its suffixes.
        kind: what one item is called in a sentence, such as "book"; None = as the domain says.
        domain: how items are told: the name of a shipped domain, or a .yaml file of your own
            (``simenv.domains``); None = that of ``kind``, or of any item.
        facts: fact of the domain → its column; None = columns of the same names.
        rating_scale: (lowest, highest) rating, stretched linearly to 1..5 stars; None = the
            domain's, or 1..5, and an error where more than 5 % of the ratings lie outside.
        on_bad_rows: ``"error"`` raises at the first row that cannot be used; ``"drop"`` leaves such
            rows out and warns with their counts (the report itself: ``read_custom``).
        encoding: of text files.
        separator: between two cells of text files, such as ";" or "::"; None = a tab in a .tsv,
            else a comma.
        settings: of ``ColumnNames`` (``user_column``, ``title_column``, …) and of
            ``ProtocolSettings`` (``num_users``, ``seed``, ``regime``, …).

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, a suffix or a scale is wrong, or too few users qualify.
    """
    columns, protocol = parted(settings, ColumnNames)
    rated = read_custom(
        path,
        items_path=items_path,
        kind=kind,
        domain=domain,
        facts=facts,
        rating_scale=rating_scale,
        on_bad_rows=on_bad_rows,
        encoding=encoding,
        separator=separator,
        **columns,
    )
    return build_dataset(name or Path(path).name.split(".")[0], rated, **protocol)


def read_custom(
    path: str | Path,
    *,
    items_path: str | Path | None = None,
    kind: str | None = None,
    domain: str | Path | None = None,
    facts: Mapping[str, str] | None = None,
    rating_scale: tuple[float, float] | None = None,
    on_bad_rows: OnBadRows = "error",
    encoding: str = "utf-8",
    separator: str | None = None,
    **names: Unpack[ColumnNames],
) -> RatedCatalog:
    """All rows, not split, and the report on bad rows; arguments as in ``custom``."""
    bad_rows, columns, file = BadRows(on_bad_rows), Columns(**names), Path(path)
    words = _domain(domain, kind)
    frame = read_frame(file, encoding, bad_rows, strict=False, separator=separator)
    table = table_from_frame(frame, file.name, columns, bad_rows)
    require_rows(table, bad_rows)
    if items_path is None:
        require_columns(frame, file.name, columns.of_items())
        items = frame.loc[table.rows]
        items = items[~is_repeated(ids_of(items[columns.item_column]))]
    else:
        file = Path(items_path)
        items = read_frame(file, encoding, bad_rows, strict=True, separator=separator)
    known = columns_of_facts(words, facts, items.columns)
    catalog = catalog_from_frame(items, file.name, columns, words, bad_rows, known)
    scale = words.scale if rating_scale is None else _scale(rating_scale)
    ids = np.array(catalog.external_ids, dtype=object)
    log, user_ids = log_from_table(table, ids, bad_rows, scale=scale)
    reading = replace(
        reading_of(table, scale, unused_columns=_unused(columns, known, frame, items)),
        ids_are_titles=columns.title_column is None,
        domain=words.noun,
        facts=known,
        untold_facts=tuple(name for name in words.facts if name not in known),
    )
    return RatedCatalog(catalog, log, user_ids, bad_rows, reading)


def _domain(domain: str | Path | None, kind: str | None) -> Domain:
    """The words for the items."""
    if domain is None:
        return domain_called("item" if kind is None else kind)
    words = load_domain(domain)
    return words if kind is None else replace(words, noun=kind, article="", plural="")


def _scale(given: Any) -> tuple[float, float]:
    try:
        low, high = (float(x) for x in given)
    except (TypeError, ValueError):
        raise ValueError(f"rating_scale must be (lowest, highest), got {given!r}") from None
    return low, high


def _unused(columns: Columns, facts: Mapping[str, str], *frames: "pd.DataFrame") -> tuple[str, ...]:
    """Columns of the files that nobody named."""
    used = {*columns.of_ratings(), *columns.of_items(), *facts.values()}
    return tuple(dict.fromkeys(str(c) for frame in frames for c in frame if c not in used))
