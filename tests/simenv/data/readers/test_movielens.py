"""MovieLens files in their own formats: titles, orders, places to find them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from simenv.data.readers.movielens import (
    movielens_1m,
    movielens_100k,
    movielens_latest_small,
    read_movielens_1m,
)
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.readers.titles import parse_title
from simenv.data.readers.user_sample import draw_users


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"{folder.name}/{file.name}")
    return target


@pytest.mark.parametrize(
    ("raw", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Big Lebowski, The (1998)", "The Big Lebowski", 1998),
        ("Bug's Life, A (1998)", "A Bug's Life", 1998),
        ("American in Paris, An (1951)", "An American in Paris", 1951),
        ("Hate (Haine, La) (1995)", "Hate (La Haine)", 1995),
        ("Ennui, L' (1998)", "L'Ennui", 1998),
        ("Seven (Se7en) (1995)", "Seven (Se7en)", 1995),
        ("Star Maker, The (Uomo delle stelle, L') (1995)",
         "The Star Maker (L'Uomo delle stelle)", 1995),
        ("Associate, The (L'Associe)(1982)", "The Associate (L'Associe)", 1982),
        ("Paris, Texas (1984)", "Paris, Texas", 1984),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("Cosmos (2014-2015)", "Cosmos", 2014),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("unknown", "unknown", 0),
    ],
)  # fmt: skip
def test_titles_get_natural_word_order_and_a_year(raw: str, title: str, year: int) -> None:
    assert parse_title(raw) == (title, year)


def test_catalogue_holds_every_film_in_file_order_rated_or_not(ml_1m: Path) -> None:
    dataset = movielens_1m(ml_1m)
    catalog = dataset.catalog
    assert catalog.external_ids == ("1", "2", "3", "5")
    assert catalog.titles == (
        "The Big Lebowski", "Il Postino (The Postman)", "Amélie", "Nobody Saw This",
    )  # fmt: skip
    assert catalog.years.tolist() == [1998, 1994, 2001, 1999]
    assert catalog.genres[2] == ("Comedy", "Romance")
    assert dataset.averages.counts[3] == 0


def test_rows_are_in_time_order_and_split_at_sixty_percent(ml_1m: Path) -> None:
    dataset = movielens_1m(ml_1m)
    assert dataset.user_ids == ("1", "2", "4")
    # ⌈0.6 · 3⌉ = 2 training rows for users 1 and 2, ⌈0.6 · 2⌉ = 2 for user 4.
    assert dataset.train.users.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.train.items.tolist() == [0, 1, 0, 1, 2, 0]
    assert dataset.test.items.tolist() == [2, 2]


@pytest.mark.parametrize("where", ["folder", "parent", "zip", "folder of zip"])
def test_path_may_be_a_folder_or_a_zip(ml_1m: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "zips").mkdir()
    archive = zipped(ml_1m, tmp_path / "zips" / "ml-1m.zip")
    places = {
        "folder": ml_1m, "parent": ml_1m.parent, "zip": archive, "folder of zip": archive.parent,
    }  # fmt: skip
    assert len(read_movielens_1m(places[where]).log) == 8


def test_windows_line_ends_and_a_missing_last_newline_make_no_difference(ml_1m: Path) -> None:
    for name in ("ratings.dat", "movies.dat", "users.dat"):
        data = (ml_1m / name).read_bytes().replace(b"\n", b"\r\n")
        (ml_1m / name).write_bytes(data.rstrip(b"\r\n"))
    assert len(read_movielens_1m(ml_1m).log) == 8


def test_user_file_may_be_absent(ml_1m: Path) -> None:
    (ml_1m / "users.dat").unlink()
    assert len(read_movielens_1m(ml_1m).log) == 8


def test_descriptions_add_summary_and_at_most_fifteen_of_the_cast(
    ml_1m: Path, tmp_path: Path
) -> None:
    cast = "|".join(f"Actor {i}" for i in range(20))
    file = tmp_path / "items.csv"
    file.write_text(
        "movie_id,summary,short,cast\n"
        f'1,"The Dude, a rug,\nand bowling.",A rug.,{cast}\n'
        "77,Of another catalogue.,Other.,Somebody\n"
    )
    catalog = movielens_1m(ml_1m, descriptions=file).catalog
    assert catalog.summaries == ("The Dude, a rug, and bowling.", "", "", "")
    assert catalog.casts[0] == tuple(f"Actor {i}" for i in range(15))
    assert catalog.casts[1] == ()
    short = movielens_1m(ml_1m, descriptions=file, summary_column="short").catalog
    assert short.summaries[0] == "A rug."


def test_directors_stand_behind_the_cast_where_they_are_asked_for(
    ml_1m: Path, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    file.write_text("movie_id,summary,cast,director\n1,A rug.,Ada|Ben,Cleo|Ada\n")
    assert movielens_1m(ml_1m, descriptions=file).catalog.casts[0] == ("Ada", "Ben")
    catalog = movielens_1m(ml_1m, descriptions=file, director_column="director").catalog
    assert catalog.casts[0] == ("Ada", "Ben", "Cleo")
    with pytest.raises(ValueError, match=r"items.csv has no column 'chief'; it has movie_id"):
        movielens_1m(ml_1m, descriptions=file, director_column="chief")


def test_descriptions_without_the_wanted_column(ml_1m: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("movie_id,plot\n1,A rug.\n")
    with pytest.raises(ValueError, match=r"items.csv has no column 'summary'; it has movie_id, pl"):
        movielens_1m(ml_1m, descriptions=tmp_path / "items.csv")


def test_item_described_twice(ml_1m: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("movie_id,summary\n1,A rug.\n1,Bowling.\n")
    with pytest.raises(ValueError, match=r"items.csv, row 3: this item is described before"):
        movielens_1m(ml_1m, descriptions=tmp_path / "items.csv")


def make_100k(folder: Path) -> Path:
    (folder / "u.genre").write_text("unknown|0\nAction|1\nComedy|2\n\n")
    (folder / "u.item").write_bytes(
        "1|Café (1995)|01-Jan-1995||http://x|0|1|1\n2|unknown||||1|0|0\n".encode("latin-1")
    )
    (folder / "u.data").write_text("7\t1\t5\t20\n7\t2\t3\t10\n3\t1\t4\t30\n")
    return folder


def test_100k_format(tmp_path: Path) -> None:
    dataset = movielens_100k(make_100k(tmp_path))
    assert dataset.catalog.titles == ("Café", "unknown")
    assert dataset.catalog.genres == (("Action", "Comedy"), ())
    assert dataset.user_ids == ("3", "7")
    assert dataset.train.items.tolist() == [0, 1, 0]


def make_latest(folder: Path) -> Path:
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n1,"American President, The (1995)",Comedy|Drama\n'
        "10,Été (2000),(no genres listed)\n",
        encoding="utf-8",
    )
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n2,1,0.5,20\n2,10,4.5,10\n10,1,4.0,5\n"
    )
    return folder


def test_latest_small_format_rounds_half_stars_up(tmp_path: Path) -> None:
    dataset = movielens_latest_small(make_latest(tmp_path), fraction=1.0)
    assert dataset.catalog.titles == ("The American President", "Été")
    assert dataset.catalog.genres == (("Comedy", "Drama"), ())
    assert dataset.user_ids == ("2", "10")  # as numbers
    assert dataset.train.ratings.tolist() == [5.0, 1.0, 4.0]


def test_latest_small_can_be_rescaled(tmp_path: Path) -> None:
    dataset = movielens_latest_small(make_latest(tmp_path), fraction=1.0, half_stars="rescale")
    assert dataset.train.ratings == pytest.approx([1 + 4 * (r - 0.5) / 4.5 for r in (4.5, 0.5, 4)])
    with pytest.raises(ValueError, match=r"half_stars must be one of \('up', 'rescale'\), got 'do"):
        movielens_latest_small(tmp_path, half_stars="down")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("2,1,5.5,30", r"ratings.csv, row 5: rating 5.5 lies outside 0.5\.\.5"),
        ("2,1,,30", r"ratings.csv, row 5: not a number or empty: userId='2', movieId='1', rat"),
        ("2,1,3.0", r"ratings.csv, row 5: not a number or empty: .*timestamp=''"),
        ("2,1,3.0,1,1", r"ratings.csv, row 5: wanted 4 fields, got 5: '2,1,3.0,1,1'"),
    ],
)
def test_latest_small_bad_rows(tmp_path: Path, row: str, text: str) -> None:
    make_latest(tmp_path)
    with (tmp_path / "ratings.csv").open("a") as stream:
        stream.write(row + "\n")
    with pytest.raises(ValueError, match=text):
        movielens_latest_small(tmp_path)


def test_real_ml_1m_whole(real_ml_1m: RatedCatalog) -> None:
    rated = real_ml_1m
    assert (len(rated.log), rated.log.num_users, rated.log.num_items) == (1_000_209, 6_040, 3_883)
    assert rated.bad_rows.total == 0
    assert np.all(rated.catalog.years > 0)
    assert rated.log.ratings.mean() == pytest.approx(3.5816, abs=1e-4)
    counts = np.bincount(rated.log.users)
    assert counts.min() == 20
    assert len(draw_users(rated.log, low=100, high=200)) == 1_367
    same_user = np.diff(rated.log.users) == 0
    assert np.all(np.diff(rated.log.timestamps)[same_user] >= 0)


def test_real_ml_1m_under_the_papers_protocol(real_data: Path) -> None:
    items = real_data / "ml-1m-items" / "ml1m_items.csv.gz"
    dataset = movielens_1m(
        real_data / "ml-1m", descriptions=items if items.exists() else None,
        min_ratings=100, max_ratings=200, num_users=200, seed=0,
    )  # fmt: skip
    first, rest = np.bincount(dataset.train.users), np.bincount(dataset.test.users)
    assert len(first) == len(rest) == dataset.num_users == 200
    total = first + rest
    assert total.min() >= 100
    assert total.max() <= 200
    assert first.tolist() == [-(-3 * n // 5) for n in total.tolist()]  # ⌈0.6 n⌉ in whole numbers
    assert dataset.background is not None
    assert len(dataset.background) == 1_000_209 - total.sum()
    if items.exists():
        assert dataset.catalog.casts[0][0] == "Tom Hanks"
        assert max(map(len, dataset.catalog.casts)) == 15


def test_real_ml_100k(real_data: Path) -> None:
    dataset = movielens_100k(real_data / "ml-100k")
    assert (dataset.num_users, dataset.num_items) == (943, 1_682)
    assert len(dataset.train) + len(dataset.test) == 100_000
