"""What an item's facts and words say of it, and each person's taste for genres: a ridge regression.

The bar for items that nobody has rated yet. It learns from the log it is given and the catalogue.

Letters: ``i`` items, ``k`` items of the log, ``r`` rows, ``g`` genres, ``w`` words or names.
"""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from simenv.catalog import Catalog
from simenv.events import NUM_STARS, FloatArray, IntArray, InteractionLog

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_YEARS = 8.0  # over which what an era is worth stays alike
_USER_SHRINKAGE = 5.0  # ratings that the prior of no generosity is worth
_TASTE_SHRINKAGE = 8.0  # of a person's taste for genres
_NUM_ROUNDS = 4


class ContentRidge:
    """Mean + generosity + (genres, era, people, plot and what is the item's own) + personal genres.

    What an item is worth is normal with covariance ``kernel``, a sum of what two items share, which
    is ridge regression on indicators of genres and people and on TF-IDF of summaries, each part
    with a penalty of its own. Directors count where the catalogue's cast names them. A rating
    counts as the item's worth with variance ``rating_variance``: large, because questions are asked
    of rows, and what many have rated is asked about more.

    Args:
        catalog: of the log's items.
        genre, era, people, plot, own: variances of the parts, in squared stars.
        rating_variance: see above.
    """

    def __init__(
        self,
        catalog: Catalog,
        genre: float = 0.03,
        era: float = 0.1,
        people: float = 0.02,
        plot: float = 0.1,
        own: float = 0.1,
        rating_variance: float = 60.0,
    ) -> None:
        self._genres = catalog.genre_shares - catalog.genre_shares.mean(axis=0)
        self._variance = rating_variance
        years = np.asarray(catalog.years, dtype=np.float64)
        apart = (years[:, None] - years) / _YEARS
        known = (years > 0)[:, None] & (years > 0)
        self.kernel = genre * catalog.genre_matrix @ catalog.genre_matrix.T
        self.kernel += era * known * np.exp(-(apart**2) / 2)
        self.kernel += people * _alike(_names(catalog)) + plot * _alike(_words(catalog))
        self.kernel += own * np.eye(len(catalog))

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; the log is not changed."""
        self.mean = float(log.ratings.mean()) if len(log) else (1 + NUM_STARS) / 2
        centred = log.ratings - self.mean
        counts = np.bincount(log.items, minlength=log.num_items)
        rated = np.flatnonzero(counts)
        kernel = self.kernel[np.ix_(rated, rated)] + np.diag(self._variance / counts[rated])
        factor = cho_factor(kernel) if len(rated) else None
        ratings_of_users = np.bincount(log.users, minlength=log.num_users) + _USER_SHRINKAGE
        self.generosity, self.worth = np.zeros(log.num_users), np.zeros(log.num_items)
        for _ in range(_NUM_ROUNDS if factor else 0):
            rest = np.bincount(log.items, centred - self.generosity[log.users], log.num_items)
            weights = cho_solve(factor, rest[rated] / counts[rated])
            self.worth = self.kernel[:, rated] @ weights
            rest = np.bincount(log.users, centred - self.worth[log.items], log.num_users)
            self.generosity = rest / ratings_of_users
        self.tastes = self._tastes(
            log, centred - self.worth[log.items] - self.generosity[log.users]
        )
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars in [1, 5] for users and items of one (broadcast) shape, which is the result's."""
        taste = (self.tastes[users] * self._genres[items]).sum(axis=-1)
        stars = self.mean + self.generosity[users] + self.worth[items] + taste
        return np.asarray(np.clip(stars, 1.0, NUM_STARS))

    def _tastes(self, log: InteractionLog, rest: FloatArray) -> FloatArray:
        """(num_users, g) a ridge regression of the rest (r,) on genres, one a user."""
        offsets, size = log.offsets(), self._genres.shape[1]
        tastes = np.zeros((log.num_users, size))
        for user in np.flatnonzero(np.diff(offsets)):
            rows = slice(offsets[user], offsets[user + 1])
            own = self._genres[log.items[rows]]
            gram = own.T @ own + _TASTE_SHRINKAGE * np.eye(size)
            tastes[user] = np.linalg.solve(gram, own.T @ rest[rows])
        return tastes


def _alike(features: "csr_matrix") -> FloatArray:
    """(i, i) what every two items share."""
    return np.asarray((features @ features.T).toarray())


def _names(catalog: Catalog) -> "csr_matrix":
    """(i, w) who is in what; only people of two items or more."""
    from sklearn.feature_extraction.text import CountVectorizer  # heavy, and few need it

    return _counted(CountVectorizer(analyzer=list, min_df=2, binary=True), list(catalog.casts))


def _words(catalog: Catalog) -> "csr_matrix":
    """(i, w) TF-IDF of summaries, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    plots = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=3)
    return _counted(plots, list(catalog.summaries))


def _counted(vectorizer: Any, texts: list[Any]) -> "csr_matrix":
    """The features of texts; none where no word occurs often enough."""
    from scipy.sparse import csr_matrix

    try:
        return csr_matrix(vectorizer.fit_transform(texts), dtype=np.float64)
    except ValueError:  # an empty vocabulary, or one of stop words alone
        return csr_matrix((len(texts), 1), dtype=np.float64)
