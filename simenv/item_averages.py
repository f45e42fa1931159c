"""What the people of a log made of every item: means, counts and fair averages.

They belong to a log, unlike the facts of a ``Catalog``. Who makes them gives training rows only, so
that they never see a later row; ``simenv.data`` does.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from simenv.catalog import Catalog
from simenv.events import NUM_STARS, FloatArray, IntArray, InteractionLog
from simenv.values.column_checks import numbers, one_length, whole_numbers

_PRIOR_VOTES = 8.0  # votes that the expectation from the item's attributes is worth
_USER_PRIOR_VOTES = 5.0  # ratings that the prior of no generosity is worth
_RIDGE = 100.0  # votes against which an attribute has to show that it matters
_NUM_ROUNDS = 8


@dataclass(frozen=True)
class ItemAverages:
    """Three numbers an item, in the order of the catalogue.

    Raises:
        ValueError: the columns differ in length, or a cell is no number in its range.
    """

    means: FloatArray  # (num_items,) stars in [1, 5]; 0 = nobody rated it yet
    counts: IntArray  # (num_items,) ratings
    fair: FloatArray  # (num_items,) stars in [1, 5], also of unrated items; see ``fair_averages``

    def __post_init__(self) -> None:
        sizes = {column.name: len(getattr(self, column.name)) for column in fields(self)}
        one_length(sizes, "ItemAverages", "give one number an item")
        means = numbers(self.means, "average", 0, NUM_STARS)
        unreal = (means > 0) & (means < 1)
        if unreal.any():
            row = int(np.flatnonzero(unreal)[0])
            raise ValueError(
                f"average wanted 0 or stars in [1, {NUM_STARS}], got {means[row]} in row {row};"
                " 0 stands for an item that nobody rated"
            )
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "counts", whole_numbers(self.counts, "count", 0))
        object.__setattr__(self, "fair", numbers(self.fair, "fair average", 1, NUM_STARS))

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def of(cls, log: InteractionLog, catalog: Catalog) -> Self:
        """The averages of all rows of ``log``, whose items are those of ``catalog``."""
        counts = np.bincount(log.items, minlength=len(catalog)).astype(np.int64)
        sums = np.bincount(log.items, weights=log.ratings, minlength=len(catalog))
        means = np.divide(sums, counts, out=np.zeros(len(catalog)), where=counts > 0)
        return cls(means, counts, fair_averages(log, catalog.genre_matrix, catalog.years))


def fair_averages(log: InteractionLog, genres: FloatArray, years: IntArray) -> FloatArray:
    """Stars (num_items,) that a person of average generosity would give, also for unrated items.

    A mean mixes the item with who happened to rate it, and says little where votes are few. Here
    the raters' generosity is taken out, and items with few votes are drawn towards what items of
    their genres, years and popularity get:

    rating = mean + generosity of the user + attributes of the item + what is its own, fitted in
    turns: ridge regression on the attributes, shrunken means for the rest.

    Args:
        log: training rows; unchanged. An empty log gives 3 everywhere.
        genres: (num_items, num_genres) 1 where the item has the genre.
        years: (num_items,) 0 = unknown.
    """
    if not len(log):
        return np.full(log.num_items, 3.0)
    votes = np.bincount(log.items, minlength=log.num_items).astype(np.float64)
    attributes = _attributes(genres, years, votes)
    weights = votes * _PRIOR_VOTES / (votes + _PRIOR_VOTES)
    weighted = attributes.T * weights
    gram = weighted @ attributes + _RIDGE * np.eye(attributes.shape[1])
    ratings_of_users = np.bincount(log.users, minlength=log.num_users) + _USER_PRIOR_VOTES
    centred = log.ratings - log.ratings.mean()
    generosity, effects = np.zeros(log.num_users), np.zeros(log.num_items)
    for _ in range(_NUM_ROUNDS):
        sums = np.bincount(log.items, centred - generosity[log.users], log.num_items)
        means = np.divide(sums, votes, out=np.zeros_like(sums), where=votes > 0)
        expected = attributes @ np.linalg.solve(gram, weighted @ means)
        effects = (sums + _PRIOR_VOTES * expected) / (votes + _PRIOR_VOTES)
        rest = np.bincount(log.users, centred - effects[log.items], log.num_users)
        generosity = rest / ratings_of_users
    return np.asarray(np.clip(log.ratings.mean() + effects, 1.0, 5.0))


def _attributes(genres: FloatArray, years: IntArray, votes: FloatArray) -> FloatArray:
    """(num_items, num_genres + 3) standardised; a column that never varies is all 0."""
    known = years > 0
    middle = years[known].mean() if known.any() else 0.0
    age = np.where(known, years - middle, 0.0)
    popularity = np.log1p(votes)
    columns = np.column_stack([genres, age, popularity, (popularity - popularity.mean()) ** 2])
    columns -= columns.mean(axis=0)
    spread = columns.std(axis=0)
    varying = spread > 1e-9
    return np.asarray(np.divide(columns, spread, out=np.zeros_like(columns), where=varying))
