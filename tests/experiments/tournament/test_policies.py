"""A policy is a class, a function that makes one, or a function that scores; all are tolerated."""

import sys
from types import ModuleType

import numpy as np
import pytest

from experiments.tournament.policies import fitted, introduced, make_policy, policy_makers
from recommenders.base import cold_observation
from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity
from simenv.data.synthetic import synthetic

WORLD = synthetic(3, num_users=24, num_items=120)


class Forgetful(Popularity):
    """Returns itself from nothing."""

    def meet_catalog(self, catalog):
        self.met = len(catalog)

    def fit(self, log):
        super().fit(log)


def by_number(users, observation, sign=1.0):
    return sign * np.tile(np.arange(120.0), (len(users), 1))


def made(l2=3.0):
    return EASE(l2=l2)


def needs_three(observation, k, rng):
    return None


def nothing():
    return "no policy"


@pytest.fixture(autouse=True)
def _module(monkeypatch):
    module = ModuleType("mypol")
    for own in (Forgetful, by_number, made, needs_three, nothing):
        setattr(module, own.__name__, own)
    monkeypatch.setitem(sys.modules, "mypol", module)


def node(name, **settings):
    return {"_target_": f"mypol.{name}", **settings}


def test_a_policy_that_returns_itself_from_nothing_is_met_and_fitted_all_the_same():
    policy = introduced(make_policy("mine", node("Forgetful")), WORLD.catalog)
    assert isinstance(policy, Forgetful)
    assert policy.met == 120
    policy = fitted(make_policy("mine", node("Forgetful")), WORLD.catalog, WORLD.train)
    assert len(policy.log) == len(WORLD.train)


@pytest.mark.parametrize(("settings", "best"), [({}, 119), ({"sign": -1.0}, 0)])
def test_a_function_of_users_and_an_observation_is_a_policy(settings, best):
    policy = make_policy("mine", node("by_number", **settings)).fit(WORLD.train)
    assert policy.name == "mine"
    unseen = ~policy.seen(np.array([0]), cold_observation(np.array([0])))[0]
    wanted = np.flatnonzero(unseen)[-1 if best else 0]
    slates = policy.recommend(cold_observation(np.array([0])), 1, np.random.default_rng(0))
    assert slates.items.tolist() == [[wanted]]


def test_a_function_that_makes_a_policy_makes_it():
    assert make_policy("mine", node("made", l2=7.0)).l2 == 7.0


@pytest.mark.parametrize(
    ("name", "got"),
    [("needs_three", "a function of observation, k, rng"), ("nothing", "a str")],
)
def test_what_makes_no_policy_is_refused_with_what_would(name, got):
    with pytest.raises(
        TypeError, match=rf"recommender\.mine wanted a Recommender, or .*got {got} "
    ):
        make_policy("mine", node(name))


def test_policies_are_made_anew_each_time_in_the_order_of_the_config():
    nodes = {"b": {"_target_": "recommenders.policies.ease.EASE", "l2": 3.0},
             "a": {"_target_": "recommenders.policies.heuristics.Random"}}  # fmt: skip
    makers = policy_makers(nodes)
    assert list(makers) == ["b", "a"]
    one, other = makers["b"](), makers["b"]()
    assert isinstance(one, EASE)
    assert one.l2 == 3.0
    assert one is not other
