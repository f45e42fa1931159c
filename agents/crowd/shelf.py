"""Rows of an Arrow table on disk, read by number and written anew; memory holds where they lie.

A first file holds every row once. Whoever changes rows writes them whole into a further file; the
newest counts. Files are whole or absent, so a killed run leaves the rows of its last write. When
half of what lies in the further files is outdated, one file takes the place of them all. It knows
no person.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simenv.events import IntArray
from simenv.whole_files import replace_whole

BATCH = 4096  # rows that are described together: a row is found by dividing its place
NUMBER = "row"  # the column of a further file that says whose row it is
_MANY = 8  # files, from which on outdated rows are looked at


class Shelf:
    """n rows on disk.

    Args:
        first: the file that ``shelf_writer`` wrote; not changed.
        changes: folder of the rows that are written anew; made when the first one is.

    Attributes:
        num_rows: n.

    Raises:
        FileNotFoundError: there is no first file.
        ValueError: a file is no whole Arrow file, or one of another table.
    """

    def __init__(self, first: Path, changes: Path) -> None:
        if not first.is_file():
            raise FileNotFoundError(
                f"{str(first)!r} wanted a file of people, got none; write them with write_crowd"
            )
        self._first, self._changes = first, changes
        self._files = [first]
        with _opened(first) as file:
            self.schema = file.schema
            self.num_rows = sum(_sizes(file))
        self._file = np.zeros(self.num_rows, dtype=np.int32)
        self._place = np.arange(self.num_rows, dtype=np.int32)
        self._written = 0  # rows of all further files
        self._next = 1
        for path in sorted(changes.glob("*.arrow")):
            self._read_numbers(path)
        self._kept, self._written = len(self._files), 0  # ``reset`` stays with so many files

    @property
    def num_bytes(self) -> int:
        """On disk."""
        return sum(path.stat().st_size for path in self._files)

    def changed(self) -> IntArray:
        """(c,) rows written since the shelf was opened."""
        return np.flatnonzero(self._file >= self._kept)

    def take(self, rows: IntArray) -> pa.Table:
        """The rows (r,) in the order given, copied into memory."""
        rows = np.asarray(rows, dtype=np.int64)
        files, places = self._file[rows], self._place[rows]
        order = np.lexsort((places, files))
        parts = [
            part
            for file in np.unique(files).tolist()
            for part in _taken(self._files[file], places[order][files[order] == file])
        ]
        found = pa.Table.from_batches(parts, schema=self.schema)
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.arange(len(rows))
        return found.combine_chunks().take(pa.array(back))

    def put(self, rows: IntArray, table: pa.Table) -> None:
        """Write the distinct rows (r,) anew; on disk when this returns.

        Raises:
            ValueError: another table than that of the shelf.
        """
        if table.schema != self.schema or len(table) != len(rows):
            raise ValueError(
                f"a shelf wanted {len(rows)} rows of its own columns {self.schema.names}, got"
                f" {len(table)} of {table.schema.names}"
            )
        if not len(rows):
            return
        self._append(rows, iter([table]))
        if len(self._files) - self._kept > _MANY and self._written > 2 * len(self.changed()):
            self._join()

    def reset(self) -> None:
        """Forget what was written since the shelf was opened."""
        for path in self._files[self._kept :]:
            path.unlink(missing_ok=True)
        self.__init__(self._first, self._changes)  # type: ignore[misc]  # all is on disk

    def _append(self, rows: IntArray, tables: Iterator[pa.Table]) -> None:
        self._changes.mkdir(parents=True, exist_ok=True)
        path = self._changes / f"{self._next:09d}.arrow"
        numbered = self.schema.append(pa.field(NUMBER, pa.int64()))

        def write(unfinished: Path) -> None:
            writer = shelf_writer(unfinished, numbered)
            for table in _with_numbers(rows, tables):
                writer.send(table)
            writer.close()

        replace_whole(path, write)
        self._read_numbers(path)

    def _read_numbers(self, path: Path) -> None:
        cure = "take the file away, or begin with changes of your own"
        if not path.stem.isdecimal():
            raise ValueError(f"{path.name} wanted a number as its name, got another; {cure}")
        numbered = self.schema.append(pa.field(NUMBER, pa.int64()))
        with _opened(path) as file:
            if file.schema != numbered:
                raise ValueError(
                    f"{path.name} wanted rows of {self.schema.names}, got {file.schema.names} or"
                    f" other types; {cure}"
                )
            rows = np.concatenate([np.zeros(0, np.int64), *_numbers(path, file)])
        if len(rows) and not 0 <= rows.min() <= rows.max() < self.num_rows:
            raise ValueError(
                f"{path.name} wanted rows in [0, {self.num_rows}), got {rows.min()}..{rows.max()};"
                f" {cure}"
            )
        self._file[rows], self._place[rows] = len(self._files), np.arange(len(rows))
        self._files.append(path)
        self._written += len(rows)
        self._next = int(path.stem) + 1

    def _join(self) -> None:
        """One file in the place of all that were written since the shelf was opened."""
        rows, old = self.changed(), self._files[self._kept :]
        cuts = range(0, len(rows), BATCH)
        self._append(rows, (self.take(rows[cut : cut + BATCH]) for cut in cuts))
        self._files[self._kept :] = [self._files[-1]]
        self._file[rows], self._written = self._kept, len(rows)
        for path in old:
            path.unlink()


def shelf_writer(path: Path, schema: pa.Schema) -> Generator[None, pa.Table, None]:
    """Send it tables of any length, then close it: they are a shelf's first file."""
    found = _writer(path, schema)
    next(found)
    return found


def _writer(path: Path, schema: pa.Schema) -> Generator[None, pa.Table, None]:
    left = schema.empty_table()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        try:
            while True:
                left = pa.concat_tables([left, (yield).cast(schema)]).combine_chunks()
                whole = len(left) // BATCH * BATCH
                for batch in left.slice(0, whole).to_batches(max_chunksize=BATCH):
                    writer.write_batch(batch)
                left = left.slice(whole).combine_chunks()
        except GeneratorExit:
            for batch in left.to_batches():
                writer.write_batch(batch)


def _with_numbers(rows: IntArray, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    start = 0
    for table in tables:
        own = rows[start : start + len(table)]
        yield table.append_column(pa.field(NUMBER, pa.int64()), pa.array(own, pa.int64()))
        start += len(table)


def _opened(path: Path) -> Any:
    """A reader of the file, which is not read but mapped; closing it lets the memory go."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowInvalid, OSError) as error:  # an empty file cannot be mapped
        raise ValueError(
            f"{path.name} wanted a whole Arrow file, got another ({error}); write it anew"
        ) from None


def _numbers(path: Path, file: Any) -> Iterator[IntArray]:
    """Whose rows the batches hold, which are looked at in full: a file may be damaged."""
    for number in range(file.num_record_batches):
        try:
            batch = file.get_batch(number)
            batch.validate(full=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(
                f"{path.name} wanted a whole Arrow file, got another ({error}); write it anew"
            ) from None
        yield batch[NUMBER].to_numpy().copy()


def _sizes(file: Any) -> list[int]:
    return [file.get_batch(number).num_rows for number in range(file.num_record_batches)]


def _taken(path: Path, places: IntArray) -> Iterator[pa.RecordBatch]:
    """The rows at rising places, copied; only their pages are read."""
    with _opened(path) as file:
        batches = places // BATCH
        for number in np.unique(batches).tolist():
            batch = file.get_batch(number)
            own = pa.array(places[batches == number] - number * BATCH)
            names = [name for name in batch.schema.names if name != NUMBER]
            yield batch.select(names).take(own)
