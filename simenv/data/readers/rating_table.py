"""From parsed rows with the source's own ids to a clean log; knows no file format.

Everything that can be wrong with a rating that parsed is found here, at once for all rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRowReason, BadRows
from simenv.data.reading_report import DROPPED_TOO_MANY, Reading
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray, InteractionLog

IdArray = NDArray[Any]  # ids as the source writes them: all int64 or all str objects


class RatingTable(NamedTuple):
    """Rows of one ratings file in file order, r of them."""

    file: str  # what to call the file in an error
    users: IdArray  # (r,)
    items: IdArray  # (r,)
    ratings: FloatArray  # (r,) on the source's own scale
    timestamps: FloatArray | None  # (r,) seconds since 1970; None = the file's order is the order
    rows: IntArray  # (r,) row number in the file, from 1
    exact_times: NDArray[Any] | None = None  # (r,) sorts rows of one microsecond; None = timestamps
    spelling: str | None = "seconds since 1970"  # how the file writes its times

    def take(self, keep: BoolArray | IntArray) -> "RatingTable":
        """The kept rows."""
        return RatingTable(
            self.file,
            self.users[keep],
            self.items[keep],
            self.ratings[keep],
            None if self.timestamps is None else self.timestamps[keep],
            self.rows[keep],
            None if self.exact_times is None else self.exact_times[keep],
            self.spelling,
        )

    def in_time(self) -> IntArray:
        """(r,) the rows by time; rows of one time stay in the file's order."""
        times = self.timestamps if self.exact_times is None else self.exact_times
        if times is None:
            return np.arange(len(self.rows))
        return np.argsort(times, kind="stable").astype(np.int64)


class RatedCatalog(NamedTuple):
    """What a reader returns: everything in the source, not yet split or averaged."""

    catalog: Catalog
    log: InteractionLog  # all users
    user_ids: tuple[str, ...]  # what the source calls user 0, 1, …
    bad_rows: BadRows  # what was dropped, and why
    reading: Reading = (
        Reading()
    )  # what the reader knows of the files; ``build_dataset`` adds the rest


def log_from_table(
    table: RatingTable,
    item_ids: IdArray,
    bad_rows: BadRows,
    *,
    scale: tuple[float, float] | None = (1.0, 5.0),
    to_stars: Callable[[FloatArray], FloatArray] | None = None,
    known_users: IdArray | None = None,
) -> tuple[InteractionLog, tuple[str, ...]]:
    """Check every row, map ids to indices, and bring the ratings to 1..5 stars.

    Args:
        table: the parsed rows, unchanged.
        item_ids: (num_items,) ids of the catalogue, in its order.
        bad_rows: policy and report; gets a note for each row that cannot be used.
        scale: lowest and highest rating of the source; None = nobody gave it, and it is 1..5 unless
            more than a few ratings say otherwise.
        to_stars: from the source's scale to 1..5; None = linear.
        known_users: ids of a user file; those who rated nothing are noted.

    Returns:
        The log and the users' own ids; users are numbered in the order of their ids. Of repeated
        (user, item) rows the latest stays, as in ``InteractionLog.to_csr``.

    Raises:
        BadRowError: a row cannot be used and the policy is ``"error"``.
        ValueError: no row is left, the scale is empty, or nobody gave it and it is not 1..5.
    """
    low, high = _known_scale(table, scale)
    users_met = unique_ids(table.users)
    outside = ~((table.ratings >= low) & (table.ratings <= high))
    table = _without(
        table, outside, BadRowReason.OUT_OF_RANGE, bad_rows,
        lambda t, i: f"rating {t.ratings[i]:g} lies outside {low:g}..{high:g}",
    )  # fmt: skip
    table = _without(
        table, _places(item_ids, table.items) < 0, BadRowReason.UNKNOWN_ITEM, bad_rows,
        lambda t, i: f"item {t.items[i]} is not in the catalogue",
    )  # fmt: skip
    table = _without(
        table, _superseded(table), BadRowReason.DUPLICATE, bad_rows,
        lambda t, i: f"user {t.users[i]} rates item {t.items[i]} again later",
    )  # fmt: skip
    require_rows(table, bad_rows)
    table = table.take(table.in_time())
    user_ids = unique_ids(table.users)
    _note_users_without_rows(table.file, user_ids, users_met, known_users, bad_rows)
    linear = 1 + (NUM_STARS - 1) * (table.ratings - low) / (high - low)
    log = InteractionLog.from_columns(
        _places(user_ids, table.users),
        _places(item_ids, table.items),
        linear if to_stars is None else to_stars(table.ratings),
        table.timestamps,
        num_users=len(user_ids),
        num_items=len(item_ids),
    )
    return log, tuple(str(u) for u in user_ids)


def require_rows(table: RatingTable, bad_rows: BadRows) -> None:
    """Check that a row is left.

    Raises:
        ValueError: none is; the message says what became of them.
    """
    if not len(table.users):
        raise ValueError(f"{table.file} holds no usable rating; {bad_rows.summary()}")


