"""Every row that cannot be used is an error with a cure, or is dropped, counted and announced."""

import warnings
from pathlib import Path

import pytest

from simenv.data.readers.bad_rows import BadRowError, BadRowReason, BadRows, BadRowsWarning
from simenv.data.readers.movielens import movielens_1m, read_movielens_1m

CURE = r'; .+, or pass on_bad_rows="drop" to leave such rows out and count them'

# What is appended to ratings.dat (8 good rows), the reason, and what the error says.
BAD_RATINGS = [
    (
        "2::5::3",
        BadRowReason.MALFORMED,
        r"ratings.dat, row 9: wanted 4 fields separated by '::', got 3",
    ),
    ("2::5::3::1::1", BadRowReason.MALFORMED, r"ratings.dat, row 9: wanted 4 fields .* got 5"),
    ("2::5::good::14", BadRowReason.MALFORMED, r"row 9: not a number in '2::5::good::14'"),
    ("x::5::3::14", BadRowReason.MALFORMED, r"row 9: not a number in 'x::5::3::14'"),
    ("2::5::3::", BadRowReason.MALFORMED, r"row 9: not a number in '2::5::3::'"),
    ("2::5::6::14", BadRowReason.OUT_OF_RANGE, r"row 9: rating 6 lies outside 1\.\.5"),
    ("2::5::0::14", BadRowReason.OUT_OF_RANGE, r"row 9: rating 0 lies outside 1\.\.5"),
    ("2::5::nan::14", BadRowReason.OUT_OF_RANGE, r"row 9: rating nan lies outside 1\.\.5"),
    ("2::99::3::14", BadRowReason.UNKNOWN_ITEM, r"row 9: item 99 is not in the catalogue"),
    ("2::3::3::1", BadRowReason.DUPLICATE, r"row 9: user 2 rates item 3 again later"),
]


def append(folder: Path, row: str, file: str = "ratings.dat") -> None:
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.write(row + "\n")


@pytest.mark.parametrize(("row", "reason", "text"), BAD_RATINGS)
def test_error_names_file_row_and_cure(
    ml_1m: Path, row: str, reason: BadRowReason, text: str
) -> None:
    append(ml_1m, row)
    with pytest.raises(BadRowError, match=text + ".*" + CURE):
        movielens_1m(ml_1m)


@pytest.mark.parametrize(("row", "reason", "text"), BAD_RATINGS)
def test_drop_leaves_the_rest_as_it_was_and_counts(
    ml_1m: Path, row: str, reason: BadRowReason, text: str
) -> None:
    clean = read_movielens_1m(ml_1m)
    append(ml_1m, row)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the reader returns the report, the loader warns
        rated = read_movielens_1m(ml_1m, on_bad_rows="drop")
    assert rated.log.ratings.tolist() == clean.log.ratings.tolist()
    assert rated.bad_rows.counts.pop(reason) == 1
    assert rated.bad_rows.examples[reason][0].startswith("ratings.dat, row 9: ")
    # Only the made-up user "x" could disappear with a row, and "x" is never read as a user.
    assert rated.bad_rows.counts == {}


def test_loader_warns_of_everything_dropped_with_counts(ml_1m: Path) -> None:
    append(ml_1m, "2::99::3::14")
    append(ml_1m, "2::98::3::15")
    append(ml_1m, "2::5::7::16")
    with pytest.warns(
        BadRowsWarning, match=r"dropped 3 bad rows: 1 rating out of range .*; 2 unkn"
    ):
        movielens_1m(ml_1m, on_bad_rows="drop")


