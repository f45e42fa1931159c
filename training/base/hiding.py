"""Hides ratings and texts of some items of a training world, so that a model learns to do without.

An item whose ratings are hidden is as an item that nobody has rated yet: it stands in no average,
no memory and no profile, and questions about it are still asked. Trained on rated items alone, a
model answers about new ones worse than a constant would.
"""

from dataclasses import astuple, dataclass, replace
from typing import TypeVar

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import BoolArray
from simenv.item_averages import ItemAverages
from simenv.ranges import check_number
from simenv.seeding import Stream, generator

Cell = TypeVar("Cell")


@dataclass(frozen=True)
class Hiding:
    """Shares of the items of a world, each in [0, 1), drawn independently."""

    items: float = 0.0  # whose ratings are hidden, so average, count and memories are too
    summaries: float = 0.0
    casts: float = 0.0

    def __post_init__(self) -> None:
        for name in ("items", "summaries", "casts"):
            check_number("hiding", name, getattr(self, name), "[0, 1)", "it is a share")

    def __call__(self, dataset: Dataset, seed: int) -> Dataset:
        """The data set without what is hidden by ``seed``; its test rows are all there."""
        if not any(astuple(self)):
            return dataset
        draws = generator(seed, Stream.HIDDEN).random((3, dataset.num_items))
        unrated, silent, castless = draws < np.array(astuple(self))[:, None]
        catalog = replace(
            dataset.catalog,
            summaries=_without(dataset.catalog.summaries, silent, ""),
            casts=_without(dataset.catalog.casts, castless, ()),
        )
        train, background = dataset.train.take(~unrated[dataset.train.items]), dataset.background
        if background is not None:
            background = background.take(~unrated[background.items])
        averages = ItemAverages.of(stacked(train, background), catalog)
        return replace(
            dataset, catalog=catalog, train=train, background=background, averages=averages
        )


def _without(column: tuple[Cell, ...], hidden: BoolArray, nothing: Cell) -> tuple[Cell, ...]:
    return tuple(nothing if gone else cell for cell, gone in zip(column, hidden, strict=True))
