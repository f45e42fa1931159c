"""A small society with everything switched on; each call builds it anew."""

import numpy as np
import pytest

from recommenders.policies.heuristics import Popularity
from simenv.abm.model import PersonaSociety, SocietySettings
from simenv.abm.moving_world import LivingTruth
from simenv.abm.shocks import Shock
from simenv.data.synthetic import synthetic
from simenv.users.scripted_users import ScriptedUsers

SHOCKS = (
    Shock("holiday", 3, 2, size=2.0),
    Shock("viral", 4, 2, items=(7,), size=0.5),
    Shock("scandal", 5, 3, items=(0, 1), size=2.0),
    Shock("withdrawal", 6, items=(2, 3)),
    Shock("release", 8, items=(9, 10)),
)


def build_dataset():
    return synthetic(seed=3, num_users=60, num_items=150)


@pytest.fixture(scope="session")
def dataset():
    return build_dataset()


def society_maker(dataset):
    def make(users=None, policy=None, shocks=SHOCKS, **settings):
        truth = dataset.truth
        world = LivingTruth(
            truth,
            dataset.catalog.genre_matrix,
            truth.conformity,
            dataset.averages.fair,
            noise_sd=truth.noise_sd,
            drift_sd=0.03,
            seed=3,
        )
        scripted = ScriptedUsers(
            world, dataset.num_users, dataset.num_items, activity=truth.activity
        )
        settings.setdefault("settings", SocietySettings(refit_every=5))
        settings.setdefault("world", world)
        settings.setdefault("seed", 0)
        return PersonaSociety(
            scripted if users is None else users(scripted),
            Popularity() if policy is None else policy(),
            dataset.catalog,
            dataset.train,
            activity=truth.activity,
            groups=truth.activity - 1,
            shocks=shocks,
            **settings,
        )

    return make


@pytest.fixture(scope="session")
def make_society(dataset):
    return society_maker(dataset)


@pytest.fixture(scope="session")
def play():
    def steps(society, num_ticks):
        for _ in range(num_ticks):
            society.step()
        return society

    return steps


@pytest.fixture(scope="session")
def same_curves():
    def check(one, other):
        left, right = one.datacollector.model_vars, other.datacollector.model_vars
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)

    return check
