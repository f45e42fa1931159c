"""Clocks: every spelling of a moment becomes float64 seconds since 1970-01-01 UTC.

Inside there is one unit, and float64 seconds keep microseconds until the year 2242 and 0.03
milliseconds until 9999. A spelling is a date (ISO 8601 text, ``datetime``, ``datetime64`` of any
unit; without a zone it is UTC) or a number of seconds, milliseconds, microseconds or nanoseconds.
The unit of numbers is the one in which they lie in the years up to 9999, the coarsest that fits:
what is too late for a number of seconds is milliseconds, and so on. ``unit`` states it instead.
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simenv.values.time_cells import cell_key, iso_nanoseconds, read_cell

if TYPE_CHECKING:
    import pandas as pd

TimeUnit = Literal["s", "ms", "us", "ns"]

EARLIEST, LATEST = -62_135_596_800, 253_402_300_799  # seconds: the years 1 to 9999
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NANO = 10**9
_MARGIN = 3.2e8  # seconds, ten years: how far from the rest a time may lie and be of the same log
_DAYS = (18_000_101, 22_001_231)  # whole numbers in between may be days written YYYYMMDD


class Moments(NamedTuple):
    """A column of times."""

    seconds: NDArray[np.float64]  # (r,) since 1970-01-01 UTC; 0 where there is none
    exact: NDArray[Any]  # (r,) numbers that sort as the moments do, to the nanosecond
    missing: NDArray[np.bool_]  # (r,) the cell is empty, no time, or beyond the years 1 to 9999
    spelling: str  # in which the column was written, in words


class _Cells(NamedTuple):
    """A column taken apart: numbers in units of 1e-9 of themselves, dates in nanoseconds."""

    numbers: NDArray[np.object_]  # (r,) Python integers; None = no number
    dates: NDArray[np.object_]  # (r,) Python integers; None = no date


def moments_of(column: ArrayLike, unit: TimeUnit | None = None) -> Moments:
    """Read a column of times; it is not changed.

    Args:
        column: (r,) numbers, texts, dates or ``datetime64``; cells may be mixed or empty.
        unit: of the numbers; None = see this module. Numbers that look like another unit than most
            of the column are then missing: one column has one clock.

    Raises:
        ValueError: an unknown unit, or no column.
    """
    if unit is not None and unit not in get_args(TimeUnit):
        raise ValueError(
            f"timestamp_unit must be one of {', '.join(get_args(TimeUnit))} or null, got {unit!r}"
        )
    shape = getattr(column, "shape", None) or np.asarray(column, dtype=object).shape
    if len(shape) != 1:
        raise ValueError(f"times wanted one a row, got shape {shape}; give a flat column")
    numbers = _plain_numbers(column)
    if numbers is not None:
        return _fast(numbers, unit)
    return _careful(_taken_apart(column), unit)


def times_of(
    column: ArrayLike, what: str, unit: TimeUnit | None = None
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """``seconds`` and ``exact`` (r,) of a column in which every cell is a time.

    Raises:
        ValueError: a cell is no time; the message begins with ``what`` and names the row (from 0).
    """
    moments = moments_of(column, unit)
    if moments.missing.any():
        row = int(np.flatnonzero(moments.missing)[0])
        raise ValueError(
            f"{what} wanted one time a row (numbers of one unit since 1970, datetime64, or ISO 8601"
            f" dates, of the years 1 to 9999), got {list(column)[row]!r} in row {row};"  # type: ignore[arg-type]
            " mend it, or leave the row out"
        )
    return moments.seconds, moments.exact


def _plain_numbers(column: ArrayLike) -> NDArray[np.int64] | NDArray[np.float64] | None:
    """(r,) whole numbers without gaps, be they text, or floats; None = it needs a closer look."""
    import pandas as pd  # heavy, and only logs need it

    values = column if isinstance(column, pd.Series) else np.asarray(column)
    if values.dtype.kind in {"O", "T", "U"} or isinstance(values.dtype, pd.StringDtype):
        texts = np.asarray(values, dtype=object)
        if not len(texts) or not all(type(x) is str and x.isascii() for x in texts):
            return None
        try:
            values = np.asarray(pd.to_numeric(texts))
        except (ValueError, TypeError, OverflowError):
            return None
        if values.dtype.kind == "f":
            return None  # a float would lose the last digits of the text
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "iuf":
        return None
    if values.dtype.kind == "f":
        return np.asarray(values, dtype=np.float64)
    if values.dtype == np.uint64 and len(values) and values.max() > 2**63 - 1:
        return None
    return np.asarray(values, dtype=np.int64)


def _fast(numbers: NDArray[Any], unit: TimeUnit | None) -> Moments:
    """Plain numbers, as most logs have them."""
    if unit is None and _are_days(numbers):
        return _careful(_taken_apart(numbers), unit)
    finite = np.isfinite(numbers)
    numbers = np.where(finite, numbers, numbers.dtype.type(0))
    unit, strange = _unit_of(numbers.astype(np.float64), unit)
    per = _A_SECOND[unit]
    low, high = max(EARLIEST * per, -(2**63)), (LATEST + 1) * per
    inside = finite & ~strange & (numbers >= low)
    inside &= numbers < high if high < 2**63 or numbers.dtype.kind == "f" else True
    numbers = np.where(inside, numbers, numbers.dtype.type(0))
    whole, rest = np.divmod(numbers, per)
    parts = np.rint(rest * (_NANO // per)).astype(np.int64)
    return Moments(_rounded(whole.astype(np.int64), parts), numbers, ~inside, _since(unit))


def _since(unit: TimeUnit) -> str:
    return f"{UNIT_NAMES[unit]} since 1970"


def _careful(cells: _Cells, unit: TimeUnit | None) -> Moments:
    exact = cells.dates.copy()
    spelling = "dates"
    at = np.flatnonzero([number is not None for number in cells.numbers])
    if len(at):
        numbers = cells.numbers[at]
        unit, strange = _unit_of(np.array([x / _NANO for x in numbers]), unit)
        exact[at] = [x // _A_SECOND[unit] for x in numbers]
        exact[at[strange]] = None
        spelling = _since(unit) + (" and dates" if (cells.dates != None).any() else "")  # noqa: E711
    low, high = EARLIEST * _NANO, (LATEST + 1) * _NANO
    missing = np.array([x is None or not low <= x < high for x in exact], dtype=np.bool_)
    exact[missing] = 0
    whole = np.array([x // _NANO for x in exact], dtype=np.int64)
    parts = np.array([x % _NANO for x in exact], dtype=np.int64)
    return Moments(_rounded(whole, parts), exact, missing, spelling)


def _rounded(whole: NDArray[np.int64], nanoseconds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds to the microsecond: the same float whatever the spelling."""
    micros = whole * 10**6 + (nanoseconds + 500) // 1000
    return np.asarray(micros / 1e6)


