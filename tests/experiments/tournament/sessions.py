"""Sessions written by hand, for tests of what is computed from them."""

from dataclasses import replace

import numpy as np

from experiments.tournament.sessions import Session
from recommenders.evaluation.session_measures import ItemFacts
from simenv.env.rollout import Rollout


def played(expected, alive=None, ratings=None, items=None, quits=None):
    """A roll-out (n, T, k) of users 0 to n - 1; without ``alive`` everybody stays."""
    expected = np.asarray(expected, dtype=float)
    ratings = np.zeros_like(expected) if ratings is None else np.asarray(ratings, dtype=float)
    alive = np.ones(expected.shape[:2]) if alive is None else alive
    alive = np.asarray(alive, dtype=bool)
    return Rollout(
        users=np.arange(len(expected)),
        items=np.zeros(expected.shape, dtype=int) if items is None else np.asarray(items),
        scores=np.zeros(expected.shape),
        propensities=None,
        expected=expected,
        ratings=ratings,
        taken=ratings > 0,
        rewards=np.zeros(alive.shape),
        alive=alive,
        quits=np.zeros(len(expected), dtype=bool) if quits is None else np.asarray(quits),
    )


def facts(num_items=10, num_users=2):
    """Two genres; items 0 to 4 are of the first; item i has i training rows."""
    genres = np.repeat(np.eye(2), num_items // 2, axis=0)
    rows = np.arange(num_items, dtype=float)
    return ItemFacts(genres, rows, rows, np.full(num_users, 2.0))


def session(name, stars, true=None, offline=None):
    """One slate of one item for every user, worth ``stars`` (n,)."""
    worlds = [None if v is None else played(np.reshape(v, (-1, 1, 1))) for v in (stars, true)]
    found = Session(name, 0.1, simulated=worlds[0], true=worlds[1])
    if offline is not None:
        found.offline["ndcg@10"] = np.asarray(offline, dtype=float)
    return found


def twice(first, second):
    """One policy under two views of the log."""
    return replace(first, swapped=second)
