"""Columns of a Parquet file, checked before anything is made of them.

One rule a column: what kind of values, within what limits. What breaks it is named by file, column
and row (counted from 0), with what came and the cure. It knows no meaning of a column.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 200_000_000
_MOST_BYTES = 16 * 2**30  # uncompressed: a file of a kilobyte can state any size


class Column(NamedTuple):
    """What a column has to hold; nothing may be missing in it.

    Attributes:
        kind: whole numbers, finite numbers, texts, lists of texts, or texts that may be missing.
        least: of numbers.
        most: of numbers.
    """

    kind: Literal["whole", "number", "text", "texts", "text or none"]
    least: float | None = None
    most: float | None = None


def read_columns(path: Path, wanted: Mapping[str, Column]) -> "pa.Table":
    """The wanted columns of a Parquet file, whole and within their limits; others are left out.

    Raises:
        ValueError: the file is missing, corrupt or too large, or a column is missing or breaks its
            rule.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ValueError(f"{path.name} is missing in {str(path.parent)!r}; copy the whole folder")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            _check_size(path, file.metadata)
            names = file.schema_arrow.names
            _check_names(path, names, wanted)
            table = file.read(columns=list(wanted))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{path.name} is no whole Parquet file ({str(error)[:200]}); copy it again"
        ) from error
    columns = {name: _checked(path, name, rule, table[name]) for name, rule in wanted.items()}
    return pa.table(columns).replace_schema_metadata(table.schema.metadata)


def _check_size(path: Path, facts: Any) -> None:
    size = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    if facts.num_rows > _MOST_ROWS or size > _MOST_BYTES:
        raise ValueError(
            f"{path.name} states {facts.num_rows} rows of {size} bytes, at most {_MOST_ROWS} rows"
            f" of {_MOST_BYTES} bytes are read; give a part of it"
        )


def _check_names(path: Path, names: list[str], wanted: Mapping[str, Column]) -> None:
    if missing := sorted(set(wanted) - set(names)):
        raise ValueError(
            f"{path.name}: wanted the columns {', '.join(wanted)}, {', '.join(missing)} missing,"
            f" got {', '.join(names)[:300]}; write the file again"
        )
    if twice := sorted({n for n in wanted if names.count(n) > 1}):
        raise ValueError(f"{path.name}: the column {twice[0]!r} is there twice; keep one")


def _checked(path: Path, name: str, rule: Column, column: Any) -> Any:
    """The column, decoded; raises at the first value that breaks the rule."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count and rule.kind != "text or none":
        row = pc.index(pc.is_null(column), True).as_py()
        raise _broken(path, name, row, rule, "nothing")
    if len(column) == column.null_count and rule.kind == "text or none":
        return column.cast(pa.string())
    if not _fits(rule.kind, column.type):
        raise _broken(path, name, None, rule, f"a column of {column.type}")
    if rule.kind == "texts":
        _check_lists(path, name, rule, column)
    if rule.kind in ("whole", "number"):
        _check_numbers(path, name, rule, column)
    return column


def _fits(kind: str, found: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    if kind == "whole":
        return bool(types.is_integer(found))
    if kind == "number":
        return bool(types.is_integer(found) or types.is_floating(found))
    if kind == "texts":
        is_list = types.is_list(found) or types.is_large_list(found)
        inner = found.value_type if is_list else None
        return is_list and (types.is_null(inner) or _fits("text", inner))
    return bool(types.is_string(found) or types.is_large_string(found))


def _check_lists(path: Path, name: str, rule: Column, column: Any) -> None:
    import pyarrow.compute as pc

    flat = pc.list_flatten(column)
    if flat.null_count:
        place = pc.index(pc.is_null(flat), True).as_py()
        row = pc.list_parent_indices(column)[place].as_py()
        raise _broken(path, name, row, rule, "a list with nothing in it")


def _check_numbers(path: Path, name: str, rule: Column, column: Any) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_uint64(column.type):  # does not compare with signed numbers
        beyond = pc.greater(column, pa.scalar(2**63 - 1, pa.uint64()))
        _refuse(path, name, rule, column, beyond)
        column = column.cast(pa.int64())
    _refuse(path, name, rule, column, pc.invert(pc.is_finite(column)))
    if rule.least is not None:
        _refuse(path, name, rule, column, pc.less(column, rule.least))
    if rule.most is not None:
        _refuse(path, name, rule, column, pc.greater(column, rule.most))


def _refuse(path: Path, name: str, rule: Column, column: Any, at_fault: Any) -> None:
    """Raise for the first row at fault, if there is one."""
    import pyarrow.compute as pc

    row = pc.index(at_fault, True).as_py()
    if row >= 0:
        raise _broken(path, name, row, rule, repr(column[row].as_py()))


def _broken(path: Path, name: str, row: int | None, rule: Column, came: str) -> ValueError:
    what = {
        "whole": "a whole number",
        "number": "a finite number",
        "texts": "a list of texts",
    }.get(rule.kind, "a text")
    least = "" if rule.least is None else f" from {rule.least:g}"
    most = "" if rule.most is None else f" up to {rule.most:g}"
    where = f"column {name!r}" + ("" if row is None else f", row {row}")
    return ValueError(
        f"{path.name}: {where}: wanted {what}{least}{most}, got {came}; correct it, or write the"
        " file again"
    )
