"""Text files to rows: separators, encodings and field counts, with the number of every bad row.

A fast parser reads a faultless file; if it stumbles, a plain one goes through the file row by row
and says where. Both give the same rows.
"""

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simenv.data.readers.bad_rows import BadRowReason, BadRows
from simenv.data.readers.rating_table import RatingTable

if TYPE_CHECKING:
    import pandas as pd

_FIELDS = ("user", "item", "rating", "timestamp")
_UNDECODABLE = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a wrong byte


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
    except ValueError:  # ParserError is one
        return None
    users, items, ratings, times = (frame[name].to_numpy() for name in _FIELDS)
    if len(frame) != num_rows or not np.isfinite(ratings).all():
        return None
    rows = np.arange(1, num_rows + 1, dtype=np.int64)
    return RatingTable(file, users, items, ratings, times, rows)


def _careful_ratings(data: bytes, file: str, separator: str, bad_rows: BadRows) -> RatingTable:
    """One row at a time; every row that does not parse is noted with its number."""
    users, items, ratings, times, rows = [], [], [], [], []
    for row, fields in delimited_rows(data, file, separator, len(_FIELDS), "utf-8", bad_rows):
        try:
            user, item, time = int(fields[0]), int(fields[1]), int(fields[3])
            rating = float(fields[2])
        except ValueError:
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


def read_frame(path: Path, encoding: str, bad_rows: BadRows, *, strict: bool) -> "pd.DataFrame":
    """A .csv, .csv.gz or .parquet file as a frame; the index is the row number in the file.

    CSV cells come back as text, so that ids stay as they are written.

    Args:
        path: the file.
        encoding: of a CSV.
        bad_rows: policy and report.
        strict: count the fields of every CSV row. If false, a row that is too short is filled with
            empty cells, which is faster and enough where the caller checks the cells it needs.

    Raises:
        ValueError: the suffix is another one, or the CSV has no header.
        FileNotFoundError: there is no such file.
    """
    import pandas as pd

    if path.name.endswith(".parquet"):
        frame = pd.read_parquet(path)
        frame.index = pd.RangeIndex(1, len(frame) + 1)
        return frame
    if not path.name.endswith((".csv", ".csv.gz")):
        raise ValueError(f"cannot read {path.name}: wanted .csv, .csv.gz or .parquet")
    data = path.read_bytes()
    if path.name.endswith(".gz"):
        data = gzip.decompress(data)
    return csv_frame(data, path.name, encoding, bad_rows, strict=strict)


def csv_frame(
    data: bytes, file: str, encoding: str, bad_rows: BadRows, *, strict: bool
) -> "pd.DataFrame":
    """CSV bytes with a header as a frame of text; the index is the row number, header = row 1."""
    if not data.strip():
        raise ValueError(f"{file} is empty; wanted a header and rows")
    data = data.removeprefix(codecs.BOM_UTF8)  # as Excel writes it
    frame = None if strict else _fast_frame(data, encoding)
    return _careful_frame(data, file, encoding, bad_rows) if frame is None else frame


def _fast_frame(data: bytes, encoding: str) -> "pd.DataFrame | None":
    """All rows at once, or None if a row is too long or cannot be decoded."""
    import pandas as pd

    try:
        frame = pd.read_csv(
            io.BytesIO(data), dtype=str, na_filter=False, skip_blank_lines=False, encoding=encoding
        )
    except ValueError:  # ParserError and UnicodeDecodeError are
        return None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took a surplus field for an index
        return None
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame[~(frame == "").all(axis=1)]


def _careful_frame(data: bytes, file: str, encoding: str, bad_rows: BadRows) -> "pd.DataFrame":
    """One CSV row at a time; every row of the wrong width or encoding is noted."""
    import pandas as pd

    text = io.StringIO(data.decode(encoding, errors="surrogateescape"), newline="")
    reader = csv.reader(text)
    header = next(reader)
    if len(set(header)) != len(header):
        raise ValueError(f"{file} names a column twice: {header}; rename one")
    good: dict[int, list[str]] = {}
    for row, cells in enumerate(reader, start=2):
        line = ",".join(cells)
        if _UNDECODABLE.search(line):
            bad_rows.note(BadRowReason.ENCODING, file, row, f"{line[:60]!a} is not {encoding}")
        elif cells and len(cells) != len(header):
            what = f"wanted {len(header)} fields, got {len(cells)}: {line[:60]!r}"
            bad_rows.note(BadRowReason.MALFORMED, file, row, what)
        elif cells:
            good[row] = cells
    return pd.DataFrame(list(good.values()), index=list(good), columns=header, dtype=str)
