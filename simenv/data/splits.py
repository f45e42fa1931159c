"""Splits that cannot leak: each user's rows in time or by lot, averages of the first part only."""

from typing import Literal, get_args

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.events import BoolArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.user_model import WorldTruth

SplitRule = Literal["time", "lot"]


def is_training_row(
    log: InteractionLog, fraction: float = 0.6, split: SplitRule = "time", seed: int = 0
) -> BoolArray:
    """(r,) true for ⌈fraction · n⌉ rows of every user: the first in time, or drawn by ``seed``.

    A row's lot depends on the seed, the user and the item, not on where the row stands.

    Raises:
        ValueError: a fraction outside (0, 1], or an unknown split.
    """
    if split not in get_args(SplitRule):
        raise ValueError(f'split must be "time" or "lot", got {split!r}')
    if not 0 < fraction <= 1:
        raise ValueError(f"split fraction must lie in (0, 1], got {fraction}; try 0.6")
    offsets = log.offsets()
    position = _places(log, split, seed) - offsets[log.users]
    # Rounding first keeps 0.6 * 5 from becoming 3.0000000000000004 and then 4.
    first = np.ceil(np.round(fraction * np.diff(offsets), 9))
    return np.asarray(position < first[log.users])


def temporal_split(
    log: InteractionLog, fraction: float = 0.6
) -> tuple[InteractionLog, InteractionLog]:
    """Split every user's history in time: (first part, rest)."""
    first = is_training_row(log, fraction)
    return log.take(first), log.take(~first)


def _places(log: InteractionLog, split: SplitRule, seed: int) -> IntArray:
    """(r,) where each row stands when the rows of every user are sorted by the rule."""
    if split == "time":
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
    """Split ``log`` in time or by lot; averages are of training rows and ``background``."""
    first = is_training_row(log, fraction, split, seed)
    return split_rows(name, catalog, log, first, user_ids, truth, background)


def split_rows(
    name: str,
    catalog: Catalog,
    log: InteractionLog,
    first: BoolArray,
    user_ids: tuple[str, ...],
    truth: WorldTruth | None = None,
    background: InteractionLog | None = None,
) -> Dataset:
    """A data set whose training rows are those of ``first`` (r,), and whose test rows all others.

    Averages are of training rows and ``background``.
    """
    train, test = log.take(first), log.take(~first)
    averages = ItemAverages.of(stacked(train, background), catalog)
    return Dataset(name, catalog, averages, train, test, user_ids, truth, background)
