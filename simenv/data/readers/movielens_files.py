"""The file formats of MovieLens: reads a release whole, cuts and averages nothing."""

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRows, OnBadRows, Reason
from simenv.data.readers.frames import ItemColumns, catalog_from_frame, table_from_frame
from simenv.data.readers.rating_table import IdArray, RatedCatalog, log_from_table
from simenv.data.readers.sources import Publication, SourceFiles, find_files
from simenv.data.readers.text_rows import csv_frame, delimited_ratings, delimited_rows
from simenv.data.readers.titles import parse_title

_SERVER = "https://files.grouplens.org/datasets/movielens"
ML_1M = Publication("ml-1m", f"{_SERVER}/ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")
ML_100K = Publication("ml-100k", f"{_SERVER}/ml-100k.zip", "0e33842e24a9c977be4e0107933c0723")
ML_LATEST_SMALL = Publication("ml-latest-small", f"{_SERVER}/ml-latest-small.zip", None)

HalfStars = Literal["up", "rescale"]
_NO_GENRE = {"(no genres listed)", "unknown", ""}


def read_movielens_1m(
    path: str | Path | None = None,
    *,
    on_bad_rows: OnBadRows = "error",
    encoding: str = "latin-1",
    download_dir: str | None = None,
) -> RatedCatalog:
    """All of MovieLens-1M and the report on bad rows; arguments as in ``movielens_1m``."""
    bad_rows = BadRows(on_bad_rows)
    files = find_files(ML_1M, path, "ratings.dat", download_dir)
    rows = delimited_rows(files.read("movies.dat"), "movies.dat", "::", 3, encoding, bad_rows)
    ids, kept = _item_ids(rows, "movies.dat", bad_rows)
    catalog = _films(ids, [f[1] for f in kept], [f[2].split("|") for f in kept])
    users = _user_ids(files, "users.dat", "::", 5, encoding, bad_rows)
    return _rated(files, "ratings.dat", "::", ids, catalog, users, bad_rows)


def read_movielens_100k(
    path: str | Path | None = None,
    *,
    on_bad_rows: OnBadRows = "error",
    encoding: str = "latin-1",
    download_dir: str | None = None,
) -> RatedCatalog:
    """All of MovieLens-100K and the report on bad rows; arguments as in ``movielens_100k``."""
    bad_rows = BadRows(on_bad_rows)
    files = find_files(ML_100K, path, "u.data", download_dir)
    kinds = delimited_rows(files.read("u.genre"), "u.genre", "|", 2, encoding, bad_rows)
    names = [fields[0] for _, fields in kinds]
    width = 5 + len(names)  # id, title, two dates, an address, then one flag a genre
    rows = delimited_rows(files.read("u.item"), "u.item", "|", width, encoding, bad_rows)
    ids, kept = _item_ids(rows, "u.item", bad_rows)
    genres = [[g for g, flag in zip(names, f[5:], strict=True) if flag == "1"] for f in kept]
    catalog = _films(ids, [f[1] for f in kept], genres)
    users = _user_ids(files, "u.user", "|", 5, encoding, bad_rows)
    return _rated(files, "u.data", "\t", ids, catalog, users, bad_rows)


def read_movielens_latest_small(
    path: str | Path | None = None,
    *,
    half_stars: HalfStars = "up",
    on_bad_rows: OnBadRows = "error",
    download_dir: str | None = None,
) -> RatedCatalog:
    """All of latest-small and the report; arguments as in ``movielens_latest_small``."""
    if half_stars not in get_args(HalfStars):
        raise ValueError(f"half_stars must be one of {get_args(HalfStars)}, got {half_stars!r}")
    bad_rows = BadRows(on_bad_rows)
    files = find_files(ML_LATEST_SMALL, path, "ratings.csv", download_dir)
    movies = csv_frame(files.read("movies.csv"), "movies.csv", "utf-8", bad_rows, strict=True)
    columns = ItemColumns("movieId", "title", genres="genres")
    listed = catalog_from_frame(movies, "movies.csv", columns, "movie", bad_rows)
    ids = np.array(listed.external_ids, dtype=object)
    catalog = _films(ids, list(listed.titles), [list(g) for g in listed.genres])
    ratings = csv_frame(files.read("ratings.csv"), "ratings.csv", "utf-8", bad_rows, strict=False)
    table = table_from_frame(
        ratings, "ratings.csv", ("userId", "movieId", "rating", "timestamp"), bad_rows
    )
    log, user_ids = log_from_table(
        table, ids, bad_rows, scale=(0.5, 5.0), to_stars=np.ceil if half_stars == "up" else None
    )
    return RatedCatalog(catalog, log, user_ids, bad_rows)


def _rated(
    files: SourceFiles,
    name: str,
    separator: str,
    item_ids: IdArray,
    catalog: Catalog,
    users: IdArray | None,
    bad_rows: BadRows,
) -> RatedCatalog:
    table = delimited_ratings(files.read(name), name, separator, bad_rows)
    log, user_ids = log_from_table(table, item_ids, bad_rows, known_users=users)
    return RatedCatalog(catalog, log, user_ids, bad_rows)


def _films(ids: IdArray, raw_titles: list[str], genres: list[list[str]]) -> Catalog:
    """A catalogue in the order of the item file, rated or not."""
    titles, years = zip(*(parse_title(t) for t in raw_titles), strict=True)
    return Catalog(
        titles,
        np.array(years, dtype=np.int64),
        tuple(tuple(g for g in row if g not in _NO_GENRE) for row in genres),
        external_ids=tuple(str(i) for i in ids),
    )


def _item_ids(
    rows: list[tuple[int, list[str]]], file: str, bad_rows: BadRows
) -> tuple[IdArray, list[list[str]]]:
    """Whole-number ids of the usable rows, and their fields; of a repeated id the first stays."""
    kept: dict[int, list[str]] = {}
    for row, fields in rows:
        if not fields[0].isdecimal():
            bad_rows.note(Reason.MALFORMED, file, row, f"item id {fields[0]!r} is not a number")
        elif int(fields[0]) in kept:
            bad_rows.note(Reason.DUPLICATE, file, row, f"item {fields[0]} is listed before")
        else:
            kept[int(fields[0])] = fields
    if not kept:
        raise ValueError(f"{file} holds no usable item; {bad_rows.summary()}")
    return np.array(list(kept), dtype=np.int64), list(kept.values())


def _user_ids(
    files: SourceFiles, file: str, separator: str, width: int, encoding: str, bad_rows: BadRows
) -> IdArray | None:
    """Ids of the user file, which nothing else needs; None if it is not there."""
    data = files.read_if_there(file)
    if data is None:
        return None
    ids = []
    for row, fields in delimited_rows(data, file, separator, width, encoding, bad_rows):
        if fields[0].isdecimal():
            ids.append(int(fields[0]))
        else:
            bad_rows.note(Reason.MALFORMED, file, row, f"user id {fields[0]!r} is not a number")
    return np.array(ids, dtype=np.int64)
