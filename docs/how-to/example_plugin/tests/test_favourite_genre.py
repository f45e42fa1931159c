"""The laws of every policy, and what is this one's own."""

import numpy as np
import pytest
from example_policies.favourite_genre import FavouriteGenre

from recommenders.base import cold_observation
from recommenders.testing import RecommenderContract
from simenv.catalog import Catalog
from simenv.events import InteractionLog


class TestFavouriteGenre(RecommenderContract):
    """The contract suite that ships with PersonaRec."""

    @pytest.fixture
    def make_policy(self):
        """A function that makes a new, unfitted policy."""
        return lambda: FavouriteGenre(middle=3.5)


def test_items_of_the_loved_genre_come_first():
    """A comedy was loved and a war film hated: the other comedy comes before the other war film."""
    catalog = Catalog(tuple("abcd"), np.zeros(4, int), (("War",), ("Comedy",)) * 2)
    log = InteractionLog.from_columns([0, 0], [0, 1], [1, 5], num_users=1, num_items=4)
    policy = FavouriteGenre().meet_catalog(catalog).fit(log)
    shown = policy.recommend(cold_observation(np.array([0])), 2, np.random.default_rng(0))
    assert shown.items.tolist() == [[3, 2]]
