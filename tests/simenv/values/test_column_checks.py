"""One check of columns stands at every door: logs, catalogues, averages."""

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from simenv.values.column_checks import numbers, text_lists, texts, whole_numbers

NO_WHOLE_NUMBER = [
    None,
    float("nan"),
    float("inf"),
    0.5,
    "1_0",
    "1",
    True,
    2**63,
    2**64,
    10**400,
    -1,
]


@pytest.mark.parametrize("cell", NO_WHOLE_NUMBER)
def test_what_is_no_whole_number_in_range_is_refused(cell: object) -> None:
    with pytest.raises(
        ValueError, match=r"age wanted whole numbers in \[0, 9\], got .* in row 1; ask again"
    ):
        whole_numbers([3, cell], "age", 0, 9, "ask again")


@pytest.mark.parametrize("cell", [None, float("nan"), -float("inf"), "0.5", True, 10**400, 9.5])
def test_what_is_no_number_in_range_is_refused(cell: object) -> None:
    with pytest.raises(
        ValueError, match=r"level wanted numbers in \[-5, 5\], got .* in row 1; mend the row"
    ):
        numbers([0, cell], "level", -5, 5)


def test_good_columns_come_back_as_they_are() -> None:
    whole, real = np.arange(3), np.array([0.5, 1.0])
    assert whole_numbers(whole, "x") is whole
    assert numbers(real, "x") is real
    assert whole_numbers([1.0, 2], "x").tolist() == [1, 2]
    assert whole_numbers(np.array([1, 2**63 - 1], dtype=np.uint64), "x").tolist() == [1, 2**63 - 1]
    assert whole_numbers([], "x").dtype == np.int64
    assert texts(["a"], "x") == ("a",)
    assert text_lists([["a"], ()], "x") == (("a",), ())


def test_texts_and_lists_of_texts_are_what_they_say() -> None:
    with pytest.raises(ValueError, match="title wanted a text in every row, got nan in row 1; men"):
        texts(["a", float("nan")], "title")
    for cell in ("Drama", None, [1]):
        with pytest.raises(ValueError, match="genres wanted a list of texts in every row, got"):
            text_lists([cell], "genres")
    with pytest.raises(ValueError, match=r"x wanted .* one a row, got shape \(1, 1\)"):
        whole_numbers([[1]], "x")


COLUMNS = {"users": [0, 1], "items": [0, 1], "ratings": [1.0, 5.0], "timestamps": [0, 1]}


@pytest.mark.parametrize(
    ("column", "cell", "text"),
    [
        ("users", 2, r"log users wanted whole numbers in \[0, 1\], got 2 in row 1; re-index them"),
        ("users", 0.5, r"log users wanted whole numbers in \[0, 1\], got 0.5 in row 1; re-index"),
        ("items", -1, r"log items wanted whole numbers in \[0, 1\], got -1 in row 1; re-index"),
        ("items", None, r"log items wanted whole numbers in \[0, 1\], got None in row 1; re-index"),
        ("items", 2**70, r"log items wanted whole numbers .* in row 1; re-index"),
        (
            "ratings",
            float("nan"),
            r"log ratings wanted numbers in \[1, 5\], got nan in row 1; resc",
        ),
        ("ratings", 6, r"log ratings wanted numbers in \[1, 5\], got 6.0 in row 1; rescale them"),
        ("ratings", "5", r"log ratings wanted numbers in \[1, 5\], got '5' in row 1; rescale them"),
        ("timestamps", float("nan"), r"log timestamps wanted .*, got nan in row 1; "),
        ("timestamps", 1e30, r"log timestamps wanted .*, got 1e\+30 in row 1; "),
    ],
)
@pytest.mark.parametrize("build", [InteractionLog, InteractionLog.from_columns])
def test_a_log_refuses_bad_cells(build: object, column: str, cell: object, text: str) -> None:
    columns = {**COLUMNS, column: [COLUMNS[column][0], cell]}
    with pytest.raises(ValueError, match=text):
        build(**columns, num_users=2, num_items=2)


