"""Summaries and casts from a separate file, for releases whose licence or format has none."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from simenv.data.readers.bad_rows import BadRowReason
from simenv.data.readers.cells import ids_of, lists_of, texts_of
from simenv.data.readers.csv_frames import read_frame
from simenv.data.readers.frames import MAX_CAST, is_repeated, require_columns
from simenv.data.readers.rating_table import RatedCatalog

logger = logging.getLogger(__name__)


def with_descriptions(
    rated: RatedCatalog,
    path: str | Path | None,
    summary_column: str = "summary",
    item_column: str = "movie_id",
    cast_column: str = "cast",
    director_column: str | None = None,
) -> RatedCatalog:
    """The same, with summaries and casts where the file has them.

    Args:
        rated: unchanged, but its report gets the file's bad rows.
        path: .csv, .csv.gz (utf-8) or .parquet, one item a row; None = no file, nothing happens.
        summary_column: its summary.
        item_column: ids as in ``catalog.external_ids``; other ids are passed over (logged), because
            one file may describe many releases.
        cast_column: names separated by ``|``, of which 15 stay; may be absent.
        director_column: names likewise, who stand behind the cast; None = no directors.

    Raises:
        ValueError: the id, the summary or the director column is missing.
        BadRowError: an item is described twice and the policy is ``"error"``.
    """
    if path is None:
        return rated
    file = Path(path)
    frame = read_frame(file, "utf-8", rated.bad_rows, strict=True)
    wanted_columns = [item_column, summary_column, *([director_column] if director_column else [])]
    require_columns(frame, file.name, wanted_columns)
    again = is_repeated(ids_of(frame[item_column]))
    rated.bad_rows.note_all(
        BadRowReason.DUPLICATE, file.name, frame.index.to_numpy(np.int64)[again],
        lambda i: "this item is described before",
    )  # fmt: skip
    frame = frame[~again]
    ids = ids_of(frame[item_column])
    actors = lists_of(frame, cast_column if cast_column in frame else None, "|", MAX_CAST)
    directors = lists_of(frame, director_column, "|", MAX_CAST)
    casts = [
        (*cast, *(name for name in own if name not in cast))
        for cast, own in zip(actors, directors, strict=True)
    ]
    described = dict(
        zip(ids, zip(texts_of(frame, summary_column), casts, strict=True), strict=True)
    )
    catalog = rated.catalog
    wanted = [described.get(i, ("", ())) for i in catalog.external_ids]
    passed_over = len(described.keys() - set(catalog.external_ids))
    if passed_over:
        logger.info("%s describes %d items of other catalogues", file.name, passed_over)
    return rated._replace(
        catalog=replace(
            catalog,
            summaries=tuple(summary for summary, _ in wanted),
            casts=tuple(cast for _, cast in wanted),
        )
    )
