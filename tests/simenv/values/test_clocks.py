"""Every spelling of a clock is read as the same seconds, in the same order."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simenv.events import InteractionLog
from simenv.values.clocks import LATEST, moments_of, times_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def log(timestamps, **columns):
    size = len(timestamps)
    columns = {"users": [0] * size, "items": range(size), "ratings": [3.0] * size} | columns
    return InteractionLog.from_columns(**columns, timestamps=timestamps, num_users=1, num_items=99)


def iso(micros: int, zone: timezone = UTC) -> str:
    return (EPOCH + timedelta(microseconds=micros)).astimezone(zone).isoformat()


SPELLINGS = {
    "float seconds": lambda x: np.array([v / 1e6 for v in x]),
    "texts of seconds": lambda x: [f"{v // 10**6}.{v % 10**6:06d}" for v in x],
    "decimals": lambda x: [Decimal(v) / 10**6 for v in x],
    "microseconds": lambda x: np.array(x),
    "texts of microseconds": lambda x: [str(v) for v in x],
    "float milliseconds": lambda x: [v / 1e3 for v in x],
    "nanoseconds": lambda x: np.array(x) * 1000,
    "texts of nanoseconds": lambda x: [f"{v}000" for v in x],
    "datetime64[ns]": lambda x: np.array(x, dtype="datetime64[us]").astype("datetime64[ns]"),
    "datetime64[us]": lambda x: np.array(x, dtype="datetime64[us]"),
    "pandas in a zone": lambda x: pd.Series(
        pd.to_datetime(x, unit="us", utc=True).tz_convert("Asia/Tokyo")
    ),
    "ISO dates": lambda x: [iso(v) for v in x],
    "ISO dates in mixed zones": lambda x: [
        iso(v, timezone(timedelta(hours=i % 25 - 12, minutes=30 * (i % 2))))
        for i, v in enumerate(x)
    ],
    "ISO dates without a zone": lambda x: [iso(v).removesuffix("+00:00") for v in x],
    "datetimes": lambda x: [EPOCH + timedelta(microseconds=v) for v in x],
}
# Within what every unit tells apart from the others: 1980 to 2235.
MICROS = st.lists(
    st.integers(10 * 365 * 86_400 * 10**6, 265 * 365 * 86_400 * 10**6), min_size=1, max_size=8
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=25, deadline=None)
@given(micros=MICROS)
def test_every_spelling_gives_the_same_log(spelling: str, micros: list[int]) -> None:
    wanted = log(np.array(micros) / 1e6)
    found = log(SPELLINGS[spelling](micros))
    assert found.timestamps.tolist() == wanted.timestamps.tolist()
    assert found.items.tolist() == wanted.items.tolist()


def test_fractions_of_a_second_keep_their_order() -> None:
    assert log([0.9, 0.5, 0.1]).items.tolist() == [2, 1, 0]
    assert log([0.9, 0.5, 0.1]).timestamps.tolist() == [0.1, 0.5, 0.9]


def test_a_nanosecond_is_enough_to_sort_by() -> None:
    start = 1_700_000_000_000_000_000
    assert log([start + 1, start]).items.tolist() == [1, 0]
    assert log([str(start + 1), f"{start}"]).items.tolist() == [1, 0]
    texts = ["2023-11-14T22:13:20.000000001Z", "2023-11-14T22:13:20.000000000Z"]
    assert log(texts).items.tolist() == [1, 0]
    plain = [text.removesuffix("Z") for text in texts]
    assert log(np.array(plain, dtype="datetime64[ns]")).items.tolist() == [1, 0]
    assert log(["1700000000.000000001", "1700000000.000000000"]).items.tolist() == [1, 0]


def test_one_empty_cell_leaves_the_others_exact() -> None:
    start = 1_700_000_000_000_000_000
    moments = moments_of([str(start + 1), "", str(start)])
    assert moments.missing.tolist() == [False, True, False]
    assert moments.exact.tolist() == [start + 1, 0, start]
    column = pd.Series([start + 1, None, start], dtype="Int64")
    assert moments_of(column).exact.tolist() == [start + 1, 0, start]
    dates = pd.Series(pd.to_datetime(["2020-01-01", None]))
    assert moments_of(dates).missing.tolist() == [False, True]


@pytest.mark.parametrize(
    "cell",
    ["9999-12-31", date(9999, 12, 31), datetime(9999, 12, 31), np.datetime64("9999-12-31"),
     253_402_214_400, 253_402_214_400_000, "253402214400000000", "253402214400000000000"],
)  # fmt: skip
def test_the_last_day_of_9999_is_a_time(cell: object) -> None:
    assert times_of([cell], "t")[0].tolist() == [253_402_214_400.0]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("0001-01-01", -62_135_596_800.0),
        ("2020-01", None),
        ("2020-02-30", None),
        ("20200101T000000Z", 1_577_836_800.0),
        ("20200101", 1_577_836_800.0),  # a day, not day 233 of a clock in seconds
        (20200101, 1_577_836_800.0),
        (20201301, 20_201_301.0),  # no day
        ("2020-01-01 01:00:00+01:00", 1_577_836_800.0),
        ("2020-01-01T00:00:00.5", 1_577_836_800.5),
        ("2020-01-01T00:00:00,25Z", 1_577_836_800.25),
        (" 12 ", 12.0),
        ("1e3", 1000.0),
        ("1577836800e0", 1_577_836_800.0),
        ("-1.5", -1.5),
        ("1_0", None),
        ("now", None),
        ("01/02/2020", None),
        ("\u0661", None),  # a digit of another script
        ("nan", None),
        ("inf", None),
        ("1e30", None),
        ("9" * 400, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (2**70, None),
        (True, None),
        (None, None),
        (pd.NaT, None),
        (pd.NA, None),
        ([1], None),
        (timedelta(days=1), None),
        (10**30, None),
    ],
)
def test_one_cell(cell: object, seconds: float | None) -> None:
    moments = moments_of(pd.Series([cell, 0], dtype=object)[:1])
    assert moments.missing.tolist() == [seconds is None]
    assert moments.seconds.tolist() == [seconds or 0.0]


def test_a_time_of_another_unit_is_missing_and_an_early_date_is_not() -> None:
    column = [1_577_836_800_000, 1_577_836_800, 1_600_000_000_000, 86_400_000, 0]
    assert moments_of(column).missing.tolist() == [False, True, False, False, False]
    assert moments_of([1_577_836_800, 1_577_836_900, 1_577_836_800_000]).missing.tolist() == [
        False, False, True,
    ]  # fmt: skip
    assert moments_of(column, "ms").missing.tolist() == [False] * 5


def test_the_unit_can_be_given() -> None:
    assert moments_of([1000, 2000], "ms").seconds.tolist() == [1.0, 2.0]
    assert moments_of(["1000", ""], "us").seconds.tolist() == [0.001, 0.0]
    with pytest.raises(ValueError, match="timestamp_unit must be one of s, ms, us, ns or null, go"):
        moments_of([1], "days")  # type: ignore[arg-type]


def test_a_log_refuses_what_is_no_time() -> None:
    with pytest.raises(
        ValueError, match=r"times wanted one a row, got shape \(1, 1\); give a flat"
    ):
        log([[5]])
    with pytest.raises(
        ValueError, match=r"log timestamps wanted one time a row .*, got 'soon' in row 1; mend it"
    ):
        log(["2020-01-01", "soon"])


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30),
            st.datetimes(), st.dates(), st.decimals(), st.binary(max_size=4),
            st.from_regex(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:?\d\d)?"),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_any_column_is_read_or_missing(cells: list[object]) -> None:
    column = pd.Series(cells, dtype=object)
    moments = moments_of(column)
    assert np.isfinite(moments.seconds).all()
    assert (np.abs(moments.seconds) <= LATEST + 1).all()
    assert len(moments.exact) == len(moments.missing) == len(cells)
    order = np.argsort(moments.exact, kind="stable")
    assert (np.diff(moments.seconds[order]) >= 0).all()


@pytest.mark.parametrize("kind", [np.int64, object])
def test_ten_years_around_a_log_are_its_own_time(kind: type) -> None:
    log_in_ms = [1_577_836_800_000 + day * 86_400_000 for day in range(9)]  # of 2020
    nine_years, eleven_years = 1_293_840_000, 1_230_768_000  # before, in seconds
    found = moments_of(np.array([*log_in_ms, nine_years], dtype=kind))
    assert found.missing.tolist() == [False] * 9 + [True], "a second among milliseconds"
    found = moments_of(np.array([*log_in_ms, eleven_years], dtype=kind))
    assert not found.missing.any()
    assert found.seconds[-1] == eleven_years / 1000, "an early date in milliseconds"


@pytest.mark.parametrize("kind", [np.int64, np.float64, object])
def test_the_years_1_to_9999_are_times_and_nothing_beyond(kind: type) -> None:
    edges = [-62_135_596_801, -62_135_596_800, 253_402_300_799, 253_402_300_800]
    found = moments_of(np.array(edges, dtype=kind), "s")
    assert found.missing.tolist() == [True, False, False, True]
    assert found.seconds.tolist() == [0, *edges[1:3], 0]


@pytest.mark.parametrize(
    ("day", "seconds"),
    [(18_000_101, -5_364_662_400), (22_001_231, 7_289_568_000), (20_200_229, 1_582_934_400)],
)
def test_whole_numbers_that_all_are_days_of_four_centuries_are_dates(
    day: int, seconds: float
) -> None:
    assert moments_of([day, 20_200_101]).seconds.tolist() == [seconds, 1_577_836_800]
    assert moments_of([day, 20_200_101]).spelling == "dates"
    assert moments_of([day, 20_200_101], "s").seconds.tolist() == [day, 20_200_101]
    assert moments_of([day, 20_201_301]).seconds.tolist() == [day, 20_201_301], "no 13th month"


def test_dates_of_a_zone_and_of_odd_steps_are_the_same_moments() -> None:
    berlin = pd.Series(pd.to_datetime(["2020-01-01 01:00"])).dt.tz_localize("Europe/Berlin")
    assert moments_of(berlin).seconds.tolist() == [1_577_836_800]
    odd = np.array([3, "NaT"], dtype="datetime64[25ms]")
    found = moments_of(odd.astype("datetime64[ms]"))
    assert found.missing.tolist() == [False, True]
    assert found.seconds.tolist() == [0.075, 0]


def test_numbers_and_dates_in_one_column_are_said_so() -> None:
    assert moments_of(["2020-01-01", 1_577_836_800]).spelling == "seconds since 1970 and dates"
    assert moments_of([None, 1_577_836_800]).spelling == "seconds since 1970"


def test_a_nought_among_milliseconds_is_1970_even_in_a_log_of_that_time() -> None:
    found = moments_of(np.array([260_000_000_000, 270_000_000_000, 0]))  # 1978
    assert found.missing.tolist() == [False] * 3
    assert found.seconds.tolist() == [260_000_000, 270_000_000, 0]
