"""What a society counts."""

import numpy as np
import pytest

from simenv.abm.tally import Tally
from simenv.catalog import Catalog
from simenv.events import Feedback, InteractionLog
from simenv.item_averages import ItemAverages


def tally():
    """Three users and three items; item 0 has ten old votes of 4 stars, the others none."""
    log = InteractionLog.from_columns(
        np.arange(10), np.zeros(10, int), np.full(10, 4.0), num_users=10, num_items=3
    )
    bare = Catalog(titles=("a", "b", "c"), years=np.full(3, 2000), genres=((), (), ()))
    return Tally(3, ItemAverages.of(log, bare))


def answers(ratings, quits):
    ratings = np.array(ratings, dtype=float)
    chances = np.tile(np.eye(5)[3], (*ratings.shape, 1))
    return Feedback(ratings, chances, ratings > 0, np.array(quits))


def test_averages_move_by_ratings_and_old_votes_weigh_at_least_five():
    counts = tally()
    first = counts.averages()
    assert first == pytest.approx([4.0] * 3)  # every old vote was 4 stars
    users, items = np.array([0, 1]), np.array([[0, 1], [0, 2]])
    counts.take_in(users, items, answers([[1, 2], [5, 0]], [False, False]))
    np.testing.assert_allclose(
        counts.averages(),
        [(4 * 10 + 1 + 5) / (10 + 2), (4 * 5 + 2) / (5 + 1), 4],
    )


def test_ratings_visits_and_failures_are_counted_by_user():
    counts, users, items = tally(), np.array([0, 2]), np.array([[0, 1], [0, 2]])
    counts.failures[[0, 1]] = 2
    assert counts.arrivals(users).tolist() == [0, 2]
    counts.take_in(users, items, answers([[3, 4], [0, 1]], [False, True]))
    assert counts.num_ratings.tolist() == counts.unreflected.tolist() == [2, 0, 1]
    assert counts.satisfaction.tolist() == [4.0, 0.0, 4.0]
    assert counts.failures.tolist() == [0, 2, 0]
    assert counts.arrivals(users).tolist() == [2]  # 0 has stayed
    assert counts.visits.tolist() == [1, 0, 2]
