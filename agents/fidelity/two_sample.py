"""Can a classifier tell simulated trajectories from real ones? AUC 0.5 = it cannot; no LLM judges.

A trajectory is a stretch of consecutive ratings of one person. Real and simulated people rate the
same items, so that a classifier has nothing but the ratings to go by. Its features are named here.

Letters: ``r`` rows, ``t`` trajectories, ``f`` features.
"""

from typing import NamedTuple

import numpy as np

from agents.fidelity.error_measures import auc, interval
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray, SeedArray
from simenv.seeding import Channel, uniforms

FEATURES = (
    *(f"share of {star} stars" for star in range(1, NUM_STARS + 1)),
    "mean",
    "standard deviation",
    "mean change to the next rating, without its sign",
    "correlation with the rating before",
    "correlation with the item's average",
    "correlation with the item's popularity",
    "correlation with the year of the item",
)
_FOLDS = 5
_TREES = 300
_LEAF = 3  # trajectories in a leaf of a tree, at least


class TwoSample(NamedTuple):
    """How well simulated trajectories are told from real ones; NaN with too few people."""

    auc: float
    ci95: list[float]  # people are resampled, with all their trajectories
    num_trajectories: int  # of each kind


def sampled_ratings(chances: FloatArray, seeds: SeedArray) -> FloatArray:
    """Stars (r,) drawn from chances (r, 5), one seed a row."""
    drawn = uniforms(seeds, Channel.TRAJECTORY, 1)
    passed = (np.cumsum(chances, axis=1)[:, :-1] < drawn).sum(axis=1)
    return np.asarray(passed + 1, dtype=np.float64)


def features(
    ratings: FloatArray, users: IntArray, known: FloatArray, length: int
) -> tuple[FloatArray, IntArray]:
    """Features (t, f) of stretches of ``length`` ratings, and whose (t,) they are.

    Args:
        ratings: (r,) in the order in which they were given, people one after the other.
        users: (r,).
        known: (r, 3) average, log popularity and year of the item; 0 where unknown.
        length: rows of a stretch; a rest that is shorter is left out.
    """
    starts = []
    for user in np.unique(users):
        own = np.flatnonzero(users == user)
        starts += [own[i] for i in range(0, len(own) - length + 1, length)]
    rows = np.array(starts, dtype=np.int64)[:, None] + np.arange(length)
    stars = ratings[rows]
    shares = [(stars == star).mean(axis=1) for star in range(1, NUM_STARS + 1)]
    changes = np.abs(np.diff(stars, axis=1)).mean(axis=1) if length > 1 else np.zeros(len(rows))
    columns = [
        *shares,
        stars.mean(axis=1),
        stars.std(axis=1),
        changes,
        _correlations(stars[:, 1:], stars[:, :-1]),
        *(_correlations(stars, known[rows, column]) for column in range(known.shape[1])),
    ]
    return np.column_stack(columns), users[rows[:, 0]] if len(rows) else users[:0]


def _correlations(one: FloatArray, other: FloatArray) -> FloatArray:
    """(t,) of rows (t, length); 0 where one of both does not vary."""
    one = one - one.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    both = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    product = (one * other).sum(axis=1)
    return np.asarray(np.divide(product, both, out=np.zeros_like(both), where=both > 1e-9))


def two_sample(
    real: FloatArray,
    simulated: FloatArray,
    users: IntArray,
    known: FloatArray,
    length: int = 10,
    num_resamples: int = 1000,
) -> TwoSample:
    """A forest of trees on ``FEATURES``, cross-validated in five parts of people.

    Nobody's trajectories are in two parts, so that a person is never recognised.

    Args:
        real: (r,) whole stars, in the order in which they were given, people one after the other.
        simulated: (r,) whole stars for the same rows.
        users: (r,) whose rows they are.
        known: (r, 3), see ``features``.
        length: rows of a trajectory.
        num_resamples: of people, for the interval.
    """
    table, owners = features(real, users, known, length)
    copies = features(simulated, users, known, length)[0]
    people = np.unique(owners)
    if len(people) < 2 * _FOLDS:
        return TwoSample(float("nan"), [float("nan")] * 2, len(owners))
    both, who = np.vstack([table, copies]), np.tile(owners, 2)
    is_simulated = np.arange(len(both)) >= len(table)
    scores = _out_of_fold(both, is_simulated, who)
    rows = [np.flatnonzero(who == person) for person in people]
    rng = np.random.default_rng(0)
    drawn = (np.concatenate([rows[i] for i in rng.integers(0, len(people), len(people))])
             for _ in range(num_resamples))  # fmt: skip
    means = [auc(scores[chosen], is_simulated[chosen]) for chosen in drawn]
    return TwoSample(auc(scores, is_simulated), interval(np.array(means)), len(owners))


def _out_of_fold(table: FloatArray, is_simulated: BoolArray, people: IntArray) -> FloatArray:
    """(t,) chance of being simulated, by trees that have not seen the person."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold

    scores = np.zeros(len(table))
    for learnt, asked in GroupKFold(_FOLDS).split(table, groups=people):
        trees = RandomForestClassifier(_TREES, min_samples_leaf=_LEAF, random_state=0, n_jobs=1)
        trees.fit(table[learnt], is_simulated[learnt])
        scores[asked] = trees.predict_proba(table[asked])[:, 1]
    return scores
