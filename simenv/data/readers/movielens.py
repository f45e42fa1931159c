"""MovieLens 1M, 100K and latest-small: from the files of GroupLens to split data sets.

F. M. Harper and J. A. Konstan (2015), The MovieLens Datasets: History and Context, ACM TiiS 5 (4).
The licence forbids passing the files on, so they are read from a path or from the publisher.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, TypedDict, Unpack, get_args

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRowReason, BadRows, OnBadRows
from simenv.data.readers.csv_frames import csv_frame
from simenv.data.readers.descriptions import with_descriptions
from simenv.data.readers.frames import Columns, catalog_from_frame, table_from_frame
from simenv.data.readers.rating_table import IdArray, RatedCatalog, log_from_table, reading_of
from simenv.data.readers.sources import Publication, SourceFiles, find_files
from simenv.data.readers.text_rows import delimited_ratings, delimited_rows, whole_number
from simenv.data.readers.titles import parse_title
from simenv.data.readers.user_sample import ProtocolSettings, build_dataset, parted
from simenv.domains.domain_file import domain_called

_SERVER = "https://files.grouplens.org/datasets/movielens"
ML_1M = Publication("ml-1m", f"{_SERVER}/ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")
ML_100K = Publication("ml-100k", f"{_SERVER}/ml-100k.zip", "0e33842e24a9c977be4e0107933c0723")
ML_LATEST_SMALL = Publication("ml-latest-small", f"{_SERVER}/ml-latest-small.zip", None)

HalfStars = Literal["up", "rescale"]
_NO_GENRE = {"(no genres listed)", "unknown", ""}


class SourceSettings(TypedDict, total=False):
    """How files are found and read.

    Attributes:
        on_bad_rows: "error" (default) raises at the first row that cannot be used; "drop" leaves
            such rows out and warns with their counts (the report itself: ``read_movielens_1m``).
        encoding: of the item file; default "latin-1". Latest-small is utf-8 and takes none.
        download_dir: where a download is kept; None (default) = the user's cache folder.
    """

    on_bad_rows: OnBadRows
    encoding: str
    download_dir: str | None


class MovieLensSettings(SourceSettings, ProtocolSettings, total=False):
    """Keywords of all three: how files are read, users are drawn, and where texts come from.

    Attributes:
        descriptions: .csv, .csv.gz or .parquet with movie_id, a summary and a cast (see
            ``with_descriptions``); None (default) = no texts.
        summary_column: the column of ``descriptions`` that holds the summary; default "summary".
        director_column: the column that holds the directors; None (default) = none.
    """

    descriptions: str | Path | None
    summary_column: str
    director_column: str | None


def movielens_1m(path: str | Path | None = None, **settings: Unpack[MovieLensSettings]) -> Dataset:
    """MovieLens-1M: 6,040 users, 3,883 films, 1,000,209 ratings in whole stars.

    The seed paper's protocol is ``min_ratings=100, max_ratings=200, num_users=200``.

    Args:
        path: folder with ratings.dat, folder with ml-1m.zip, or the zip; None =
            ``$PERSONAREC_DATA/ml-1m`` if it exists, else a download from GroupLens.
        settings: of ``MovieLensSettings``, ``SourceSettings`` and ``ProtocolSettings``.

    Returns:
        All 3,883 films are in the catalogue, rated or not.

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        FileNotFoundError: the files are not at ``path``.
        OSError: the download failed.
        ValueError: the zip is broken, or too few users qualify.
    """
    return _dataset("movielens-1m", read_movielens_1m, path, settings)


def movielens_100k(
    path: str | Path | None = None, **settings: Unpack[MovieLensSettings]
) -> Dataset:
    """MovieLens-100K: 943 users, 1,682 films, 100,000 ratings in whole stars.

    Arguments, result and errors as in ``movielens_1m``; the files are u.data, u.item, u.genre.
    """
    return _dataset("movielens-100k", read_movielens_100k, path, settings)


def movielens_latest_small(
    path: str | Path | None = None,
    *,
    half_stars: HalfStars = "up",
    **settings: Unpack[MovieLensSettings],
) -> Dataset:
    """MovieLens latest-small: about 600 users and 100,000 ratings; GroupLens renews it.

    Arguments, result and errors as in ``movielens_1m``, except for ``half_stars``: ratings run from
    0.5 to 5; ``"up"`` rounds half stars up, so that five levels stay, ``"rescale"`` stretches
    0.5..5 linearly to 1..5 and gives fractions.
    """
    read = partial(read_movielens_latest_small, half_stars=half_stars)
    return _dataset("movielens-latest-small", read, path, settings)


def _dataset(
    name: str,
    read: Callable[..., RatedCatalog],
    path: str | Path | None,
    settings: MovieLensSettings,
) -> Dataset:
    source, rest = parted(settings, SourceSettings)
    descriptions = rest.pop("descriptions", None)
    summary_column = rest.pop("summary_column", "summary")
    directors = rest.pop("director_column", None)
    rated = with_descriptions(
        read(path, **source), descriptions, summary_column, director_column=directors
    )
    return build_dataset(name, rated, **rest)


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
    columns = Columns(
        user_column="userId", item_column="movieId", timestamp_column="timestamp",
        title_column="title", genres_column="genres",
    )  # fmt: skip
    listed = catalog_from_frame(movies, "movies.csv", columns, domain_called("movie"), bad_rows)
    ids = np.array(listed.external_ids, dtype=object)
    catalog = _films(ids, list(listed.titles), [list(g) for g in listed.genres])
    ratings = csv_frame(files.read("ratings.csv"), "ratings.csv", "utf-8", bad_rows, strict=False)
    table = table_from_frame(ratings, "ratings.csv", columns, bad_rows)
    log, user_ids = log_from_table(
        table, ids, bad_rows, scale=(0.5, 5.0), to_stars=np.ceil if half_stars == "up" else None
    )
    return RatedCatalog(catalog, log, user_ids, bad_rows, reading_of(table, (0.5, 5.0)))


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
    return RatedCatalog(catalog, log, user_ids, bad_rows, reading_of(table))


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
        item = whole_number(fields[0])
        if item is None:
            bad_rows.note(
                BadRowReason.MALFORMED, file, row, f"item id {fields[0]!r} is not a number"
            )
        elif item in kept:
            bad_rows.note(BadRowReason.DUPLICATE, file, row, f"item {fields[0]} is listed before")
        else:
            kept[item] = fields
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
        user = whole_number(fields[0])
        if user is not None:
            ids.append(user)
        else:
            bad_rows.note(
                BadRowReason.MALFORMED, file, row, f"user id {fields[0]!r} is not a number"
            )
    return np.array(ids, dtype=np.int64)
