"""Text files without header to rows: separators, encodings, and the number of every bad row.

A fast parser reads a faultless file; if it stumbles, a plain one goes through the file row by row
and says where. Both give the same rows.
"""

import csv
import io
import re
from collections.abc import Iterator

import numpy as np

from simenv.data.readers.bad_rows import BadRowReason, BadRows
from simenv.data.readers.rating_table import RatingTable
from simenv.values.clocks import EARLIEST, LATEST

_FIELDS = ("user", "item", "rating", "timestamp")
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan", re.ASCII)


def decoded_lines(
    data: bytes, file: str, encoding: str, bad_rows: BadRows
) -> Iterator[tuple[int, str]]:
    """Yield (row number, text) of every line that is not blank; undecodable lines are noted.

    Latin-1 can decode anything, so a line that is not ASCII and yet valid UTF-8 is taken for what
    it is: UTF-8 read by mistake as latin-1.
    """
    for row, line in enumerate(data.split(b"\n"), start=1):
        line = line.rstrip(b"\r")
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            bad_rows.note(BadRowReason.ENCODING, file, row, f"{line[:60]!r} is not {encoding}")
            continue
        if not line.isascii() and _is_latin(encoding) and _is_utf8(line):
            what = f"{line.decode('utf-8')[:60]!r} is utf-8, not {encoding}"
            bad_rows.note(BadRowReason.ENCODING, file, row, what)
            continue
        if text.strip():
            yield row, text


def _is_latin(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {"latin-1", "latin1", "iso-8859-1"}


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def delimited_rows(
    data: bytes, file: str, separator: str, num_fields: int, encoding: str, bad_rows: BadRows
) -> list[tuple[int, list[str]]]:
    """Rows (number, fields) of a small file without header or quotes; others are noted."""
    good = []
    for row, text in decoded_lines(data, file, encoding, bad_rows):
        fields = text.split(separator)
        if len(fields) == num_fields:
            good.append((row, fields))
        else:
            bad_rows.note(
                BadRowReason.MALFORMED,
                file,
                row,
                f"wanted {num_fields} fields separated by {separator!r},"
                f" got {len(fields)}: {text[:60]!r}",
            )
    return good


def delimited_ratings(data: bytes, file: str, separator: str, bad_rows: BadRows) -> RatingTable:
    """Read user, item, rating, timestamp rows without header, ids and times being whole numbers."""
    data = data.replace(b"\r\n", b"\n").rstrip(b"\n")
    table = _fast_ratings(data, file, separator)
    return _careful_ratings(data, file, separator, bad_rows) if table is None else table


def whole_number(text: str) -> int | None:
    """The whole number that a text is, if 64 bits hold it; None = it is none."""
    if not _WHOLE.fullmatch(text.strip()):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _fast_ratings(data: bytes, file: str, separator: str) -> RatingTable | None:
    """All rows at once, or None if anything at all is odd."""
    import pandas as pd  # heavy, and only files need it

    num_rows = data.count(b"\n") + 1
    if data.count(separator.encode()) != num_rows * (len(_FIELDS) - 1):
        return None
    try:
        frame = pd.read_csv(
            io.BytesIO(data.replace(separator.encode(), b"\t")),
            sep="\t",
            header=None,
            names=list(_FIELDS),
            index_col=False,
            dtype={"user": "int64", "item": "int64", "rating": "float64", "timestamp": "int64"},
            quoting=csv.QUOTE_NONE,
            na_filter=False,
            skip_blank_lines=False,
        )
    except (ValueError, OverflowError):  # ParserError is a ValueError
        return None
    users, items, ratings, times = (frame[name].to_numpy() for name in _FIELDS)
    if len(frame) != num_rows or not np.isfinite(ratings).all():
        return None
    if times.min() < EARLIEST or times.max() > LATEST:
        return None
    rows = np.arange(1, num_rows + 1, dtype=np.int64)
    return RatingTable(file, users, items, ratings, times, rows)


def _careful_ratings(data: bytes, file: str, separator: str, bad_rows: BadRows) -> RatingTable:
    """One row at a time; every row that does not parse is noted with its number."""
    users, items, ratings, times, rows = [], [], [], [], []
    for row, fields in delimited_rows(data, file, separator, len(_FIELDS), "utf-8", bad_rows):
        user, item, time = (whole_number(fields[i]) for i in (0, 1, 3))
        rating = float(fields[2]) if _NUMBER.fullmatch(fields[2].strip()) else None
        if time is not None and not EARLIEST <= time <= LATEST:
            time = None
        if user is None or item is None or time is None or rating is None:
            bad_rows.note(
                BadRowReason.MALFORMED,
                file,
                row,
                f"not a number in {separator.join(fields)[:60]!r}",
            )
            continue
        users.append(user)
        items.append(item)
        ratings.append(rating)
        times.append(time)
        rows.append(row)
    return RatingTable(
        file,
        np.array(users, dtype=np.int64),
        np.array(items, dtype=np.int64),
        np.array(ratings, dtype=np.float64),
        np.array(times, dtype=np.int64),
        np.array(rows, dtype=np.int64),
    )
