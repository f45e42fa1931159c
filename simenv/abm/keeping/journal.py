"""The log of a society: a Parquet part a checkpoint, one file at the end. Equal runs, equal bytes.

Columns: tick, user, place, item, source (0 recommender, 1 friend, 2 trend, 3 viral), score,
expected (NaN = the answer failed), rating (0 = not taken), taken, quit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simenv.env.infos import no_feedback
from simenv.events import Feedback, FloatArray, IntArray, Slates
from simenv.whole_files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa


class TickRecord(NamedTuple):
    """What one tick brought."""

    tick: int
    users: IntArray  # (n,) who answered about one place or more
    slates: Slates  # (n, k)
    sources: IntArray  # (n, k)
    feedback: Feedback
    failed: IntArray  # users who were asked and gave no usable answer at all

    @property
    def slates_unanswered(self) -> float:
        """Slates that were shown and not answered about, parts of slates included."""
        lost = self.feedback.failed
        return len(self.failed) + float(lost.sum() / max(1, lost.shape[1]))


def no_tick(tick: int, num_places: int) -> TickRecord:
    """A tick in which nobody was awake."""
    nobody, feedback = np.zeros(0, dtype=np.int64), no_feedback(num_places)
    items = np.zeros((0, num_places), dtype=np.int64)
    return TickRecord(tick, nobody, Slates(items, feedback.ratings), items, feedback, nobody)


class Given(NamedTuple):
    """Ratings given in the society, in order."""

    users: IntArray
    items: IntArray
    ratings: FloatArray
    ticks: IntArray


class Journal:
    """Writes what happened below ``folder``; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder / "log"
        self._waiting: list[pa.Table] = []
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, tick: TickRecord) -> None:
        """Keep a tick until the next ``flush``."""
        if self.folder is not None and len(tick.users):
            self._waiting.append(_table(tick))

    def flush(self, tick: int) -> None:
        """Write everything that waits as the part of ``tick``."""
        if self.folder is None or not self._waiting:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(self._waiting)
        path = self.folder / f"part-{tick:08d}.parquet"
        replace_whole(path, lambda unfinished: pq.write_table(table, unfinished))
        self._waiting = []

    def parts(self) -> list[Path]:
        """The parts written so far, in order."""
        return [] if self.folder is None else sorted(self.folder.glob("part-*.parquet"))

    def forget_after(self, tick: int) -> None:
        """Remove parts of later ticks: their checkpoint was never finished."""
        for part in self.parts():
            if int(part.stem.removeprefix("part-")) > tick:
                part.unlink()

    def given(self) -> Iterator[Given]:
        """Ratings of every part, in order."""
        import pyarrow.parquet as pq

        for part in self.parts():
            table = pq.read_table(part, columns=["user", "item", "rating", "tick"])
            columns = [table[name].to_numpy().astype(np.int64) for name in table.column_names]
            taken = columns[2] > 0
            users, items, ratings, ticks = (column[taken] for column in columns)
            yield Given(users, items, ratings.astype(np.float64), ticks)

    def join(self, path: Path) -> None:
        """Write all parts as one file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = [pq.read_table(part) for part in self.parts()]
        whole = pa.concat_tables(tables) if tables else _table(no_tick(0, 1))
        replace_whole(
            path,
            lambda unfinished: pq.write_table(whole, unfinished, compression="zstd",
                                              row_group_size=1 << 20),
        )  # fmt: skip


def _table(tick: TickRecord) -> "pa.Table":
    import pyarrow as pa

    n, k = tick.slates.items.shape
    feedback = tick.feedback
    return pa.table(
        {
            "tick": np.full(n * k, tick.tick, dtype=np.int32),
            "user": np.repeat(tick.users, k).astype(np.int32),
            "place": np.tile(np.arange(k, dtype=np.int8), n),
            "item": tick.slates.items.ravel().astype(np.int32),
            "source": tick.sources.ravel().astype(np.int8),
            "score": tick.slates.scores.ravel().astype(np.float32),
            "expected": feedback.expected.ravel().astype(np.float32),
            "rating": feedback.ratings.ravel().astype(np.int8),
            "taken": feedback.taken.ravel(),
            "quit": np.repeat(feedback.quits, k),
        }
    )
