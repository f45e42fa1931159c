"""One cell of a column of times: a number, a date, or neither; exactly, as Python integers."""

import re
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

_NANO = 10**9
_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?")
_DATE = re.compile(r"\d{4}-?\d\d")


def cell_key(cell: Any) -> Any:
    """What makes cells equal: 1, 1.0 and True are three."""
    return f"{type(cell).__name__} {cell!r}"


def read_cell(cell: Any) -> tuple[int | None, int | None]:
    """One cell as (number · 1e9, nanoseconds of a date); both None if it is neither."""
    if isinstance(cell, (str, bytes)):
        return _text(cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell)
    if isinstance(cell, (bool, np.bool_)) or cell is None:
        return None, None
    if isinstance(cell, (datetime, date, np.datetime64)):
        return None, _moment(cell)
    try:
        return _text(format(cell, ".9f") if isinstance(cell, (float, np.floating)) else str(cell))
    except (TypeError, ValueError):
        return None, None


def _text(text: str) -> tuple[int | None, int | None]:
    text = text.strip()
    match = _NUMBER.fullmatch(text) if text.isascii() and len(text) < 400 else None
    if match:
        sign, whole, fraction = match[1], match[2], match[3] or ""
        size = int(whole + fraction[:9].ljust(9, "0"))
        return (-size if sign == "-" else size), None
    number = _exponent(text)
    return number, iso_nanoseconds(text) if number is None and _DATE.match(text) else None


def _exponent(text: str) -> int | None:
    """``1.6e9`` · 1e9."""
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d{1,3}", text, re.ASCII):
        return None
    number = float(text)
    return round(number * _NANO) if abs(number) < 1e290 else None


def iso_nanoseconds(text: str) -> int | None:
    """Nanoseconds of an ISO 8601 text; digits behind the ninth are cut."""
    head, fraction, tail = _split_fraction(text)
    try:
        moment = datetime.fromisoformat(head + tail)
    except ValueError:
        return None
    whole = _moment(moment)
    return None if whole is None else whole + int((fraction + "0" * 9)[:9])


def _split_fraction(text: str) -> tuple[str, str, str]:
    """``2020-01-01T00:00:00``, ``123``, ``+01:00`` of a text with a fraction of a second."""
    match = re.fullmatch(r"(.*?:\d\d)[.,](\d+)(.*)", text, flags=re.ASCII)
    return (match[1], match[2], match[3]) if match else (text, "", "")


def _moment(value: Any) -> int | None:
    """Nanoseconds of a ``datetime``, ``date``, ``Timestamp`` or ``datetime64``."""
    import pandas as pd

    if value is pd.NaT or (isinstance(value, np.datetime64) and np.isnat(value)):
        return None
    try:
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else value
        nanoseconds = getattr(value, "nanosecond", 0)
        if isinstance(value, pd.Timestamp):
            value = value.to_pydatetime(warn=False)
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        apart = value - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    micros: int = (apart.days * 86_400 + apart.seconds) * 10**6 + apart.microseconds
    return micros * 1000 + int(nanoseconds)
