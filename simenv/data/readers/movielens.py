"""MovieLens 1M, 100K and latest-small: from the files of GroupLens to split data sets.

F. M. Harper and J. A. Konstan (2015), The MovieLens Datasets: History and Context, ACM TiiS 5 (4).
The licence forbids passing the files on, so they are read from a path or from the publisher.
"""

from pathlib import Path

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import OnBadRows
from simenv.data.readers.descriptions import with_descriptions
from simenv.data.readers.movielens_files import (
    HalfStars,
    read_movielens_1m,
    read_movielens_100k,
    read_movielens_latest_small,
)
from simenv.data.readers.protocol import Regime, build_dataset


def movielens_1m(
    path: str | Path | None = None,
    *,
    descriptions: str | Path | None = None,
    summary_column: str = "summary",
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    regime: Regime = "population",
    on_bad_rows: OnBadRows = "error",
    encoding: str = "latin-1",
    download_dir: str | None = None,
) -> Dataset:
    """MovieLens-1M: 6,040 users, 3,883 films, 1,000,209 ratings in whole stars.

    The seed paper's protocol is ``min_ratings=100, max_ratings=200, num_users=200``.

    Args:
        path: folder with ratings.dat, folder with ml-1m.zip, or the zip; None =
            ``$PERSONAREC_DATA/ml-1m`` if it exists, else a download from GroupLens.
        descriptions: .csv, .csv.gz or .parquet with movie_id, a summary and a cast; see
            ``with_descriptions``.
        summary_column: the column of ``descriptions`` that holds the summary.
        fraction: of each user's rows, in time order, that are training rows.
        min_ratings: fewest ratings of a drawn user; None = no bound.
        max_ratings: most ratings of a drawn user; None = no bound.
        num_users: how many users to draw; None = all that qualify.
        seed: of the draw.
        regime: what the averages see besides training rows; see ``simenv.data.readers.protocol``.
        on_bad_rows: ``"error"`` raises at the first row that cannot be used; ``"drop"`` leaves such
            rows out and warns with their counts (the report itself: ``read_movielens_1m``).
        encoding: of movies.dat.
        download_dir: where a download is kept; None = the user's cache folder.

    Returns:
        All 3,883 films are in the catalogue, rated or not.

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        FileNotFoundError: the files are not at ``path``.
        OSError: the download failed.
        ValueError: the zip is broken, or too few users qualify.
    """
    rated = read_movielens_1m(
        path, on_bad_rows=on_bad_rows, encoding=encoding, download_dir=download_dir
    )
    rated = with_descriptions(rated, descriptions, summary_column)
    return build_dataset(
        "movielens-1m",
        rated,
        fraction=fraction,
        min_ratings=min_ratings,
        max_ratings=max_ratings,
        num_users=num_users,
        seed=seed,
        regime=regime,
    )


def movielens_100k(
    path: str | Path | None = None,
    *,
    descriptions: str | Path | None = None,
    summary_column: str = "summary",
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    regime: Regime = "population",
    on_bad_rows: OnBadRows = "error",
    encoding: str = "latin-1",
    download_dir: str | None = None,
) -> Dataset:
    """MovieLens-100K: 943 users, 1,682 films, 100,000 ratings in whole stars.

    Arguments, result and errors as in ``movielens_1m``; the files are u.data, u.item, u.genre.
    """
    rated = read_movielens_100k(
        path, on_bad_rows=on_bad_rows, encoding=encoding, download_dir=download_dir
    )
    rated = with_descriptions(rated, descriptions, summary_column)
    return build_dataset(
        "movielens-100k",
        rated,
        fraction=fraction,
        min_ratings=min_ratings,
        max_ratings=max_ratings,
        num_users=num_users,
        seed=seed,
        regime=regime,
    )


def movielens_latest_small(
    path: str | Path | None = None,
    *,
    descriptions: str | Path | None = None,
    summary_column: str = "summary",
    half_stars: HalfStars = "up",
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    regime: Regime = "population",
    on_bad_rows: OnBadRows = "error",
    download_dir: str | None = None,
) -> Dataset:
    """MovieLens latest-small: about 600 users and 100,000 ratings; GroupLens renews it.

    Arguments, result and errors as in ``movielens_1m``, except for ``half_stars``: ratings run from
    0.5 to 5; ``"up"`` rounds half stars up, so that five levels stay, ``"rescale"`` stretches
    0.5..5 linearly to 1..5 and gives fractions.
    """
    rated = read_movielens_latest_small(
        path, half_stars=half_stars, on_bad_rows=on_bad_rows, download_dir=download_dir
    )
    rated = with_descriptions(rated, descriptions, summary_column)
    return build_dataset(
        "movielens-latest-small",
        rated,
        fraction=fraction,
        min_ratings=min_ratings,
        max_ratings=max_ratings,
        num_users=num_users,
        seed=seed,
        regime=regime,
    )
