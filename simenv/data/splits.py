"""Splits that cannot leak: each user's rows are split in time, averages use the first part only."""

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.events import BoolArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.user_model import WorldTruth


def is_training_row(log: InteractionLog, fraction: float = 0.6) -> BoolArray:
    """(r,) true for the first ⌈fraction · n⌉ rows of every user, in time order."""
    if not 0 < fraction <= 1:
        raise ValueError(f"split fraction must lie in (0, 1], got {fraction}; try 0.6")
    offsets = log.offsets()
    position = np.arange(len(log)) - offsets[log.users]
    # Rounding first keeps 0.6 * 5 from becoming 3.0000000000000004 and then 4.
    first = np.ceil(np.round(fraction * np.diff(offsets), 9))
    return np.asarray(position < first[log.users])


def temporal_split(
    log: InteractionLog, fraction: float = 0.6
) -> tuple[InteractionLog, InteractionLog]:
    """Split every user's history in time: (first part, rest)."""
    first = is_training_row(log, fraction)
    return log.take(first), log.take(~first)


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
) -> Dataset:
    """Split ``log`` in time; averages are of training rows and ``background``."""
    train, test = temporal_split(log, fraction)
    averages = ItemAverages.of(stacked(train, background), catalog)
    return Dataset(name, catalog, averages, train, test, user_ids, truth, background)