def _known_scale(table: RatingTable, scale: tuple[float, float] | None) -> tuple[float, float]:
    """The scale given, or 1..5 where nearly all ratings lie on it."""
    if scale is not None:
        low, high = scale
        if not (np.isfinite(scale).all() and low < high):
            raise ValueError(f"rating_scale must be (lowest, highest), got ({low}, {high})")
        return low, high
    finite = table.ratings[np.isfinite(table.ratings)]
    outside = (finite < 1) | (finite > NUM_STARS)
    if len(finite) and outside.mean() > DROPPED_TOO_MANY:
        low, high = float(finite.min()), float(finite.max())
        raise ValueError(
            f"{table.file} has ratings from {low:g} to {high:g}, of which {outside.mean():.1%} lie"
            f" outside 1..{NUM_STARS}; give the lowest and the highest rating that its scale has,"
            f" as rating_scale=[{low:g},{high:g}]"
        )
    return 1.0, float(NUM_STARS)


def reading_of(
    table: RatingTable,
    scale: tuple[float, float] | None = (1.0, 5.0),
    unused_columns: tuple[str, ...] = (),
) -> Reading:
    """What a reader knows of its ratings file.

    Args:
        table: the parsed rows.
        scale: as for ``log_from_table``.
        unused_columns: of the files.
    """
    times = None if table.timestamps is None else table.spelling
    if times and not _has_order(table):
        times = f"{times}, all the same"
    low, high = (1.0, float(NUM_STARS)) if scale is None else scale
    kept = table.ratings[(table.ratings >= low) & (table.ratings <= high)]
    return Reading(
        file=table.file,
        scale=(low, high),
        scale_given=scale is not None,
        rating_range=(float(kept.min()), float(kept.max())) if len(kept) else (low, high),
        num_levels=len(np.unique(kept)),
        times=times,
        order=_order(table),
        unused_columns=unused_columns,
    )


def _has_order(table: RatingTable) -> bool:
    """Whether the times tell rows apart."""
    times = table.timestamps if table.exact_times is None else table.exact_times
    return times is not None and (len(times) < 2 or bool((times != times[0]).any()))


def _order(table: RatingTable) -> str | None:
    """What the file's rows are sorted by where no clock sorts them; None = times tell."""
    if table.timestamps is not None and _has_order(table):
        return None
    changes = int((table.items[1:] != table.items[:-1]).sum())
    num_items = len(unique_ids(table.items))
    return "item" if 1 < num_items < len(table.items) and changes == num_items - 1 else "unknown"


def unique_ids(ids: IdArray) -> IdArray:
    """Distinct ids, ascending: as numbers if all are whole numbers, else as text."""
    import pandas as pd  # heavy, and only files need it

    distinct = np.asarray(pd.unique(ids))
    if distinct.dtype == object and all(str(x).isdecimal() for x in distinct):
        bare = [str(x).lstrip("0") for x in distinct]  # numbers of any length sort by theirs
        order = sorted(range(len(bare)), key=lambda i: (len(bare[i]), bare[i]))
        return distinct[np.array(order, dtype=np.int64)]
    return np.sort(distinct)


def _places(known: IdArray, ids: IdArray) -> IntArray:
    """(r,) position of each id among the known ones; -1 if it is not there."""
    import pandas as pd

    return np.asarray(pd.Index(known).get_indexer(pd.Index(ids)), dtype=np.int64)


def _without(
    table: RatingTable,
    bad: BoolArray,
    reason: BadRowReason,
    bad_rows: BadRows,
    what: Callable[[RatingTable, int], str],
) -> RatingTable:
    """The table without its bad rows, each of them noted."""
    if not bad.any():
        return table
    dropped = table.take(bad)
    bad_rows.note_all(reason, table.file, dropped.rows, lambda i: what(dropped, i))
    return table.take(~bad)


def _superseded(table: RatingTable) -> BoolArray:
    """(r,) true where the same user rates the same item again later."""
    import pandas as pd

    users, items = pd.factorize(table.users)[0], pd.factorize(table.items)[0]
    pairs = users.astype(np.int64) * (int(items.max(initial=0)) + 1) + items
    order = table.in_time()
    bad = np.empty(len(pairs), dtype=np.bool_)
    bad[order] = pd.Series(pairs[order]).duplicated(keep="last").to_numpy()
    return bad


def _note_users_without_rows(
    file: str,
    user_ids: IdArray,
    users_met: IdArray,
    known_users: IdArray | None,
    bad_rows: BadRows,
) -> None:
    """Note users of the user file, or of dropped rows, for whom nothing is left."""
    known = users_met if known_users is None else np.union1d(users_met, known_users)
    missing = np.setdiff1d(known, user_ids)
    if len(missing):
        bad_rows.note_all(
            BadRowReason.NO_ROWS,
            file,
            np.zeros(len(missing), dtype=np.int64),  # no row of its own
            lambda i: f"user {missing[i]} has no usable rating",
        )
