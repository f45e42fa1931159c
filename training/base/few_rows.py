"""Leaves some people of a training world few ratings, so that a model learns to answer for them.

What is cut is gone everywhere: averages, profiles, memories and vectors are made of what is left.
Later rows stay, so that people are asked about what they gave all the same.
"""

from dataclasses import dataclass, replace

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import IntArray
from simenv.item_averages import ItemAverages
from simenv.ranges import check_number
from simenv.seeding import Stream, generator


@dataclass(frozen=True)
class FewRows:
    """A ``share`` of the people keeps between ``least`` and ``most`` of their training rows.

    Who is cut, and to how many rows, is drawn for each independently; numbers have chances
    proportional to one over themselves, so that 5 to 10 are as likely as 30 to 60. Who has fewer
    rows than were drawn keeps all.
    """

    share: float = 0.0  # of the people, in [0, 1]
    least: int = 5
    most: int = 60

    def __post_init__(self) -> None:
        check_number("few rows", "share", self.share, "[0, 1]", "it is a share of the people")
        for name in ("least", "most"):
            check_number("few rows", name, getattr(self, name), "whole [1, 1e6]")
        if self.least > self.most:
            raise ValueError(
                f"few rows wanted least at or below most, got {self.least} and {self.most};"
                " lower the one or raise the other"
            )

    def __call__(self, dataset: Dataset, seed: int) -> Dataset:
        """The data set without the rows that are cut by ``seed``; its test rows are all there."""
        if not self.share:
            return dataset
        rng = generator(seed, Stream.FEW_ROWS)
        numbers = np.arange(self.least, self.most + 1)
        chances = 1 / numbers
        drawn = rng.choice(numbers, dataset.num_users, p=chances / chances.sum())
        cut = rng.random(dataset.num_users) < self.share
        return first_rows_known(dataset, np.where(cut, drawn, len(dataset.train)))


def first_rows_known(dataset: Dataset, most: IntArray) -> Dataset:
    """The data set as if only the first ``most`` (n,) training rows of each person had been given.

    Nobody's averages hold the others; test rows, background and truth stay as they are.
    """
    log = dataset.train
    place = np.arange(len(log)) - log.offsets()[log.users]
    train = log.take(place < most[log.users])
    averages = ItemAverages.of(stacked(train, dataset.background), dataset.catalog)
    return replace(dataset, train=train, averages=averages)
