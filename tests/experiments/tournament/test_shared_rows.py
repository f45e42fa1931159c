"""The collusion figure on people and policies whose every star can be counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.people.people import People
from experiments.tournament.shared_rows import collusion, user_values
from recommenders.policies.heuristics import Popularity
from simenv.data.synthetic import synthetic
from simenv.events import Slates

WORLD = synthetic(3, num_users=8, num_items=60)
USERS = np.arange(6)


class Loving:
    """Five stars for what stands in their rows, one star for all else; it says who was asked."""

    def __init__(self, dataset):
        self.known = dataset.train.to_csr().toarray() > 0

    def respond(self, users, slates, seeds):
        known = self.known[np.asarray(users)[:, None], slates.items]
        return SimpleNamespace(expected=np.where(known, 5.0, 1.0))


def loving(dataset):
    return People(Loving(dataset), {"kind": "loving"})


class Echo(Popularity):
    """Shows everybody the first items of their own rows."""

    def recommend(self, observation, k, rng):
        rows = self.log.to_csr()
        own = [rows.indices[rows.indptr[u] : rows.indptr[u + 1]][:k] for u in observation["user"]]
        return Slates.of_items(np.array(own))


class Stranger(Popularity):
    """Shows everybody items that stand in nobody's training rows of theirs."""

    def recommend(self, observation, k, rng):
        met = WORLD.train.to_csr().toarray()[observation["user"]] > 0
        return Slates.of_items(np.argsort(met, axis=1, kind="stable")[:, :k])


def test_who_shows_what_it_learnt_from_is_worth_four_stars_more_to_people_of_the_same_rows():
    found = collusion(loving, {"echo": Echo, "stranger": Stranger}, WORLD, USERS, 2, 0)
    echo, stranger = found["policies"]["echo"], found["policies"]["stranger"]
    assert found["users"] == 6
    assert (echo["shared"], echo["independent"], echo["difference"]) == (5.0, 1.0, 4.0)
    assert (stranger["shared"], stranger["independent"]) == (1.0, 1.0)
    assert (echo["beside_others"], stranger["beside_others"]) == (2.0, -2.0)
    assert echo["ci95"] == [4.0, 4.0]


def test_people_who_share_no_rows_with_anybody_show_no_collusion():
    class Indifferent:
        def respond(self, users, slates, seeds):
            return SimpleNamespace(expected=np.full(slates.items.shape, 3.0))

    def indifferent(dataset):
        return People(Indifferent(), {"kind": "indifferent"})

    found = collusion(indifferent, {"echo": Echo, "stranger": Stranger}, WORLD, USERS, 2, 0)
    assert {own["difference"] for own in found["policies"].values()} == {0.0}


def test_a_policy_that_fails_is_left_out_and_one_alone_is_compared_with_nothing():
    class Broken(Popularity):
        def recommend(self, observation, k, rng):
            raise RuntimeError("broken")

    makers = {"echo": Echo, "broken": Broken, "stranger": Stranger}
    assert set(collusion(loving, makers, WORLD, USERS, 2, 0)["policies"]) == {"echo", "stranger"}
    assert collusion(loving, {"echo": Echo, "broken": Broken}, WORLD, USERS, 2, 0) is None


def test_an_answer_that_failed_is_no_star():
    class Failing(Loving):
        def respond(self, users, slates, seeds):
            stars = np.where(slates.items == 7, np.nan, slates.items.astype(float))
            return SimpleNamespace(
                expected=np.where(np.asarray(users)[:, None] == 1, np.nan, stars)
            )

    slates = np.array([[[7, 2], [3, 4]], [[2, 4], [1, 2]]])  # two policies, users 0 and 1
    values = user_values(Failing(WORLD), np.array([0, 1]), slates, 0)
    assert values[:, 0].tolist() == pytest.approx([2.0, 3.0])
    assert np.isnan(values[:, 1]).all()
