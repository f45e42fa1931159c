"""The linking test: from a profile's words, which of several people gave these ratings?

A reader that is no language model learns on *other* people what profiles say of later ratings:
TF-IDF of the words, and the vectors of the titles that stand in quotation marks, by ridge. Then it
meets a profile of each of several people and the later ratings of one of them, and takes the person
whose predicted ratings are nearest. Chance is one over the people.

Letters: ``n`` people, ``d`` numbers an item, ``h`` = 2 + 2d, ``s`` sets of ``k`` people.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simenv.events import FloatArray, IntArray, InteractionLog

_TITLE = re.compile(r'"([^"]+)"')
_WORD = r"[+-]?\d\.\d|\w\w+"
_MOST_WORDS = 4000
_RIDGE = 20.0
_TITLE_WEIGHT = 0.1  # of a standard deviation of a title's vector beside a word of length 1
_SHRINK = 0.05  # of the unit matrix in the covariance of the errors


def ratings_as_numbers(log: InteractionLog, vectors: FloatArray) -> FloatArray:
    """(n, h) what somebody gave: mean and spread of the stars, what they chose, what they liked.

    What was chosen is the mean vector of the items; what was liked the mean of the vectors weighted
    by stars above the person's own mean. A person without rows has zeros.

    Args:
        log: of n people; how many ratings each has is not told.
        vectors: (num_items, d), of no rating in ``log``.
    """
    from scipy.sparse import csr_matrix

    rows = np.bincount(log.users, minlength=log.num_users)
    counts = np.maximum(rows, 1).astype(np.float64)[:, None]
    mean = np.bincount(log.users, log.ratings, log.num_users)[:, None] / counts
    above = log.ratings - mean[log.users, 0]
    spread = np.sqrt(np.bincount(log.users, above**2, log.num_users)[:, None] / counts)
    shape = log.num_users, log.num_items
    places = log.users, log.items
    chosen = csr_matrix((np.ones(len(log)), places), shape=shape) @ vectors / counts
    liked = csr_matrix((above, places), shape=shape) @ vectors / counts
    return np.hstack([mean, spread, chosen, liked])


class Linker:
    """Predicts from numbers told of people, ``f`` each, what they will rate, and how: by ridge."""

    def __init__(self) -> None:
        self._ridge: Any = None  # scikit-learn's, once fitted

    def fit(self, told: FloatArray, given: FloatArray) -> "Linker":
        """Learn from what is told (n, f) of others and what they gave (n, h).

        Raises:
            ValueError: fewer than two people.
        """
        from sklearn.linear_model import Ridge

        if len(told) < 2:
            raise ValueError(f"a reader wanted two others to learn from or more, got {len(told)}")
        self._mean, self._scale = given.mean(axis=0), given.std(axis=0) + 1e-9
        wanted = (given - self._mean) / self._scale
        self._ridge = Ridge(_RIDGE, solver="cholesky").fit(told, wanted)
        errors = wanted - self._ridge.predict(told)
        covariance = np.atleast_2d(np.cov(errors.T)) + _SHRINK * np.eye(errors.shape[1])
        self._whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return self

    def scores(self, told: FloatArray, given: FloatArray) -> FloatArray:
        """(n, n) how well what is told of each (rows) fits what each gave (columns, (n, h))."""
        said = self._ridge.predict(told) @ self._whiten
        done = ((given - self._mean) / self._scale) @ self._whiten
        return np.asarray(-((said[:, None] - done[None]) ** 2).sum(axis=-1))


class ProfileReader:
    """Predicts from a profile what its owner will rate, and how.

    Args:
        titles: title → item, as profiles quote them.
        vectors: (num_items, d).
    """

    def __init__(self, titles: Mapping[str, int], vectors: FloatArray) -> None:
        self._titles, self._vectors = titles, vectors
        self._words: Any = None  # scikit-learn's, once fitted
        self._linker = Linker()

    def fit(self, profiles: Sequence[str], given: FloatArray) -> "ProfileReader":
        """Learn from profiles (n,) of others and what they gave (n, h).

        Raises:
            ValueError: fewer than two people, or profiles without a word.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._words = TfidfVectorizer(
            token_pattern=_WORD,
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=min(10, max(1, len(profiles) // 10)),
            max_features=_MOST_WORDS,
        ).fit(_without_titles(profiles))
        named = self._named(profiles)
        self._middle, self._spread = named.mean(axis=0), named.std(axis=0) + 1e-9
        self._linker.fit(self._told(profiles), given)
        return self

    def scores(self, profiles: Sequence[str], given: FloatArray) -> FloatArray:
        """(n, n) how well each profile (rows) fits what each person gave (columns, (n, h))."""
        return self._linker.scores(self._told(profiles), given)

    def _told(self, profiles: Sequence[str]) -> FloatArray:
        named = (self._named(profiles) - self._middle) / self._spread
        words = self._words.transform(_without_titles(profiles)).toarray()
        return np.hstack([words, _TITLE_WEIGHT * named])

    def _named(self, profiles: Sequence[str]) -> FloatArray:
        """(n, d + 1) mean vector of the titles that each profile names, and whether it has any."""
        found = np.zeros((len(profiles), self._vectors.shape[1] + 1))
        for row, profile in enumerate(profiles):
            items = [self._titles[t] for t in _TITLE.findall(profile) if t in self._titles]
            if items:
                found[row] = [*self._vectors[items].mean(axis=0), 1.0]
        return found


def _without_titles(profiles: Sequence[str]) -> list[str]:
    return [_TITLE.sub("", profile) for profile in profiles]


def linked(scores: FloatArray, sets: IntArray) -> FloatArray:
    """(s, k) 1 where, among a set's people, somebody's own profile fits best what they gave.

    Ties count in part: two profiles that fit alike are right half the time.

    Args:
        scores: (n, n), profiles by people.
        sets: (s, k) the people of each set, all different.
    """
    found = np.zeros(sets.shape)
    for row, people in enumerate(sets):
        table = scores[np.ix_(people, people)]
        best = table == table.max(axis=0)
        found[row] = np.diag(best) / best.sum(axis=0)
    return found


def by_person(hits: FloatArray, sets: IntArray, num_people: int) -> FloatArray:
    """(n,) share of a person's sets in which they were found; NaN for who is in none."""
    sums = np.bincount(sets.ravel(), hits.ravel(), num_people)
    counts = np.bincount(sets.ravel(), minlength=num_people)
    unknown = np.full(num_people, np.nan)
    return np.asarray(np.divide(sums, counts, out=unknown, where=counts > 0))
