"""The ceiling of a made world: what the best reader of its log could know, by a Gaussian process.

It is told every attribute and the true variances, never a taste, a quality or who decides how. With
one way of deciding it is exact: the posterior of the linear model in ``TasteStructure``, where a
star counts as its utility with the noise of rounding. With several, everybody's way is inferred
from their own ratings, given what all others say of the items, and predictions are averaged.

Selection is left as it is in the log: that people met what they expected to like tells this reader
nothing. So it is a ceiling for people who have rated a few dozen items and for what is put before
them; of a newcomer's own choices it expects too little.

Letters: ``n`` users, ``i`` items, ``r`` rows of one user, ``f`` features, ``w`` ways.
"""

import itertools
from typing import NamedTuple, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

from simenv.data.worlds.taste_structure import TasteStructure
from simenv.events import FloatArray, IntArray, InteractionLog

_EDGES = np.array([1.5, 2.5, 3.5, 4.5])  # a rating is the nearest star
_ROUNDING = 1 / 12  # variance of the nearest whole number
_ROUNDS = 3  # ways and qualities are inferred in turn; later ones change nothing to speak of


class Beliefs(NamedTuple):
    """Means and variances (n, i) of utilities, in stars."""

    means: FloatArray
    variances: FloatArray


class PerfectReader:
    """A ``RatingPredictor`` that knows how the world was made.

    Args:
        structure: of the world; ``structure.reading_only(("genres", "era"))`` gives a reader of
            less.
    """

    def __init__(self, structure: TasteStructure) -> None:
        self.structure = structure
        self._features = [structure.features(way) for way in structure.ways]
        self._noise = structure.noise_sd**2 + _ROUNDING

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; the log is not changed."""
        self._rows = [slice(*ends) for ends in itertools.pairwise(log.offsets())]
        self._items = log.items
        self._centred = log.ratings - self.structure.mean_rating
        self._believed: Beliefs | None = None
        shares = np.array([way.share for way in self.structure.ways])
        self.ways = np.tile(shares / shares.sum(), (log.num_users, 1))  # (n, w) probabilities
        for _ in range(_ROUNDS if len(shares) > 1 else 1):
            self._learn_quality()
            self.ways = np.stack([self._ways_of(user) for user in range(log.num_users)])
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Expected stars for users and items of one (broadcast) shape, which is the result's."""
        believed = self.beliefs()
        return self._expected(believed.means[users, items], believed.variances[users, items])

    def beliefs(self) -> Beliefs:
        """Posterior of every utility; with several ways, the moments of their mixture."""
        if self._believed is None:
            found = [self._mixed(user) for user in range(len(self._rows))]
            self._believed = Beliefs(*(np.stack(part) for part in zip(*found, strict=True)))
        return self._believed

    def _learn_quality(self) -> None:
        """Posterior mean (i,) and covariance (i, i) of qualities, given who decides how.

        Where somebody's way is in doubt, kernels are averaged, and so is the weight of quality;
        what that weight varies by is noise.
        """
        size = len(self._features[0])
        weights = np.array([way.quality for way in self.structure.ways])
        precision = np.eye(size) / max(self.structure.quality_sd, 1e-6) ** 2
        pull = np.zeros(size)
        for rows, chances in zip(self._rows, self.ways, strict=True):
            own = self._items[rows]
            weight = chances @ weights
            doubt = (chances @ weights**2 - weight**2) * self.structure.quality_sd**2
            factor = cho_factor(self._kernel(own, chances, self._noise + doubt))
            inverse = cho_solve(factor, np.eye(len(own)))
            precision[np.ix_(own, own)] += weight**2 * inverse
            pull[own] += weight * cho_solve(factor, self._centred[rows])
        self.quality_covariance = np.linalg.inv(precision)
        self.quality = self.quality_covariance @ pull

    def _kernel(self, own: IntArray, chances: FloatArray, noise: float) -> FloatArray:
        """(r, r) covariance of ratings of items (r,) by who decides so with chances (w,)."""
        kernel = noise * np.eye(len(own))
        for chance, features in zip(chances, self._features, strict=True):
            kernel += chance * features[own] @ features[own].T
        return kernel

    def _ways_of(self, user: int) -> FloatArray:
        """(w,) how likely each way of deciding is, by the user's own ratings."""
        rows = self._rows[user]
        own = self._items[rows]
        scores = np.zeros(len(self.structure.ways))
        for w, (way, features) in enumerate(zip(self.structure.ways, self._features, strict=True)):
            kernel = features[own] @ features[own].T + self._noise * np.eye(len(own))
            kernel += way.quality**2 * self.quality_covariance[np.ix_(own, own)]
            rest = self._centred[rows] - way.quality * self.quality[own]
            factor = cho_factor(kernel, lower=True)
            surprise = rest @ cho_solve(factor, rest) / 2 + np.log(np.diag(factor[0])).sum()
            scores[w] = np.log(way.share) - surprise
        chances = np.exp(scores - scores.max())
        return np.asarray(chances / chances.sum())

    def _of_way(self, user: int, w: int) -> tuple[FloatArray, FloatArray]:
        """Means and variances (i,) of a user's utilities if they decide in way ``w``."""
        way, features = self.structure.ways[w], self._features[w]
        own = self._items[self._rows[user]]
        shared = features @ features[own].T  # (i, r)
        factor = cho_factor(features[own] @ features[own].T + self._noise * np.eye(len(own)))
        gain = cho_solve(factor, shared.T).T  # (i, r)
        rest = self._centred[self._rows[user]] - way.quality * self.quality[own]
        means = self.structure.mean_rating + way.quality * self.quality + gain @ rest
        personal = (features**2).sum(axis=1) - (gain * shared).sum(axis=1)
        doubt = self.quality_covariance
        common = np.diag(doubt) - 2 * (doubt[:, own] * gain).sum(axis=1)
        common = common + ((gain @ doubt[np.ix_(own, own)]) * gain).sum(axis=1)
        return means, np.maximum(personal + way.quality**2 * common, 0.0)

    def _mixed(self, user: int) -> tuple[FloatArray, FloatArray]:
        parts = [self._of_way(user, w) for w in range(len(self.structure.ways))]
        means, variances = (np.stack(part) for part in zip(*parts, strict=True))
        mean = self.ways[user] @ means
        return mean, self.ways[user] @ (variances + means**2) - mean**2

    def _expected(self, means: FloatArray, variances: FloatArray) -> FloatArray:
        """Stars expected of normal utilities: the nearest ones, never below 1 or above 5."""
        spread = np.sqrt(variances + self.structure.noise_sd**2)
        return np.asarray(1 + sum(ndtr((means - edge) / spread) for edge in _EDGES))
