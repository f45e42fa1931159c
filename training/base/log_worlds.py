"""Worlds made of a real log, for training a base model on people who are never evaluated.

A world is a draw of people with a window of each one's rows, split in time as evaluated people are,
and everybody else's rows as the background that averages and relevance are learnt from.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.readers.user_sample import only_drawn
from simenv.data.splits import split_dataset
from simenv.events import InteractionLog
from simenv.seeding import Stream, generator


@dataclass(frozen=True)
class LogWorlds:
    """World number → people drawn from ``log``, with what all the others rated as background.

    Attributes:
        catalog: of the log's items.
        log: rows of people who will not be evaluated, in each one's time order.
        users_per_world: drawn without replacement.
        min_rows: people with fewer rows are background only.
        max_rows: the longest window; shorter ones are drawn too, so that histories vary.
        fraction: of a window that is training rows.
    """

    catalog: Catalog
    log: InteractionLog
    users_per_world: int = 300
    min_rows: int = 60
    max_rows: int = 200
    fraction: float = 0.6

    def __post_init__(self) -> None:
        able = int((np.bincount(self.log.users, minlength=1) >= self.min_rows).sum())
        if able < self.users_per_world:
            raise ValueError(
                f"worlds of a log wanted users_per_world={self.users_per_world} people with at"
                f" least min_rows={self.min_rows} rows, found {able}; lower one of the two"
            )

    def __call__(self, world: int) -> Dataset:
        """The data set of one world; the same for the same number."""
        rng = generator(world, Stream.LOG_WORLD)
        able = np.flatnonzero(np.bincount(self.log.users) >= self.min_rows)
        users = np.sort(rng.choice(able, self.users_per_world, replace=False)).astype(np.int64)
        others = np.setdiff1d(np.arange(self.log.num_users), users).astype(np.int64)
        return split_dataset(
            f"log-world-{world}",
            self.catalog,
            self._windows(only_drawn(self.log, users), rng),
            tuple(str(u) for u in users),
            self.fraction,
            background=only_drawn(self.log, others),
        )

    def _windows(self, log: InteractionLog, rng: np.random.Generator) -> InteractionLog:
        """A stretch of consecutive rows of every user."""
        offsets = log.offsets()
        rows = []
        for start, end in itertools.pairwise(offsets.tolist()):
            size = int(rng.integers(self.min_rows, min(self.max_rows, end - start) + 1))
            first = int(rng.integers(start, end - size + 1))
            rows.append(np.arange(first, first + size))
        return log.take(np.concatenate(rows))