def _unit_of(
    numbers: NDArray[np.float64], unit: TimeUnit | None
) -> tuple[TimeUnit, NDArray[np.bool_]]:
    """The unit of most, and (r,) which numbers are of another one.

    A number too small for the unit is an early date, unless it is one of the log's own time in
    coarser units: a second among milliseconds. One too large lies beyond the years up to 9999.
    """
    if unit is not None or not numbers.any():
        return unit or "s", np.zeros(len(numbers), dtype=np.bool_)
    edges = np.array([(LATEST + 1.0) * _A_SECOND[u] for u in get_args(TimeUnit)[:-1]])
    places = np.searchsorted(edges, np.abs(numbers))
    votes = np.bincount(places[numbers != 0], minlength=4)
    most = 3 - int(votes[::-1].argmax())  # of equally many the finer: it cannot be the coarser
    found: TimeUnit = get_args(TimeUnit)[most]
    seconds = numbers / np.array([float(_A_SECOND[u]) for u in get_args(TimeUnit)])[places]
    usual = seconds[places == most]
    own_time = (seconds > usual.min() - _MARGIN) & (seconds < usual.max() + _MARGIN)
    return found, (places < most) & own_time & (numbers != 0)


def _are_days(numbers: NDArray[Any]) -> bool:
    """Whether all are days written YYYYMMDD."""
    if numbers.dtype.kind == "f" or not len(numbers):
        return False
    if numbers.min() < _DAYS[0] or numbers.max() > _DAYS[1]:
        return False
    return all(_day(int(x) * _NANO) is not None for x in np.unique(numbers))


def _day(number: int) -> int | None:
    """Nanoseconds of the day written YYYYMMDD, ``number`` being 1e9 times that; None = no day."""
    day, rest = divmod(number, _NANO)
    if rest or not _DAYS[0] <= day <= _DAYS[1]:
        return None
    return iso_nanoseconds(str(day))


def _taken_apart(column: ArrayLike) -> _Cells:
    """Every cell as a number or a date, exactly; equal cells are read once."""
    import pandas as pd

    series = column if isinstance(column, pd.Series) else pd.Series(np.asarray(column))
    if series.dtype.kind == "M":
        return _Cells(np.full(len(series), None), _from_datetimes(series))
    cells = series.astype(object).to_numpy()
    keys = series if isinstance(series.dtype, pd.StringDtype) else map(cell_key, cells)
    codes, distinct = pd.factorize(np.array(list(keys), dtype=object))
    first = dict(zip(codes[::-1], cells[::-1], strict=True))
    read = [read_cell(first[code]) for code in range(len(distinct))]
    numbers = _spread([number for number, _ in read], codes)
    dates = _spread([date for _, date in read], codes)
    days = {x: _day(x) for x in numbers[numbers != None]}  # noqa: E711, cell by cell
    if not days or None in days.values():
        return _Cells(numbers, dates)
    return _Cells(
        np.full(len(cells), None), _spread([*map(days.get, numbers, dates)], np.arange(len(cells)))
    )


def _spread(values: list[int | None], codes: NDArray[np.int64]) -> NDArray[np.object_]:
    """(r,) the value of each code."""
    return np.array([*values, None], dtype=object)[codes]


def _from_datetimes(series: "pd.Series[Any]") -> NDArray[np.object_]:
    """(r,) nanoseconds of a ``datetime64`` column of any unit and zone; None = not a time."""
    if getattr(series.dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = series.to_numpy()
    unit, step = np.datetime_data(values.dtype)
    factor = step * _NANO // _A_SECOND[unit] if unit in _A_SECOND else 0
    found = values.astype(np.int64).astype(object) * factor
    found[np.isnat(values)] = None
    return np.asarray(found, dtype=object)
