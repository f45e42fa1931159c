"""Whose rows make a data set: draws users, renumbers them, and says what the averages may see.

Two regimes, both without future leaks. ``"same_rows"``: the world holds the drawn users only and
averages come from their training rows. ``"population"``: everybody else's complete rows are the
background, known to averages and baselines as a running service would know them. Rows of the drawn
users after the split are test rows and enter nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.reading_report import DROPPED_TOO_MANY, Reading
from simenv.data.splits import SplitRule, split_dataset
from simenv.events import IntArray, InteractionLog
from simenv.ranges import check_number

Regime = Literal["same_rows", "population"]
_COLD = {
    "cold_items": "; a tenth of the items stands in no training row, and only they are asked about",
    "cold_people": "; people are known by their first 0, 1, 2, 5, 10 or 20 rows",
}


class ProtocolSettings(TypedDict, total=False):
    """Keywords that every reader takes and passes on to ``build_dataset``.

    Attributes:
        fraction: of each user's rows, in time order, that are training rows; default 0.6.
        min_ratings: fewest ratings of a drawn user; None (default) = no bound.
        max_ratings: most ratings of a drawn user; None (default) = no bound.
        num_users: how many users to draw; None (default) = all that qualify.
        seed: of the draw; default 0.
        split: "time" (default); "lot": which rows are training rows is drawn by the seed, for logs
            without times; "cold_items", "cold_people" or "global_time": see ``split_dataset``.
        regime: what averages see besides training rows (see this module); default "population".
    """

    fraction: float
    min_ratings: int | None
    max_ratings: int | None
    num_users: int | None
    seed: int
    split: SplitRule
    regime: Regime


def parted(settings: Mapping[str, Any], declared: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings that the TypedDict ``declared`` names, and all others."""
    own = {key: value for key, value in settings.items() if key in declared.__annotations__}
    return own, {key: value for key, value in settings.items() if key not in own}


def draw_users(
    log: InteractionLog,
    *,
    low: int | None = None,
    high: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
) -> IntArray:
    """Users with ``low`` to ``high`` rows, both included; ``num_users`` of them drawn.

    Args:
        log: all users; unchanged.
        low: fewest rows; None = no bound (but at least one row).
        high: most rows; None = no bound.
        num_users: how many to draw without replacement; None = all that qualify.
        seed: of the draw.

    Returns:
        (num_users,) ascending.

    Raises:
        ValueError: fewer users qualify than are wanted, or none; or a number is no count.
    """
    for name, value in (("num_users", num_users), ("min_ratings", low), ("max_ratings", high)):
        if value is not None:
            check_number("a data set", name, value, "whole [1, 1e12]", "null takes all")
    counts = np.bincount(log.users, minlength=log.num_users)
    fits = (counts >= max(low or 1, 1)) & (counts <= (len(log) if high is None else high))
    eligible = np.flatnonzero(fits).astype(np.int64)
    wanted = len(eligible) if num_users is None else num_users
    if not 0 < wanted <= len(eligible):
        raise ValueError(
            f"wanted {num_users or 'some'} users with {low or 1} to {high or 'any number of'}"
            f" ratings, found {len(eligible)}; widen min_ratings..max_ratings or lower num_users"
        )
    if num_users is None:
        return eligible
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(eligible, num_users, replace=False))


def only_drawn(log: InteractionLog, users: IntArray) -> InteractionLog:
    """The rows of ``users``, ascending, who are numbered from 0."""
    rows = log.only_users(users)
    return InteractionLog(
        np.searchsorted(users, rows.users).astype(np.int64),
        rows.items,
        rows.ratings,
        rows.timestamps,
        len(users),
        log.num_items,
    )


