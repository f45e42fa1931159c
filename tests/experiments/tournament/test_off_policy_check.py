"""Which policies a log of one of them values, which are left out, and which are named as wrong."""

from dataclasses import replace

import numpy as np

from experiments.tournament.off_policy_check import estimate_from_log
from experiments.tournament.playing import Session
from experiments.tournament.setting import Setting
from experiments.tournament.summary import summarise_off_policy
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.data.synthetic import synthetic
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.users.scripted_users import ScriptedUsers

DATA = synthetic(seed=0, num_users=20, num_items=30)
USERS = ScriptedUsers(DATA.truth, DATA.num_users, DATA.num_items)
SIZES = {"num_envs": 20, "slate_size": 2, "max_episode_steps": 3, "autoreset_mode": "Disabled"}
SETTING = Setting(DATA, np.arange(20), RecVectorEnv, 3, USERS, None, 0, 10, 4.0, slate_size=2)


class WrongShape(EpsilonGreedy):
    """Says one chance a slate."""

    def propensities(self, observation, items):
        return np.full(len(items), 0.1)


class Broken(EpsilonGreedy):
    """Fails where it should say its chances."""

    def propensities(self, observation, items):
        raise IndexError("no such row")


def played(name, policy):
    env = RecVectorEnv(USERS, DATA.catalog, **SIZES)
    fitted = policy.fit(DATA.train)
    return Session(name, policy=fitted, simulated=rollout(env, fitted, users=SETTING.users, seed=0))


def played_well(name, policy):
    """A session whose policy says something wrong only when it is asked about another's slates."""
    return replace(played(name, EpsilonGreedy()), policy=policy.fit(DATA.train))


def sessions(*more):
    return [played("random", Random()), played("popularity", Popularity()), *more]


def test_a_policy_that_cannot_say_its_chances_is_left_out_without_a_fault():
    found = estimate_from_log(sessions(played("lin_ts", LinTS())), SETTING)
    assert list(found.values) == ["popularity"]
    assert found.failed == {}


def test_policies_that_say_wrong_chances_are_named_and_the_others_go_on():
    wrong = played_well("shapes", WrongShape()), played_well("broken", Broken())
    found = estimate_from_log(sessions(*wrong), SETTING)
    assert list(found.values) == ["popularity"]
    assert "wanted propensities of shape" in found.failed["shapes"]
    assert found.failed["broken"] == "IndexError: no such row"
    figures = summarise_off_policy(found, sessions(*wrong))
    assert figures["failed"] == dict(found.failed)
    assert figures["policies"] == ["popularity"]


def test_a_fault_is_named_also_where_no_other_policy_is_valued():
    ones = [played("random", Random()), played_well("broken", Broken())]
    found = estimate_from_log(ones, SETTING)
    assert found.values == {}
    assert summarise_off_policy(found, ones)["estimators"] == {}
    assert summarise_off_policy(found, ones)["failed"] == {"broken": "IndexError: no such row"}


def test_slates_that_were_not_answered_are_left_out_and_counted():
    one, other = sessions()
    expected = one.simulated.expected.copy()
    expected[4, 0, 1] = np.nan
    holey = replace(one, simulated=replace(one.simulated, expected=expected))
    found = estimate_from_log([holey, other], SETTING)
    assert found.left_out == 1
    assert np.isfinite(found.values["popularity"]["SNIPS"].value)
    nothing = replace(one.simulated, expected=np.full(expected.shape, np.nan))
    assert estimate_from_log([replace(one, simulated=nothing), other], SETTING) is None
