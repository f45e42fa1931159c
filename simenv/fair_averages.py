"""What the average person would give each item: historical averages made comparable.

A raw average mixes the item with who happened to rate it, and says little where votes are few. Here
the raters' generosity is taken out, and items with few votes are drawn towards what items of their
genres, years and popularity get. Training rows only, like every other average.
"""

import numpy as np

from simenv.events import FloatArray, IntArray, InteractionLog

_PRIOR_VOTES = 8.0  # votes that the expectation from the item's attributes is worth
_USER_PRIOR_VOTES = 5.0  # ratings that the prior of no generosity is worth
_RIDGE = 100.0  # votes against which an attribute has to show that it matters
_NUM_ROUNDS = 8


def fair_averages(log: InteractionLog, genres: FloatArray, years: IntArray) -> FloatArray:
    """Stars (num_items,) that a person of average generosity would give, also for unrated items.

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
