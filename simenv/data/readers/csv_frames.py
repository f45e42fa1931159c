"""CSV and Parquet files to frames: encodings, separators, quotes, and the number of every bad row.

A fast parser reads a faultless CSV; if it stumbles, a plain one goes through it row by row and says
where. Both give the same rows. What a column means is not known here.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from simenv.data.readers.bad_rows import BadRowReason, BadRows

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
SEPARATORS = (",", ";", "\t", "|", "::")
_ONE_SIGN = "\x1f"  # stands in for a separator of several, which no parser knows
_LONGEST_CELL = 2**31 - 1
_LONGEST_HEADER = 2**20  # bytes
_UNDECODABLE = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a wrong byte
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_frame(
    path: Path, encoding: str, bad_rows: BadRows, *, strict: bool, separator: str | None = None
) -> "pd.DataFrame":
    """A text file with a header, or a .parquet file, as a frame; the index is the row number.

    Cells of text files come back as text, so that ids stay as they are written.

    Args:
        path: .csv, .tsv, .txt or .dat, each also with .gz, or .parquet.
        encoding: of a text file; one that begins with the mark of UTF-16 is read as that.
        bad_rows: policy and report.
        strict: count the fields of every row. If false, a row that is too short is filled with
            empty cells, which is faster and enough where the caller checks the cells it needs.
        separator: between two cells; a backslash and a t are a tab too; None = a tab in a .tsv,
            else a comma.

    Raises:
        ValueError: another suffix, a damaged file, an unknown encoding, no header, a column named
            twice, or a quote that is never closed.
        FileNotFoundError: there is no such file.
    """
    name = path.name.removesuffix(".gz")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; correct the path")
    if path.name.endswith(".parquet"):
        return _parquet_frame(path)
    if not name.endswith(TEXT_SUFFIXES):
        raise ValueError(
            f"cannot read {path.name}: wanted .csv, .csv.gz or .parquet"
            " (or .tsv, .txt, .dat with a separator)"
        )
    data = path.read_bytes()
    if name != path.name:
        data = _unzipped(data, path.name)
    if separator is None:
        separator = "\t" if name.endswith(".tsv") else ","
    if separator == r"\t":  # as it is written on command lines
        separator = "\t"
    if not separator or set(separator) & set('"\r\n'):
        raise ValueError(
            f"separator wanted a sign between two cells, such as ';', got {separator!r}; or null"
        )
    return csv_frame(data, path.name, encoding, bad_rows, strict=strict, separator=separator)


def csv_frame(
    data: bytes,
    file: str,
    encoding: str,
    bad_rows: BadRows,
    *,
    strict: bool,
    separator: str = ",",
) -> "pd.DataFrame":
    """CSV bytes with a header as a frame of text; the index is the row number, header = row 1.

    Names of columns lose the spaces around them. Errors as in ``read_frame``.
    """
    data, encoding = _readable(data, file, encoding)
    if not data.strip():
        raise ValueError(f"{file} is empty; wanted a header and rows")
    if len(separator) > 1:
        data = data.replace(separator.encode(encoding), _ONE_SIGN.encode(encoding))
    sign = separator if len(separator) == 1 else _ONE_SIGN
    _check_header(data, file, encoding, sign)
    frame = None if strict else _fast_frame(data, encoding, sign)
    if frame is None:
        frame = _careful_frame(data, file, encoding, bad_rows, sign)
    frame.columns = [name.strip() for name in frame.columns]
    return frame


def other_separator(header: str) -> str | None:
    """The sign that seems to separate a header in which no comma does."""
    counts = {sign: header.count(sign) for sign in SEPARATORS}
    found = max(SEPARATORS, key=lambda sign: counts[sign] * len(sign))
    return found if counts[found] else None


def _parquet_frame(path: Path) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow
    from pyarrow import parquet

    try:  # whole numbers with gaps stay whole numbers, of any size
        table = parquet.read_table(path)
        frame = table.to_pandas(integer_object_nulls=True, ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise ValueError(
            f"{path.name} is no Parquet file that can be read ({type(error).__name__}); write it"
            " again, or save it as .csv"
        ) from error
    _check_names([str(name) for name in frame.columns], path.name)
    frame.columns = [str(name).strip() for name in frame.columns]
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _unzipped(data: bytes, file: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{file} is not a whole gzip file ({error}); compress it again") from error


def _readable(data: bytes, file: str, encoding: str) -> tuple[bytes, str]:
    """The data in an encoding in which commas and line ends are single bytes, and which it is."""
    codec, is_plain = _known_codec(encoding, file)
    if data.startswith(_UTF_16):
        codec, is_plain = "utf-16", False
    if is_plain:  # the mark as Excel writes it
        return (data.removeprefix(codecs.BOM_UTF8) if codec.startswith("utf") else data), codec
    try:
        return data.decode(codec).encode("utf-8"), "utf-8"
    except UnicodeError as error:
        raise ValueError(
            f"{file} is not {codec} ({error}); name the file's encoding (encoding=...) or save it"
            " again"
        ) from error


def _check_header(data: bytes, file: str, encoding: str, sign: str) -> None:
    csv.field_size_limit(_LONGEST_CELL)
    text = io.StringIO(data[:_LONGEST_HEADER].decode(encoding, "surrogateescape"), newline="")
    header = next(iter(_rows(text, file, sign)), None)
    if header is None or not any(cell.strip() for cell in header[0]):
        raise ValueError(f"{file} wanted a header in its first row, got an empty one; add it")
    if _UNDECODABLE.search("".join(header[0])):
        raise ValueError(
            f"{file}, row 1: {','.join(header[0])[:60]!a} is not {encoding}; name the file's"
            " encoding (encoding=...) or save it again"
        )
    _check_names(header[0], file)


def _check_names(header: list[str], file: str) -> None:
    twice = [name for name, count in Counter(n.strip() for n in header).items() if count > 1]
    if any(twice):
        raise ValueError(f"{file} names a column twice: {header}; rename one")


def _fast_frame(data: bytes, encoding: str, sign: str) -> "pd.DataFrame | None":
    """All rows at once, or None if a row is too long or cannot be decoded."""
    import pandas as pd

    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=sign,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            encoding=encoding,
        )
    except (ValueError, OverflowError):  # ParserError and UnicodeDecodeError are ValueErrors
        return None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took a surplus field for an index
        return None
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame[~(frame == "").all(axis=1)]


def _careful_frame(
    data: bytes, file: str, encoding: str, bad_rows: BadRows, sign: str
) -> "pd.DataFrame":
    """One CSV row at a time; every row of the wrong width or encoding is noted."""
    import pandas as pd

    text = io.StringIO(data.decode(encoding, errors="surrogateescape"), newline="")
    rows = _rows(text, file, sign)
    header, _ = next(rows)
    good: dict[int, list[str]] = {}
    for cells, row in rows:
        line = ",".join(cells)
        if _UNDECODABLE.search(line):
            bad_rows.note(BadRowReason.ENCODING, file, row, f"{line[:60]!a} is not {encoding}")
        elif cells and len(cells) != len(header):
            what = f"wanted {len(header)} fields, got {len(cells)}: {line[:60]!r}"
            bad_rows.note(BadRowReason.MALFORMED, file, row, what)
        elif cells:
            good[row] = cells
    return pd.DataFrame(list(good.values()), index=list(good), columns=header, dtype=str)


def _rows(text: io.StringIO, file: str, sign: str) -> Iterator[tuple[list[str], int]]:
    """(cells, row number) of every row.

    Raises:
        ValueError: a quote is opened and never closed, so that the rest of the file is one cell.
    """
    lines: list[str] = []  # of the row that is read

    def kept() -> Iterator[str]:
        for line in text:
            lines.append(line)
            yield line

    size = len(text.getvalue())
    for row, cells in enumerate(csv.reader(kept(), delimiter=sign), start=1):
        raw = "".join(lines)
        if len(lines) > 1 and raw.count('"') % 2 and text.tell() == size:
            raise ValueError(
                f"{file}, row {row}: a quote is opened and never closed, so that the rest of the"
                f" file is one cell: {raw[:60]!r}; close it, or double quotes inside cells"
            )
        lines.clear()
        yield cells, row


def _known_codec(encoding: str, file: str) -> tuple[str, bool]:
    """The codec's own name, and whether commas and line ends are single bytes in it."""
    try:
        codec = codecs.lookup(encoding).name
        return codec, ",\n".encode(codec) == b",\n"
    except (LookupError, TypeError, ValueError):
        raise ValueError(
            f"{file} cannot be read with encoding={encoding!r}, which nobody knows; try utf-8,"
            " latin-1 or utf-16"
        ) from None
