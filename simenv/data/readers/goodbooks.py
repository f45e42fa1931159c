"""goodbooks-10k (Zygmunt Zając, CC BY-SA 4.0): 10,000 books, ratings in time order, no times."""

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import OnBadRows
from simenv.data.readers.cells import ids_of, lists_of
from simenv.data.readers.csv_frames import read_frame
from simenv.data.readers.custom import read_custom
from simenv.data.readers.frames import require_columns
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.readers.sources import DATA_VARIABLE, default_folder
from simenv.data.readers.user_sample import ProtocolSettings, build_dataset

_PUBLISHER = "https://github.com/zygmuntz/goodbooks-10k"
_RATINGS = ("ratings.csv", "ratings.csv.gz", "ratings_random.csv.gz", "ratings_random.csv")

# Readers' shelves that say what a book is about; their synonyms and "to-read" are left out.
GENRES = {
    "biography", "children", "classics", "contemporary", "crime", "detective", "fantasy",
    "fiction", "graphic-novels", "historical-fiction", "history", "horror", "literary-fiction",
    "magical-realism", "memoir", "mystery", "mythology", "non-fiction", "paranormal-romance",
    "philosophy", "poetry", "politics", "psychology", "romance", "science-fiction",
    "speculative-fiction", "thriller", "war", "young-adult",
}  # fmt: skip


def goodbooks(
    path: str | Path | None = None,
    *,
    on_bad_rows: OnBadRows = "error",
    **protocol: Unpack[ProtocolSettings],
) -> Dataset:
    """Books, their authors (as casts), years, and genres if book_genres.csv lies beside them.

    Args:
        path: folder with books.csv(.gz) and ratings.csv(.gz) or ratings_random.csv.gz; None =
            ``$PERSONAREC_DATA/goodbooks-10k``.
        on_bad_rows: ``"error"`` or ``"drop"``, as in ``custom``.
        protocol: see ``ProtocolSettings``; the order of the file is the order of time.

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        FileNotFoundError: the files are not at ``path``.
        ValueError: a column is missing, or too few users qualify.
    """
    return build_dataset("goodbooks-10k", read_goodbooks(path, on_bad_rows=on_bad_rows), **protocol)


def read_goodbooks(
    path: str | Path | None = None, *, on_bad_rows: OnBadRows = "error"
) -> RatedCatalog:
    """All rows, not split, and the report on bad rows; arguments as in ``goodbooks``."""
    folder = Path(path) if path is not None else default_folder("goodbooks-10k")
    if folder is None:
        raise FileNotFoundError(
            f"goodbooks-10k is not downloaded automatically; get it from {_PUBLISHER}"
            f" and pass path=<folder>, or set {DATA_VARIABLE}"
        )
    rated = read_custom(
        _first(folder, _RATINGS),
        items_path=_first(folder, ("books.csv", "books.csv.gz")),
        kind="book",
        rating_scale=(1, 5),
        on_bad_rows=on_bad_rows,
        item_column="book_id",
        title_column="title",
        year_column="original_publication_year",
        cast_column="authors",
        cast_separator=", ",
    )
    rated = rated._replace(reading=replace(rated.reading, order="time, as its publisher says"))
    shelves = [folder / name for name in ("book_genres.csv", "book_genres.csv.gz")]
    found = [file for file in shelves if file.is_file()]
    return _with_genres(rated, found[0]) if found else rated


def _with_genres(rated: RatedCatalog, file: Path) -> RatedCatalog:
    """The same, with those shelves of each book that are genres."""
    frame = read_frame(file, "utf-8", rated.bad_rows, strict=True)
    require_columns(frame, file.name, ["book_id", "genres"])
    shelves = dict(zip(ids_of(frame["book_id"]), lists_of(frame, "genres", ","), strict=True))
    genres = tuple(
        tuple(shelf for shelf in shelves.get(book, ()) if shelf in GENRES)
        for book in rated.catalog.external_ids
    )
    return rated._replace(catalog=replace(rated.catalog, genres=genres))


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    """The first of the files that exists."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"no {' or '.join(names)} in {folder}; get them from {_PUBLISHER}")