@pytest.mark.parametrize("columns", [{"users": [1, 0]}, {"users": [0, 0], "timestamps": [1, 0.5]}])
def test_a_log_refuses_rows_out_of_order(columns: dict[str, object]) -> None:
    with pytest.raises(
        ValueError, match=r"a log wanted rows sorted by user, then time, got user 0 at .* in row 1,"
    ):
        InteractionLog(**{**COLUMNS, **columns}, num_users=2, num_items=2)


def test_a_log_wants_columns_of_one_length() -> None:
    with pytest.raises(ValueError, match=r"a log wanted columns of one length, got .*; give one"):
        InteractionLog(**{**COLUMNS, "items": [0]}, num_users=2, num_items=2)
    with pytest.raises(ValueError, match=r"a log wanted columns of one length, got .*; give one"):
        InteractionLog.from_columns(**{**COLUMNS, "items": [0]}, num_users=2, num_items=2)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"titles": ("a", None)}, "title wanted a text in every row, got None in row 1; "),
        ({"years": [1999, float("nan")]}, r"year wanted whole numbers .*, got nan in row 1; "),
        ({"years": [1999, 10**30]}, r"year wanted whole numbers .*, got 1000+ in row 1; "),
        ({"genres": (("a",), "Drama")}, "genres wanted a list of texts in every row, got 'Drama'"),
        ({"casts": (("a",), (None,))}, r"cast wanted a list of texts in every row, got \(None,\)"),
        ({"summaries": ("", 1.5)}, "summary wanted a text in every row, got 1.5 in row 1; "),
        ({"external_ids": ("x", "x")}, "external_id wanted distinct ids, got 'x' in row 1 again; "),
        ({"external_ids": ("x", 7)}, "external_id wanted a text in every row, got 7 in row 1"),
    ],
)
def test_a_catalogue_refuses_bad_cells(columns: dict[str, object], text: str) -> None:
    good = {"titles": ("a", "b"), "years": [0, 1999], "genres": ((), ("x",))}
    with pytest.raises(ValueError, match=text):
        Catalog(**{**good, **columns})


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"means": [0.0, 0.5]}, r"average wanted 0 or stars in \[1, 5\], got 0.5 in row 1; "),
        ({"means": [0.0, float("nan")]}, r"average wanted numbers in \[0, 5\], got nan in row 1"),
        ({"counts": [1, -1]}, r"count wanted whole numbers in \[0, .*\], got -1 in row 1"),
        ({"counts": [1, 1.5]}, r"count wanted whole numbers in \[0, .*\], got 1.5 in row 1"),
        ({"fair": [3.0, None]}, r"fair average wanted numbers in \[1, 5\], got None in row 1"),
        ({"fair": [3.0, 0.0]}, r"fair average wanted numbers in \[1, 5\], got 0.0 in row 1"),
    ],
)
def test_averages_refuse_bad_cells(columns: dict[str, object], text: str) -> None:
    good = {"means": [0.0, 4.0], "counts": [0, 2], "fair": [3.0, 4.0]}
    with pytest.raises(ValueError, match=text):
        ItemAverages(**{**good, **columns})


def test_a_truth_value_among_numbers_is_no_number() -> None:
    for true in (True, np.True_):
        with pytest.raises(ValueError, match=r"user wanted whole numbers .* got .*True.* row 1"):
            whole_numbers([1, true], "user")
        with pytest.raises(ValueError, match=r"stars wanted finite numbers, got .*True.* row 1"):
            numbers([1.5, true], "stars")


def test_one_limit_alone_is_said() -> None:
    with pytest.raises(ValueError, match=r"stars wanted numbers in \[-inf, 5\], got 6.0 in row 0"):
        numbers([6.0], "stars", high=5)


def test_lists_that_can_be_read_once_are_kept() -> None:
    """They were emptied by the check."""
    assert text_lists([(genre for genre in ("a", "b")), []], "genres") == (("a", "b"), ())
