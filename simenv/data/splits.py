"""Splits that cannot leak: each user's rows in time or by lot, averages of the first part only.

Two more ask about the cold: items that nobody has rated, and people who have rated hardly anything.
Both are splits in time of which rows are then left out, so that all ask about later rows. A fifth
has one moment for everybody, so that no average holds what others gave after a row asked about.
"""

from typing import Literal, get_args

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.events import BoolArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.user_model import WorldTruth

SplitRule = Literal["time", "lot", "cold_items", "cold_people", "global_time"]
COLD_ROWS = (0, 1, 2, 5, 10, 20)  # training rows of cold people, in turn
_COLD_SHARE, _COLD_SEED = 0.1, 77  # of the rated items; one choice for every draw of people


def is_training_row(
    log: InteractionLog, fraction: float = 0.6, split: SplitRule = "time", seed: int = 0
) -> BoolArray:
    """(r,) true for ⌈fraction · n⌉ rows of every user: the first in time, or drawn by ``seed``.

    Of the cold splits it says which rows are early; ``split_dataset`` leaves some of them out. Of
    "global_time" they are those until the moment at which ``fraction`` of the log was given.
    A row's lot depends on the seed, the user and the item, not on where the row stands.

    Raises:
        ValueError: a fraction outside (0, 1], or an unknown split.
    """
    if split not in get_args(SplitRule):
        named = ", ".join(f'"{rule}"' for rule in get_args(SplitRule))
        raise ValueError(f"split must be one of {named}, got {split!r}")
    if not 0 < fraction <= 1:
        raise ValueError(f"split fraction must lie in (0, 1], got {fraction}; try 0.6")
    if split == "global_time":
        return np.asarray(log.timestamps <= _moment(log, fraction))
    offsets = log.offsets()
    position = _places(log, split, seed) - offsets[log.users]
    first = np.ceil(
        np.round(fraction * np.diff(offsets), 9)
    )  # 0.6 * 5 is 3, not 3.0000000000000004
    return np.asarray(position < first[log.users])


def temporal_split(
    log: InteractionLog, fraction: float = 0.6
) -> tuple[InteractionLog, InteractionLog]:
    """Split every user's history in time: (first part, rest)."""
    first = is_training_row(log, fraction)
    return log.take(first), log.take(~first)


def _moment(log: InteractionLog, fraction: float) -> float:
    """The time until which ``fraction`` of the rows were given."""
    return float(np.quantile(log.timestamps, fraction, method="inverted_cdf")) if len(log) else 0.0


def _places(log: InteractionLog, split: SplitRule, seed: int) -> IntArray:
    """(r,) where each row stands when the rows of every user are sorted by the rule."""
    if split != "lot":
        return np.arange(len(log))
    lots = uniforms(row_seeds(seed, log.users, log.items), Channel.SPLIT, 1)[:, 0]
    places = np.empty(len(log), dtype=np.int64)
    places[np.lexsort((lots, log.users))] = np.arange(len(log))
    return places


def stacked(train: InteractionLog, background: InteractionLog | None) -> InteractionLog:
    """Training rows followed by those of other people, who are numbered after the users.

    This is what a predictor may learn from; ids of ``train`` keep their meaning.
    """
    if background is None:
        return train
    return InteractionLog(
        np.concatenate([train.users, background.users + train.num_users]),
        np.concatenate([train.items, background.items]),
        np.concatenate([train.ratings, background.ratings]),
        np.concatenate([train.timestamps, background.timestamps]),
        train.num_users + background.num_users,
        train.num_items,
    )


def split_dataset(
    name: str,
    catalog: Catalog,
    log: InteractionLog,
    user_ids: tuple[str, ...],
    fraction: float = 0.6,
    truth: WorldTruth | None = None,
    background: InteractionLog | None = None,
    split: SplitRule = "time",
    seed: int = 0,
) -> Dataset:
    """Split ``log``; averages are of training rows and ``background``.

    Args:
        name: of the data set, as the next four are its own.
        catalog: all items.
        log: rows of the users.
        user_ids: (num_users,).
        fraction: of everybody's rows that are early.
        truth: where it is known.
        background: rows of other people.
        split: "time" or "lot": early rows are training rows, the others test rows. "cold_items": a
            tenth of the rated items (``cold_items``) stand in no training or background row, and
            test rows are the later ones about them. "cold_people": people are known by their first
            0, 1, 2, 5, 10 or 20 early rows, in turn; test rows are the later ones. "global_time":
            training and background rows are those until the moment at which ``fraction`` of all of
            them were given, test rows those behind it.
        seed: of the lot.

    Raises:
        ValueError: a fraction outside (0, 1], an unknown split, or a cold one that leaves no row to
            ask about.
    """
    first = is_training_row(log, fraction, split, seed)
    asked = ~first
    whole = stacked(log, background)
    if split == "cold_items":
        new = cold_items(whole)
        first, asked = first & ~new[log.items], asked & new[log.items]
        background = background and background.take(~new[background.items])
    elif split == "cold_people":
        place = np.arange(len(log)) - log.offsets()[log.users]
        first = first & (place < np.array(COLD_ROWS)[log.users % len(COLD_ROWS)])
    elif split == "global_time":
        moment = _moment(whole, fraction)
        first = log.timestamps <= moment
        asked = ~first
        background = background and background.take(background.timestamps <= moment)
    if split in ("cold_items", "cold_people") and not asked.any():
        raise ValueError(_nobody_left(split, whole, log))
    return split_rows(name, catalog, log, first, user_ids, truth, background, asked)


def _nobody_left(split: SplitRule, whole: InteractionLog, log: InteractionLog) -> str:
    """Why a cold split has nothing to ask, and what to do."""
    of = ""
    if split == "cold_items":
        of = f" of cold items ({int(cold_items(whole).sum())} of {len(np.unique(whole.items))})"
    return (
        f'split="{split}" wanted later ratings{of} to ask about, got none among the {len(log)} rows'
        f' of {log.num_users} people; bring more ratings, lower fraction, or take split="time"'
    )


def cold_items(log: InteractionLog) -> BoolArray:
    """(num_items,) a tenth of the items of a whole log, by lot; the same whoever is drawn from it.

    The items that are rated at all get a draw each, in the order of the catalogue.
    """
    rated = np.unique(log.items)
    found = np.zeros(log.num_items, dtype=bool)
    found[rated] = np.random.default_rng(_COLD_SEED).random(len(rated)) < _COLD_SHARE
    return found


def split_rows(
    name: str,
    catalog: Catalog,
    log: InteractionLog,
    first: BoolArray,
    user_ids: tuple[str, ...],
    truth: WorldTruth | None = None,
    background: InteractionLog | None = None,
    asked: BoolArray | None = None,
) -> Dataset:
    """A data set whose training rows are those of ``first`` (r,), and test rows those of ``asked``.

    Averages are of training rows and ``background``; ``asked`` None = all rows but the first.
    """
    train, test = log.take(first), log.take(~first if asked is None else asked)
    averages = ItemAverages.of(stacked(train, background), catalog)
    return Dataset(name, catalog, averages, train, test, user_ids, truth, background)