def build_dataset(
    name: str,
    rated: RatedCatalog,
    *,
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    split: SplitRule = "time",
    regime: Regime = "population",
) -> Dataset:
    """Draw users and split their rows: the last step of every reader.

    ``name`` is the data set's, ``rated`` what a reader returned (unchanged); ``ProtocolSettings``
    explains the keywords. Rows that the reader dropped are announced with one warning, and so is a
    split in time of rows that have no times; ``Dataset.reading`` holds all of it.

    Raises:
        ValueError: an unknown regime, a fraction outside (0, 1], or too few users qualify.
    """
    if regime not in get_args(Regime):
        raise ValueError(f"regime must be one of {get_args(Regime)}, got {regime!r}")
    rated.bad_rows.announce()
    log = rated.log
    users = draw_users(log, low=min_ratings, high=max_ratings, num_users=num_users, seed=seed)
    others = np.setdiff1d(np.arange(log.num_users), users)
    background = only_drawn(log, others) if regime == "population" and len(others) else None
    ids = tuple(rated.user_ids[u] for u in users)
    own = only_drawn(log, users)
    dataset = split_dataset(
        name, rated.catalog, own, ids, fraction, None, background, split=split, seed=seed
    )
    reading = _reading(rated, dataset, fraction, split, seed)
    reading.announce()
    return replace(dataset, reading=reading)


def _reading(
    rated: RatedCatalog, dataset: Dataset, fraction: float, split: SplitRule, seed: int
) -> Reading:
    """All that was read, what became of it, and what a report has to open with."""
    report, log, catalog = rated.bad_rows, rated.log, rated.catalog
    left_out = log.num_users - dataset.num_users
    used = "only averages and baselines see" if dataset.background else "nothing sees"
    reading = replace(
        rated.reading,
        num_rows=len(log) + report.of_files.get(rated.reading.file, 0),
        num_kept=len(log),
        dropped={reason: report.counts[reason] for reason in report.counts},
        examples={reason: tuple(rows) for reason, rows in report.examples.items()},
        split=_split_in_words(rated.reading, fraction, split, seed),
        num_users=log.num_users,
        num_users_used=dataset.num_users,
        others=f"; {used} the rows of the other {left_out:,}" if left_out else "",
        num_items=len(catalog),
        num_items_unrated=len(catalog) - len(np.unique(log.items)),
        num_items_untitled=sum(not title for title in catalog.titles),
    )
    found = [_on_dropped(reading), _on_order(reading, split), _on_ratings(reading)]
    return replace(reading, warnings=tuple(text for text in found if text))


def _split_in_words(reading: Reading, fraction: float, split: SplitRule, seed: int) -> str:
    if split == "global_time":
        return f"{fraction:.0%} of all ratings come first in time and are known, the rest not"
    rule = "come first in time and are training rows"
    if split == "lot":
        rule = f"are drawn by lot (seed {seed}) for training"
    elif reading.order is not None:
        rule = f"stand first in the file (sorted by: {reading.order}) and are training rows"
    return f"{fraction:.0%} of everybody's rows {rule}, the rest is held out{_COLD.get(split, '')}"


def _on_dropped(reading: Reading) -> str:
    if reading.dropped_share <= DROPPED_TOO_MANY:
        return ""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in reading.dropped.items())
    return (
        f"{reading.dropped_share:.1%} of the rating rows of {reading.file} were left out"
        f" ({reading.num_rows - reading.num_kept:,} of {reading.num_rows:,}: {reasons}): what"
        " follows speaks of the rest only"
    )


def _on_ratings(reading: Reading) -> str:
    """A log of likes alone says nothing of what is not liked."""
    if reading.num_levels != 1 or reading.rating_range[1] < reading.scale[1]:
        return ""
    return (
        f"all ratings of {reading.file} are {reading.rating_range[0]:g}: nothing in them says what"
        " anybody dislikes, so people will like everything; add rows for what was shown and not"
        " liked"
    )


def _on_order(reading: Reading, split: SplitRule) -> str:
    """Rows that nobody says the order of are split in time."""
    if split == "lot" or reading.order not in {"item", "unknown"}:
        return ""
    clock = "times that are all the same" if reading.times else "no times (timestamp_column)"
    order = (
        "the rows are sorted by item, so everybody is tested on the same last items"
        if reading.order == "item"
        else "everybody is tested on the rows that stand last in the file"
    )
    return (
        f"{reading.file} has {clock}: its order is taken for time, and {order}; name the column of"
        ' the times, or pass split="lot"'
    )