def test_no_warning_without_bad_rows(ml_1m: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        movielens_1m(ml_1m, on_bad_rows="drop")


def test_of_repeated_ratings_the_latest_in_time_stays(ml_1m: Path) -> None:
    append(ml_1m, "2::3::1::5")  # earlier than row 6, which says 4 stars at 13
    log = read_movielens_1m(ml_1m, on_bad_rows="drop").log
    assert log.ratings[(log.users == 1) & (log.items == 2)].tolist() == [4.0]


def test_many_bad_rows_are_one_error(ml_1m: Path) -> None:
    others = (";", r" \(and 1 more row like it\);", r" \(and 2 more rows like it\);")
    for item, more in zip((97, 98, 99), others, strict=True):
        append(ml_1m, f"2::{item}::3::14")
        with pytest.raises(BadRowError, match=f"item 97 [^;(]*{more}"):
            movielens_1m(ml_1m)


def test_user_of_the_user_file_without_rows(ml_1m: Path) -> None:
    append(ml_1m, "7::M::25::15::55117", "users.dat")
    with pytest.raises(BadRowError, match=r"ratings.dat: user 7 has no usable rating; take the"):
        movielens_1m(ml_1m)
    report = read_movielens_1m(ml_1m, on_bad_rows="drop").bad_rows
    assert report.counts == {BadRowReason.NO_ROWS: 1}


def test_user_whose_rows_are_all_dropped_is_counted_too(ml_1m: Path) -> None:
    append(ml_1m, "9::99::3::14")
    rated = read_movielens_1m(ml_1m, on_bad_rows="drop")
    assert rated.user_ids == ("1", "2", "4")
    assert rated.bad_rows.counts == {BadRowReason.UNKNOWN_ITEM: 1, BadRowReason.NO_ROWS: 1}


def test_utf8_taken_for_latin_1_is_a_wrong_encoding(ml_1m: Path) -> None:
    text = (ml_1m / "movies.dat").read_bytes().decode("latin-1")
    (ml_1m / "movies.dat").write_text(text, encoding="utf-8")
    with pytest.raises(
        BadRowError, match=r"movies.dat, row 3: '3::Amélie .* is utf-8, not latin-1"
    ):
        movielens_1m(ml_1m)
    assert movielens_1m(ml_1m, encoding="utf-8").catalog.titles[2] == "Amélie"


def test_latin_1_taken_for_utf8_is_a_wrong_encoding(ml_1m: Path) -> None:
    with pytest.raises(
        BadRowError, match=r"movies.dat, row 3: .* is not utf-8; name the file's enc"
    ):
        movielens_1m(ml_1m, encoding="utf-8")
    rated = read_movielens_1m(ml_1m, encoding="utf-8", on_bad_rows="drop")
    # The film goes, and with it three ratings that now name an unknown item.
    assert rated.bad_rows.counts == {BadRowReason.ENCODING: 1, BadRowReason.UNKNOWN_ITEM: 3}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("6::No Genre (1990)", r"movies.dat, row 5: wanted 3 fields separated by '::', got 2"),
        ("six::Film (1990)::Drama", r"movies.dat, row 5: item id 'six' is not a number"),
        ("1::Again (1990)::Drama", r"movies.dat, row 5: item 1 is listed before"),
    ],
)
def test_bad_film_rows(ml_1m: Path, row: str, text: str) -> None:
    append(ml_1m, row, "movies.dat")
    with pytest.raises(BadRowError, match=text):
        movielens_1m(ml_1m)
    rated = read_movielens_1m(ml_1m, on_bad_rows="drop")
    assert (len(rated.catalog), rated.bad_rows.total) == (4, 1)


def test_bad_user_row(ml_1m: Path) -> None:
    append(ml_1m, "x::M::25::15::55117", "users.dat")
    with pytest.raises(BadRowError, match=r"users.dat, row 4: user id 'x' is not a number"):
        movielens_1m(ml_1m)


def test_file_without_any_usable_row(ml_1m: Path) -> None:
    (ml_1m / "ratings.dat").write_text("1::99::3::14\n")
    with pytest.raises(ValueError, match=r"ratings.dat holds no usable rating; dropped 1 bad rows"):
        movielens_1m(ml_1m, on_bad_rows="drop")
    (ml_1m / "movies.dat").write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"movies.dat holds no usable item; dropped 1 bad rows"):
        movielens_1m(ml_1m, on_bad_rows="drop")


def test_unknown_policy() -> None:
    with pytest.raises(ValueError, match=r'on_bad_rows must be "error" or "drop", got \'skip\''):
        BadRows("skip")  # type: ignore[arg-type]


def test_report_keeps_the_first_three_examples() -> None:
    report = BadRows("drop")
    for row in range(1, 6):
        report.note(BadRowReason.MALFORMED, "f", row, "bad")
    assert report.counts == {BadRowReason.MALFORMED: 5}
    assert report.examples[BadRowReason.MALFORMED] == [f"f, row {row}: bad" for row in (1, 2, 3)]
