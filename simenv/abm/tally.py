"""What a society counts of its users and items, in arrays: a row a user, a row an item.

Letters: ``U`` all users, ``I`` all items, ``n`` users, ``k`` slate places.
"""

import numpy as np

from simenv.events import Feedback, FloatArray, IntArray, mean_answered
from simenv.item_averages import ItemAverages
from simenv.snapshots import Arrays

_LEAST_VOTES = 5  # that what people see of an item before the first tick is worth


class Tally:
    """Where everybody and everything stands.

    Attributes:
        num_ratings: (U,) ratings given in this society.
        unreflected: (U,) of these, since the user last reflected.
        satisfaction: (U,) mean expected stars of the last slate; 0 before the first.
        failures: (U,) in a row.
        visits: (U,) begun so far.
        in_visit: (U,) whether the last visit goes on.
    """

    def __init__(self, num_users: int, averages: ItemAverages) -> None:
        self._first, self._counts = averages.fair, averages.counts
        self.num_ratings = np.zeros(num_users, dtype=np.int64)
        self.unreflected = np.zeros(num_users, dtype=np.int64)
        self.satisfaction = np.zeros(num_users)
        self.failures = np.zeros(num_users, dtype=np.int64)
        self.visits = np.zeros(num_users, dtype=np.int64)
        self.in_visit = np.zeros(num_users, dtype=np.bool_)
        self._stars = np.zeros(len(averages))
        self._votes = np.zeros(len(averages))

    def arrivals(self, users: IntArray) -> IntArray:
        """Those of users (n,) who begin a visit now; it is counted."""
        arrived = users[~self.in_visit[users]]
        self.in_visit[arrived] = True
        self.visits[arrived] += 1
        return arrived

    def take_in(self, users: IntArray, items: IntArray, feedback: Feedback) -> None:
        """Users (n,) have answered about items (n, k), each about one or more."""
        given = feedback.taken.sum(axis=1)
        self.failures[users] = 0
        self.satisfaction[users] = mean_answered(feedback.expected)
        self.num_ratings[users] += given
        self.unreflected[users] += given
        self.in_visit[users] = ~feedback.quits
        size = len(self._votes)
        self._votes += np.bincount(items[feedback.taken], minlength=size)
        self._stars += np.bincount(items.ravel(), feedback.ratings.ravel(), minlength=size)

    def averages(self) -> FloatArray:
        """(I,) stars of each item, those that were known before the first tick included."""
        known = np.maximum(self._counts, _LEAST_VOTES)
        return np.asarray((self._first * known + self._stars) / (known + self._votes))

    def arrays(self) -> Arrays:
        """The state by name; a checkpoint writes it and writes into it."""
        return {
            "num_ratings": self.num_ratings,
            "satisfaction": self.satisfaction,
            "failures": self.failures,
            "unreflected": self.unreflected,
            "visits": self.visits,
            "in_visit": self.in_visit,
            "stars": self._stars,
            "votes": self._votes,
        }
