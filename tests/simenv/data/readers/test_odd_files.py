"""Files as people have them: read right, or refused in our own words with the row and the cure."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRowError
from simenv.data.readers.custom import custom
from simenv.data.readers.movielens import movielens_1m
from simenv.data.readers.titles import parse_title

pytestmark = pytest.mark.filterwarnings("ignore:.* has no times", "ignore:.* were left out")
HEAD = "user_id,item_id,rating\n"


def read(folder: Path, content: str | bytes, name: str = "r.csv", **settings: object) -> Dataset:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return custom(file, **{"fraction": 1.0, **settings})


def portrait(dataset: Dataset) -> tuple[object, ...]:
    return dataset.user_ids, dataset.catalog.external_ids, dataset.train.ratings.tolist()


def with_items(folder: Path, items: str, **settings: object) -> Dataset:
    (folder / "items.csv").write_text(items, encoding="utf-8")
    return read(folder, HEAD + "a,1,3\n", items_path=folder / "items.csv", **settings)


WANTED = (("a", "b"), ("x", "y"), [1.0, 2.0])
PLAIN = "user_id,item_id,rating\na,x,1\nb,y,2\n"
ZIPPED = gzip.compress(PLAIN.encode(), mtime=0)  # of no time: test names hold it


@pytest.mark.parametrize(
    ("content", "name", "settings"),
    [
        (PLAIN, "r.csv", {}),
        (PLAIN.replace("\n", "\r\n"), "r.csv", {}),
        (PLAIN.replace("\n", "\r"), "r.csv", {}),
        (PLAIN.removesuffix("\n"), "r.csv", {}),
        (PLAIN.replace("\n", "\n\n"), "r.csv", {}),
        (b"\xef\xbb\xbf" + PLAIN.encode(), "r.csv", {}),
        (PLAIN.encode("utf-16"), "r.csv", {}),
        (PLAIN.encode("utf-16-be"), "r.csv", {"encoding": "utf-16-be"}),
        (PLAIN.encode("utf-16"), "r.csv", {"encoding": "utf-16"}),
        (PLAIN.replace(",", ";"), "r.csv", {"separator": ";"}),
        (PLAIN.replace(",", "\t"), "r.tsv", {}),
        (PLAIN.replace(",", "\t"), "r.txt", {"separator": "\t"}),
        (PLAIN.replace(",", "::"), "r.dat", {"separator": "::"}),
        (PLAIN.replace(",", "\t"), "r.csv", {"separator": r"\t"}),
        (PLAIN.replace(",", "|").encode("utf-16"), "r.csv", {"separator": "|"}),
        (ZIPPED, "r.csv.gz", {}),
        (PLAIN.replace(",", " , ").replace("a ", " a "), "r.csv", {}),
        (PLAIN.replace("x", '"x"'), "r.csv", {}),
        (PLAIN.replace("rating", '"rating"'), "r.csv", {}),
    ],
)
def test_spellings_of_one_file(
    tmp_path: Path, content: str | bytes, name: str, settings: dict[str, object]
) -> None:
    assert portrait(read(tmp_path, content, name, **settings)) == WANTED


def test_line_breaks_in_quotes_and_quotes_in_quotes(tmp_path: Path) -> None:
    rows = 'user_id,item_id,rating,note\na,x,1,"two\nlines, ""quoted"""\nb,y,2,"5"" disk"\n'
    assert portrait(read(tmp_path, rows)) == WANTED
    with pytest.raises(BadRowError, match=r"r.csv, row 4: not a number or empty: .*rating='bad'"):
        read(tmp_path, rows + "b,z,bad,\n")


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        ("", "r.csv", "r.csv is empty; wanted a header and rows"),
        ("\n\n", "r.csv", "r.csv is empty; wanted a header and rows"),
        (HEAD, "r.csv", "r.csv holds no usable rating; dropped 0 bad rows: none"),
        (HEAD.strip(), "r.csv", "r.csv holds no usable rating"),
        ("\n" + PLAIN, "r.csv", "r.csv wanted a header in its first row, got an empty one; add it"),
        (PLAIN.replace(",", ";"), "r.csv", r"it has user_id;item_id;rating; it seems to be"
         r" separated by ';': pass separator=';', or name the right ones"
         r" \(user_column=, item_column=, rating_column=, …\)"),
        (PLAIN.replace(",", "\t"), "r.csv", r"it seems to be separated by '\\t': pass separator='"),
        (PLAIN.replace(",", "::"), "r.dat", r"it seems to be separated by '::': pass separator=':"),
        ("1,1193,5\n1,661,3\n", "r.csv", r"it has 1, 1193, 5; it seems to have no header: add one"),
        ("User_ID,Item ID,Rating\n", "r.csv", r"perhaps 'User_ID', 'Item ID', 'Rating' is meant: "),
        ("user_id,item_id,rating,rating\na,x,1,5\n", "r.csv", r"r.csv names a column twice: .*; r"),
        ("user_id,item_id,rating, rating\na,x,1,5\n", "r.csv", r"names a column twice: .*; rename"),
        (HEAD + 'a,x,1\nb,"y,2\nc,z,3\n', "r.csv", r"r.csv, row 3: a quote is opened and never cl"),
        (b"\x1f\x8b\x08garbage", "r.csv.gz", r"r.csv.gz is not a whole gzip file \(.*\); compress"),
        (ZIPPED[:-9], "r.csv.gz", r"r.csv.gz is not a whole gzip file"),
        (b"user_id,item_id,rating,\x80\n", "r.csv", r"r.csv, row 1: .* is not utf-8; name the fi"),
        (b"PAR1 nothing", "r.parquet", r"r.parquet is no Parquet file that can be read \(.*\); wr"),
        (PLAIN, "r.xlsx", r"cannot read r.xlsx: wanted .csv, .csv.gz or .parquet"),
        (HEAD + "a,x,1\na,x,1\n", "r.csv", r"r.csv, row 2: user a rates item x again later; keep "),
        (HEAD + "a,x,1_0\n", "r.csv", r"r.csv, row 2: not a number or empty: .*rating='1_0'"),
        (HEAD + "a,x,\u0665\n", "r.csv", r"r.csv, row 2: not a number or empty"),
        (HEAD + "a,x,0x3\n", "r.csv", r"r.csv, row 2: not a number or empty"),
        (HEAD + "a,x,1e999\n", "r.csv", r"r.csv, row 2: not a number or empty"),
        (HEAD + "a,x,True\n", "r.csv", r"r.csv, row 2: not a number or empty"),
        (HEAD + 'a,x,"4,5"\n', "r.csv", r"r.csv, row 2: not a number or empty: .*rating='4,5'"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(
    tmp_path: Path, content: str | bytes, name: str, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        read(tmp_path, content, name)


def test_files_and_encodings_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none.csv; correct the path"):
        custom(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        custom(tmp_path)
    with pytest.raises(
        ValueError, match=r"r.csv cannot be read with encoding='utf-9', which nobod"
    ):
        read(tmp_path, PLAIN, encoding="utf-9")
    with pytest.raises(ValueError, match=r"r.csv is not utf-16-le \(.*\); name the file's"):
        read(tmp_path, PLAIN + "xy", encoding="utf-16-le")


def test_a_summary_of_any_length(tmp_path: Path) -> None:
    text = "word " * 60_000
    dataset = with_items(tmp_path, f"item_id,text\n1,{text}\n", summary_column="text")
    assert dataset.catalog.summaries == (text.strip(),)


@pytest.mark.parametrize("year", ["1e30", "1999.5", "nan", "inf", "MCM", "1_999", "9" * 20])
def test_years_that_are_none(tmp_path: Path, year: str) -> None:
    with pytest.raises(BadRowError, match=r"items.csv, row 3: no item id, or a bad year; mend the"):
        with_items(tmp_path, f"item_id,year\n1,1999.0\n2,{year}\n", year_column="year")


@pytest.mark.parametrize("spelling", ["100000", "100000.0", "100000.00", " 100000 "])
def test_an_id_is_the_same_however_it_is_spelled(tmp_path: Path, spelling: str) -> None:
    (tmp_path / "items.csv").write_text(f"item_id\n{spelling}\n")
    rows = HEAD + "18446744073709551617,100000,3\n9,100000,4\n"
    dataset = read(tmp_path, rows, items_path=tmp_path / "items.csv")
    assert dataset.user_ids == ("9", "18446744073709551617")
    assert dataset.catalog.external_ids == ("100000",)


def test_large_ids_of_parquet(tmp_path: Path) -> None:
    users = pa.array([2**64 - 1, None, 7], pa.uint64())
    columns = {"user_id": users, "item_id": [1e20, 1e5, 1e5], "rating": [1, 2, 3]}
    parquet.write_table(pa.table(columns), tmp_path / "r.parquet")
    with pytest.raises(BadRowError, match=r"r.parquet, row 2: not a number or empty: user_id=None"):
        custom(tmp_path / "r.parquet")
    with pytest.warns(UserWarning, match="dropped 1 bad rows"):
        dataset = custom(tmp_path / "r.parquet", on_bad_rows="drop", fraction=1.0)
    assert dataset.user_ids == ("7", "18446744073709551615")
    assert dataset.catalog.external_ids == ("100000000000000000000", "100000")


@pytest.mark.parametrize(
    ("cell", "genres"),
    [
        ("Action|Crime", ("Action", "Crime")),
        ("\"['Action', 'Crime']\"", ("Action", "Crime")),
        ('"[""Action"", ""Crime""]"', ("Action", "Crime")),
        ("\"[{'id': 28, 'name': 'Action'}, {'id': 80, 'name': 'Crime'}]\"", ("Action", "Crime")),
        ("[]", ()),
        ("", ()),
        ("\"[None, 'Action']\"", ("Action",)),
    ],
)
def test_genres_as_people_write_them(tmp_path: Path, cell: str, genres: tuple[str, ...]) -> None:
    dataset = with_items(tmp_path, f"item_id,tags\n1,{cell}\n", genres_column="tags")
    assert dataset.catalog.genres == (genres,)


def test_a_list_in_brackets_that_cannot_be_read(tmp_path: Path) -> None:
    for cell in ("\"['Action', Crime]\"", '"[f(x)]"', '"[[[[]"'):
        with pytest.raises(BadRowError, match=r"items.csv, row 3: a list in brackets that cannot"):
            with_items(tmp_path, f"item_id,tags\n1,\n2,{cell}\n", genres_column="tags")


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("X (a.k.a. House, The) (1999)", "X (a.k.a. The House)"),
        ("X (AKA Casa, La) (1999)", "X (AKA La Casa)"),
        (
            "House, The (Casa, La) (a.k.a. Haus, Das) (1999)",
            "The House (La Casa) (a.k.a. Das Haus)",
        ),
        ("Akasha, The (1999)", "The Akasha"),
    ],
)
def test_alternative_titles(raw: str, title: str) -> None:
    assert parse_title(raw) == (title, 1999)


@pytest.mark.parametrize(
    ("file", "row", "text"),
    [
        (
            "ratings.dat",
            f"{2**63}::5::3::14",
            r"ratings.dat, row 9: not a number in '9223372036854",
        ),
        ("ratings.dat", "1_0::5::3::14", r"ratings.dat, row 9: not a number in '1_0::5::3::14'"),
        ("ratings.dat", "2::5::1_0::14", r"ratings.dat, row 9: not a number in '2::5::1_0::14'"),
        ("ratings.dat", "2::5::3::1e30", r"ratings.dat, row 9: not a number in '2::5::3::1e30'"),
        (
            "ratings.dat",
            f"2::5::3::{10**17}",
            r"ratings.dat, row 9: not a number in '2::5::3::1000",
        ),
        (
            "movies.dat",
            f"{2**63}::A (1990)::Drama",
            r"movies.dat, row 5: item id '9223372036854775",
        ),
        ("movies.dat", "\u0661::A (1990)::Drama", r"movies.dat, row 5"),
        ("users.dat", f"{2**70}::M::25::15::1", r"users.dat, row 4: user id '1180591620717411303"),
    ],
)
def test_numbers_of_published_files_that_are_too_large(
    ml_1m: Path, file: str, row: str, text: str
) -> None:
    with (ml_1m / file).open("ab") as stream:
        stream.write(row.encode() + b"\n")
    with pytest.raises(BadRowError, match=text):
        movielens_1m(ml_1m)


def test_odd_columns_of_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "user_id": pd.Categorical(["a", "b"]), "item_id": [b"x", b"y"],
            "rating": [np.float32(1), np.float32(2)], 7: [1, 2],
        }
    )  # fmt: skip
    frame.columns = [str(name) for name in frame.columns]
    frame.to_parquet(tmp_path / "r.parquet")
    dataset = custom(tmp_path / "r.parquet", fraction=1.0)
    assert dataset.train.ratings.tolist() == [1.0, 2.0]
    frame.assign(rating=[True, False]).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(
        BadRowError, match=r"r.parquet, row 1: not a number or empty: .*rating=np.True_"
    ):
        custom(tmp_path / "r.parquet")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"separator": ""},
            r"separator wanted a sign between two cells, such as ';', got ''; or nu",
        ),
        ({"separator": "\n"}, r"separator wanted a sign between two cells"),
        ({"user_column": "rating"}, r"wanted a column each, got rating, item_id, rating; name an"),
        ({"num_users": 0}, r"a data set wanted num_users of at least 1, got 0; null takes all"),
        ({"num_users": 1.5}, r"wanted num_users of at least 1 and whole, got 1.5"),
        ({"max_ratings": -1}, r"a data set wanted max_ratings of at least 1, got -1"),
        (
            {"genres_column": "item_id", "genres_separator": ""},
            r"genres_separator and cast_separato",
        ),
        ({"kind": ""}, r"kind wanted the name of one item, such as 'movie', got ''"),
    ],
)
def test_settings_that_make_no_sense(
    tmp_path: Path, settings: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        read(tmp_path, PLAIN, **settings)
