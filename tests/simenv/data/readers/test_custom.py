"""Anybody's tables: named columns, other scales, CSV or Parquet, with or without an item file."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simenv.data.readers.bad_rows import BadRowError, BadRowsWarning
from simenv.data.readers.custom import custom
from simenv.data.readers.goodbooks import goodbooks
from simenv.data.reading_report import ReadingWarning

RATINGS = "who,what,score,when\nbob,B2,10,2020-01-02\nann,A1,0,2020-01-01\nbob,A1,5,2020-01-01\n"
ITEMS = (
    "what,name,tags,year,about,people\n"
    'A1,"Kettle, blue",kitchen;blue,2001.0,Boils water.,Ann|Bob\nB2,Lamp,,,,\n'
)
COLUMNS = {
    "user_column": "who", "item_column": "what", "rating_column": "score",
    "timestamp_column": "when", "rating_scale": (0, 10),
}  # fmt: skip


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    data = text.encode()
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return file


def test_ratings_and_items_with_named_columns(tmp_path: Path) -> None:
    dataset = custom(
        write(tmp_path, "shop.csv.gz", RATINGS),
        items_path=write(tmp_path, "items.csv", ITEMS),
        title_column="name", genres_column="tags", genres_separator=";", year_column="year",
        summary_column="about", cast_column="people", kind="product", fraction=1.0, **COLUMNS,
    )  # fmt: skip
    catalog = dataset.catalog
    assert dataset.name == "shop"
    assert catalog.kind == "product"
    assert catalog.external_ids == ("A1", "B2")
    assert catalog.titles == ("Kettle, blue", "Lamp")
    assert catalog.genres == (("kitchen", "blue"), ())
    assert catalog.years.tolist() == [2001, 0]
    assert catalog.summaries == ("Boils water.", "")
    assert catalog.casts == (("Ann", "Bob"), ())
    assert dataset.user_ids == ("ann", "bob")
    assert dataset.train.items.tolist() == [0, 0, 1]  # Bob's two in order of their dates
    assert dataset.train.ratings.tolist() == [1.0, 3.0, 5.0]  # 0, 5, 10 of 0..10


def test_without_items_those_rated_are_the_catalogue(tmp_path: Path) -> None:
    dataset = custom(write(tmp_path, "r.csv", RATINGS), title_column="what", **COLUMNS)
    assert dataset.catalog.titles == ("B2", "A1")
    assert custom(write(tmp_path, "r.csv", RATINGS), **COLUMNS).catalog.titles == ("B2", "A1")


def test_without_timestamps_the_order_of_the_file_is_the_order(tmp_path: Path) -> None:
    columns = {**COLUMNS, "timestamp_column": None}
    dataset = custom(write(tmp_path, "r.csv", RATINGS), fraction=1.0, **columns)
    bob = dataset.train.items[dataset.train.users == 1]
    assert [dataset.catalog.external_ids[i] for i in bob] == ["B2", "A1"]


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"user_id": [3, 3, 20], "item_id": [7.0, 8.0, 7.0], "rating": [1, 5, 4], "t": [2, 1, 3]}
    )
    frame.to_parquet(tmp_path / "r.parquet")
    items = pd.DataFrame({"item_id": [7, 8], "genres": [["a", "b"], []], "title": ["x", None]})
    items.to_parquet(tmp_path / "i.parquet")
    dataset = custom(
        tmp_path / "r.parquet", items_path=tmp_path / "i.parquet", genres_column="genres",
        title_column="title", timestamp_column="t", fraction=1.0,
    )  # fmt: skip
    assert dataset.catalog.external_ids == ("7", "8")  # 7.0 is the item 7
    assert dataset.catalog.genres == (("a", "b"), ())
    assert dataset.catalog.titles == ("x", "")
    assert dataset.user_ids == ("3", "20")
    assert dataset.train.ratings.tolist() == [5.0, 1.0, 4.0]


def test_nanosecond_times_keep_their_order(tmp_path: Path) -> None:
    start = 1_700_000_000_000_000_000
    rows = f"user_id,item_id,rating,t\n1,a,1,{start + 1}\n1,b,2,{start}\n"
    dataset = custom(write(tmp_path, "r.csv", rows), timestamp_column="t", fraction=1.0)
    assert dataset.train.ratings.tolist() == [2.0, 1.0]


def test_missing_column_lists_those_found(tmp_path: Path) -> None:
    file = write(tmp_path, "r.csv", RATINGS)
    with pytest.raises(
        ValueError, match=r"r.csv has no column 'user_id', 'item_id', 'rating'; it h"
    ):
        custom(file)
    with pytest.raises(
        ValueError, match=r"r.csv has no column 'title'; it has who, what, score, w"
    ):
        custom(file, title_column="title", **COLUMNS)
    items = write(tmp_path, "i.csv", ITEMS)
    with pytest.raises(
        ValueError, match=r"i.csv has no column 'genre'; it has what, name, tags, y"
    ):
        custom(file, items_path=items, genres_column="genre", **COLUMNS)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("bob,C3,1,2020-01-01", r"r.csv, row 5: item C3 is not in the catalogue; add the item to"),
        ("bob,A1,1,2019-01-01", r"r.csv, row 5: user bob rates item A1 again later; keep one"),
        ("bob,A1,11,2020-01-01", r"r.csv, row 5: rating 11 lies outside 0\.\.10; mend the rating"),
        ("bob,,1,2020-01-01", r"r.csv, row 5: not a number or empty: who='bob', what=''"),
        ("bob,A1,x,2020-01-01", r"r.csv, row 5: not a number or empty: .*score='x'"),
        ("bob,A1,1,soon", r"r.csv, row 5: not a number or empty: .*when='soon'"),
        ("bob,A1", r"r.csv, row 5: not a number or empty: .*score=''"),
        ("bob,A1,1,2020-01-01,", r"r.csv, row 5: wanted 4 fields, got 5"),
    ],
)
def test_bad_rating_rows(tmp_path: Path, row: str, text: str) -> None:
    file = write(tmp_path, "r.csv", f"{RATINGS}{row}\n")
    items = write(tmp_path, "i.csv", ITEMS)
    with pytest.raises(BadRowError, match=text):
        custom(file, items_path=items, **COLUMNS)
    with pytest.warns(BadRowsWarning, match=r"dropped 1 bad rows: 1 "):
        dataset = custom(file, items_path=items, on_bad_rows="drop", fraction=1.0, **COLUMNS)
    assert dataset.train.ratings.tolist() == [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("A1,Again,,,,", r"i.csv, row 4: this item is listed before"),
        ("C3,Short", r"i.csv, row 4: wanted 6 fields, got 2: 'C3,Short'"),
        (",No id,,,,", r"i.csv, row 4: no item id, or a bad year"),
        ("C3,Old,,MCMXC,,", r"i.csv, row 4: no item id, or a bad year"),
    ],
)
def test_bad_item_rows(tmp_path: Path, row: str, text: str) -> None:
    items = write(tmp_path, "i.csv", f"{ITEMS}{row}\n")
    with pytest.raises(BadRowError, match=text):
        custom(write(tmp_path, "r.csv", RATINGS), items_path=items, year_column="year", **COLUMNS)


def test_wrong_encoding(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_bytes(f"{RATINGS}zoé,A1,1,2020-01-01\n".encode("latin-1"))
    with pytest.raises(BadRowError, match=r"r.csv, row 5: 'zo\\udce9,A1.* is not utf-8; name the"):
        custom(file, **COLUMNS)
    assert custom(file, encoding="latin-1", **COLUMNS).user_ids == ("ann", "bob", "zoé")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + RATINGS.encode())
    assert custom(tmp_path / "bom.csv", **COLUMNS).user_ids == ("ann", "bob")


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read r.xlsx: wanted .csv, .csv.gz or .parquet"):
        custom(write(tmp_path, "r.xlsx", ""))
    with pytest.raises(ValueError, match=r"r.csv is empty; wanted a header and rows"):
        custom(write(tmp_path, "r.csv", ""))
    with pytest.raises(ValueError, match=r"names a column twice: \['a', 'a'\]; rename one"):
        custom(
            write(tmp_path, "r.csv", RATINGS), items_path=write(tmp_path, "i.csv", "a,a\n1,1\n"),
            **COLUMNS,
        )  # fmt: skip
    with pytest.raises(
        ValueError, match=r"rating_scale must be \(lowest, highest\), got \(5.0, 1.0"
    ):
        custom(write(tmp_path, "r.csv", RATINGS), **{**COLUMNS, "rating_scale": (5, 1)})


def make_goodbooks(folder: Path) -> Path:
    write(folder, "books.csv", "book_id,authors,original_publication_year,title\n"
          '1,"Homer, Somebody",-750.0,The Odyssey\n2,Jane Doe,,Untitled\n')  # fmt: skip
    write(folder, "ratings.csv", "user_id,book_id,rating\n5,2,1\n5,1,4\n")
    return folder


def test_goodbooks_format(tmp_path: Path) -> None:
    dataset = goodbooks(make_goodbooks(tmp_path), fraction=1.0)
    assert dataset.catalog.kind == "book"
    assert dataset.catalog.casts == (("Homer", "Somebody"), ("Jane Doe",))
    assert dataset.catalog.years.tolist() == [-750, 0]
    assert dataset.catalog.genres == ((), ())
    assert dataset.train.ratings.tolist() == [1.0, 4.0]
    shelves = 'book_id,goodreads_book_id,genres\n1,9,"classics,to-read-classics,poetry"\n'
    write(tmp_path, "book_genres.csv.gz", shelves)
    assert goodbooks(tmp_path).catalog.genres == (("classics", "poetry"), ())


def test_goodbooks_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"no ratings.csv or .* in .*; get them from https"):
        goodbooks(tmp_path)
    monkeypatch.delenv("PERSONAREC_DATA", raising=False)
    with pytest.raises(
        FileNotFoundError, match=r"goodbooks-10k is not downloaded automatically; g"
    ):
        goodbooks()


def test_real_goodbooks(real_data: Path) -> None:
    dataset = goodbooks(real_data / "goodbooks-10k")
    assert (dataset.num_users, dataset.num_items) == (2_672, 10_000)
    assert len(dataset.train) + len(dataset.test) == 298_176
    assert np.mean([len(g) > 0 for g in dataset.catalog.genres]) > 0.99


SHOP = {**COLUMNS, "title_column": "name", "fraction": 1.0}


def test_facts_of_the_domain_come_from_their_columns(tmp_path: Path) -> None:
    ratings = write(tmp_path, "r.csv", RATINGS)
    items = write(tmp_path, "i.csv", "what,name,price,eur\nA1,Kettle,9.90,8\nB2,Lamp,,7\n")
    same_name = custom(ratings, items_path=items, kind="product", **SHOP)
    assert same_name.catalog.facts == {"price": ("9.90", "")}
    assert same_name.reading.unused_columns == ("eur",)
    named = custom(ratings, items_path=items, kind="product", facts={"price": "eur"}, **SHOP)
    assert named.catalog.facts == {"price": ("8", "7")}
    assert "it also tells price (column 'eur')." in " ".join(named.reading.sentences())
    other = custom(ratings, items_path=items, domain="product", kind="lamp", **SHOP)
    assert (other.catalog.kind, other.catalog.domain.done) == ("lamp", "bought")


def test_facts_that_are_missing_are_said_and_unknown_ones_refused(tmp_path: Path) -> None:
    ratings, items = write(tmp_path, "r.csv", RATINGS), write(tmp_path, "i.csv", ITEMS)
    bare = custom(ratings, items_path=items, domain="product", **SHOP)
    assert "would tell price too, which no column holds" in " ".join(bare.reading.sentences())
    with pytest.raises(ValueError, match="no column 'eur'"):
        custom(ratings, items_path=items, domain="product", facts={"price": "eur"}, **SHOP)
    with pytest.raises(ValueError, match=r"a book has in its domain \(none\), got 'price'; pass"
                       ' domain="product", which tells it, or name it under'):  # fmt: skip
        custom(ratings, items_path=items, kind="book", facts={"price": "name"}, **SHOP)
    with pytest.raises(ValueError, match=r"got 'sole'; name it under 'facts' and in 'line' of a"):
        custom(ratings, items_path=items, kind="book", facts={"sole": "name"}, **SHOP)


@pytest.mark.parametrize(
    ("scale", "given", "stars", "said"),
    [
        ((0.5, 5), (0.5, 5.0, 2.75), [1, 5, 3], "became 5. A star is worth 1.125 of its"),
        ((-10, 10), (-10, 10, 0), [1, 5, 3], "became 5. A star is worth 5 of its points."),
        ((0, 1), (0, 1, 1), [1, 5, 5], "1 became 5. Nobody gave anything between."),
        ((1, 5), (1, 5, 2), [1, 5, 2], "5 became 5."),
    ],
)
def test_scales_of_a_domain_are_stretched_and_said(
    tmp_path: Path, scale: tuple[float, float], given: tuple[float, ...],
    stars: list[float], said: str,
) -> None:  # fmt: skip
    (tmp_path / "mine.yaml").write_text(f"noun: thing\nscale: {list(scale)}\n")
    rows = "".join(f"\nu,i{place},{rating}" for place, rating in enumerate(given))
    file = write(tmp_path, "r.csv", f"user_id,item_id,rating{rows}")
    read = custom(file, domain=tmp_path / "mine.yaml", fraction=1.0, split="lot")
    assert read.train.ratings.tolist() == stars
    assert any(sentence.endswith(said) or said in sentence for sentence in read.reading.sentences())


def test_a_log_of_likes_alone_opens_every_report(tmp_path: Path) -> None:
    file = write(tmp_path, "r.csv", "user_id,item_id,rating\nu,a,1\nu,b,1\nv,a,1\n")
    with pytest.warns(ReadingWarning, match=r"all ratings of r\.csv are 1: nothing in them says"):
        read = custom(file, rating_scale=(0, 1), split="lot")
    assert read.train.ratings.tolist() == [5.0] * len(read.train)
