"""Are simulated people kinder, more alike or choosier than real ones, on the very same items?

Language models tend to answer as one positive average person. Everything here compares chances with
ratings of the same rows, so that what was recommended plays no part. Arrays in, numbers out.

Letters: ``r`` rows, ``n`` people, ``g`` genres.
"""

from typing import NamedTuple

import numpy as np

from simenv.events import NUM_STARS, STARS, FloatArray, IntArray

_LIKED = 4  # stars from which on somebody likes an item
_LOW = 2  # stars up to which a rating is a bad one


class UtopianBias(NamedTuple):
    """How the ratings of simulated people differ from real ones; NaN where nothing can be said."""

    ks: float  # largest gap between the cumulative shares of stars, in [0, 1]
    wasserstein: float  # stars that the mean rating has to be moved, in [0, 4]
    mean_shift: float  # stars, simulated minus real
    low_share: float  # of simulated ratings of one and two stars
    real_low_share: float
    variance_ratio: float  # between people: variance of their mean ratings, simulated / real
    genre_gap: float  # of liked ratings' genre shares: half the sum of absolute gaps, in [0, 1]
    agreement: float  # who is like whom: correlation of both matrices of similarity, in [-1, 1]


def utopian_bias(
    chances: FloatArray,
    ratings: FloatArray,
    users: IntArray,
    items: IntArray,
    genre_shares: FloatArray,
) -> UtopianBias:
    """The panel of rows (r,) that were rated.

    Args:
        chances: (r, 5) distributions of the simulated people.
        ratings: (r,) whole stars that the real ones gave.
        users: (r,) whose rows they are.
        items: (r,) what was rated.
        genre_shares: (num_items, g), see ``Catalog.genre_shares``.
    """
    real = (ratings.round()[:, None] == STARS).astype(np.float64)
    said, came = chances.mean(axis=0), real.mean(axis=0)
    gaps = np.abs(np.cumsum(said - came))
    return UtopianBias(
        ks=float(gaps.max()),
        wasserstein=float(gaps.sum()),
        mean_shift=float((said - came) @ STARS),
        low_share=float(said[:_LOW].sum()),
        real_low_share=float(came[:_LOW].sum()),
        variance_ratio=variance_ratio(chances, ratings, users),
        genre_gap=_genre_gap(chances, real, genre_shares[items]),
        agreement=_agreement(chances @ STARS, ratings, users, genre_shares[items]),
    )


def variance_ratio(chances: FloatArray, ratings: FloatArray, users: IntArray) -> float:
    """Variance over people of their mean rating: simulated / real; NaN for fewer than two people.

    The simulated one is what it would be on average if every rating was drawn from its chances, as
    real ratings are draws too: variance of the expected means, and the mean of their own variances.
    """
    _, index = np.unique(users, return_inverse=True)
    counts = np.bincount(index)
    if len(counts) < 2:
        return float("nan")
    expected = chances @ STARS
    noise = chances @ STARS**2 - expected**2
    own = np.bincount(index, noise) / counts**2
    simulated = np.var(np.bincount(index, expected) / counts, ddof=1) + own.mean()
    real = np.var(np.bincount(index, ratings) / counts, ddof=1)
    return float(simulated / real) if real > 0 else float("nan")


def _genre_gap(chances: FloatArray, real: FloatArray, shares: FloatArray) -> float:
    """Half the sum of gaps between the genre shares of what is liked; NaN if nothing is."""
    found = []
    for stars in (chances, real):
        liked = stars[:, _LIKED - 1 : NUM_STARS].sum(axis=1) @ shares
        found.append(liked / liked.sum() if liked.sum() > 0 else np.full(len(liked), np.nan))
    return float(np.abs(found[0] - found[1]).sum() / 2) if shares.shape[1] else float("nan")


def _agreement(said: FloatArray, ratings: FloatArray, users: IntArray, shares: FloatArray) -> float:
    """Correlation, over pairs of people, of their similarity simulated and real.

    A person is their mean stars above their own mean in every genre; similarity is the product of
    two such vectors, each of length 1. NaN for fewer than three people, or where nothing varies.
    """
    matrices = [_similarities(stars, users, shares) for stars in (said, ratings)]
    pairs = np.triu_indices(len(matrices[0]), k=1)
    one, other = (matrix[pairs] for matrix in matrices)
    if len(one) < 3 or one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _similarities(stars: FloatArray, users: IntArray, shares: FloatArray) -> FloatArray:
    """(n, n) how alike people are in what genres they rate above their own mean."""
    _, index = np.unique(users, return_inverse=True)
    size = int(index.max(initial=-1)) + 1
    means = np.bincount(index, stars, size) / np.maximum(np.bincount(index, minlength=size), 1)
    sums, weights = np.zeros((size, shares.shape[1])), np.zeros((size, shares.shape[1]))
    np.add.at(sums, index, (stars - means[index])[:, None] * shares)
    np.add.at(weights, index, shares)
    tastes = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
    lengths = np.linalg.norm(tastes, axis=1, keepdims=True)
    tastes = np.divide(tastes, lengths, out=np.zeros_like(tastes), where=lengths > 1e-9)
    return np.asarray(tastes @ tastes.T)
