"""Our own readers keep the contract that we ship."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from simenv.data.readers.custom import custom
from simenv.data.readers.goodbooks import goodbooks
from simenv.data.readers.movielens import movielens_1m, movielens_100k, movielens_latest_small
from simenv.testing.reader import NUM_ITEMS, NUM_USERS, Read, ReaderContract, Row, WriteSource

ITEMS, USERS = range(1, NUM_ITEMS + 1), range(1, NUM_USERS + 1)


def lines(values: range, line: Callable[[int], str]) -> str:
    return "".join(f"{line(value)}\n" for value in values)


def joined(rows: Sequence[Row], separator: str) -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


class TestMovieLens1M(ReaderContract):
    @pytest.fixture
    def write_source(self) -> WriteSource:
        def write(folder: Path, rows: Sequence[Row]) -> Read:
            (folder / "movies.dat").write_text(lines(ITEMS, lambda i: f"{i}::Film {i}::Drama"))
            (folder / "users.dat").write_text(lines(USERS, lambda u: f"{u}::F::1::10::48067"))
            (folder / "ratings.dat").write_text(joined(rows, "::"))
            return partial(movielens_1m, folder)

        return write


class TestMovieLens100K(ReaderContract):
    @pytest.fixture
    def write_source(self) -> WriteSource:
        def write(folder: Path, rows: Sequence[Row]) -> Read:
            (folder / "u.genre").write_text("Drama|0\nWar|1\n")
            (folder / "u.item").write_text(lines(ITEMS, lambda i: f"{i}|Film {i}||||1|0"))
            (folder / "u.user").write_text(lines(USERS, lambda u: f"{u}|24|M|writer|85711"))
            (folder / "u.data").write_text(joined(rows, "\t"))
            return partial(movielens_100k, folder)

        return write


class TestMovieLensLatestSmall(ReaderContract):
    @pytest.fixture
    def write_source(self) -> WriteSource:
        def write(folder: Path, rows: Sequence[Row]) -> Read:
            films = lines(ITEMS, lambda i: f"{i},Film {i},Drama|War")
            (folder / "movies.csv").write_text(f"movieId,title,genres\n{films}")
            ratings = f"userId,movieId,rating,timestamp\n{joined(rows, ',')}"
            (folder / "ratings.csv").write_text(ratings)
            return partial(movielens_latest_small, folder)

        return write


class TestGoodbooks(ReaderContract):
    has_times = False

    @pytest.fixture
    def write_source(self) -> WriteSource:
        def write(folder: Path, rows: Sequence[Row]) -> Read:
            books = lines(ITEMS, lambda i: f"{i},Book {i},1990,Ann Author")
            header = "book_id,title,original_publication_year,authors"
            (folder / "books.csv").write_text(f"{header}\n{books}")
            ratings = "".join(f"{row.user},{row.item},{row.stars}\n" for row in rows)
            (folder / "ratings.csv").write_text(f"user_id,book_id,rating\n{ratings}")
            return partial(goodbooks, folder)

        return write


class TestCustom(ReaderContract):
    @pytest.fixture
    def write_source(self) -> WriteSource:
        def write(folder: Path, rows: Sequence[Row]) -> Read:
            (folder / "items.csv").write_text("item_id\n" + lines(ITEMS, str))
            (folder / "r.csv").write_text("user_id,item_id,rating,t\n" + joined(rows, ","))
            items = folder / "items.csv"
            return partial(custom, folder / "r.csv", items_path=items, timestamp_column="t")

        return write
