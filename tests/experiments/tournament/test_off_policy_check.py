"""Which policies a log of one of them values, which are left out, and which are named as wrong."""

from dataclasses import replace

import numpy as np

from experiments.tournament import off_policy_check as check
from experiments.tournament.off_policy_check import (
    OffPolicy,
    estimate_from_log,
    estimate_from_logs,
)
from experiments.tournament.sessions import Session
from experiments.tournament.setting import Setting
from experiments.tournament.summary import summarise_off_policy
from recommenders.off_policy.by_user import UserValues
from recommenders.off_policy.intervals import Estimate
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


def test_who_got_no_answer_at_all_has_no_value_and_is_not_forgotten():
    one, other = sessions()
    expected = one.simulated.expected.copy()
    expected[4] = np.nan
    holey = replace(one, simulated=replace(one.simulated, expected=expected))
    values = estimate_from_log([holey, other], SETTING).by_user["DR"]["popularity"]
    assert values.values.shape == values.counts.shape == (20,)
    assert np.isnan(values.values[4])
    assert values.counts[4] == 0
    assert np.isfinite(np.delete(values.values, 4)).all()


def logged(value, size, stars, counts, failed=()):
    own = {"SNIPS": {"a": UserValues(np.array(stars), np.array(counts))}}
    estimate = Estimate(value, value - 1, value + 1, size, size / 2, (f"note {size}",))
    return OffPolicy("random", {"a": {"SNIPS": estimate}}, own, dict.fromkeys(failed, "no"), 2)


def test_the_logs_of_two_views_are_one_estimate(monkeypatch):
    first = logged(3.0, 10.0, [4.0, np.nan], [1.0, 0.0])
    second = logged(4.0, 20.0, [1.0, 2.0], [2, 3])
    swapped = replace(SETTING, seed=7)
    both = [replace(one, swapped=replace(one, name="other")) for one in sessions()]

    def of_view(found, setting):
        assert (setting is swapped) == (found[0].name == "other")
        return second if setting is swapped else first

    monkeypatch.setattr(check, "estimate_from_log", of_view)
    found = estimate_from_logs(both, replace(SETTING, swapped=swapped))
    notes = "note 10.0", "note 20.0"
    assert found.values["a"]["SNIPS"] == Estimate(3.5, 2.5, 4.5, 30.0, 10.0, notes)
    assert found.by_user["SNIPS"]["a"].values.tolist() == [2.0, 2.0]  # 4·1 + 1·2 over 3; 2
    assert found.by_user["SNIPS"]["a"].counts.tolist() == [3.0, 3.0]
    assert found.left_out == 4


def test_a_policy_that_one_log_cannot_value_is_valued_by_none(monkeypatch):
    silent = logged(3.0, 10.0, [4.0, 1.0], [1.0, 1.0], failed=["a"])
    silent = silent._replace(values={}, by_user={"SNIPS": {}})
    both = [replace(one, swapped=one) for one in sessions()]
    for second in (silent, None):
        logs = iter([logged(3.0, 10.0, [4.0, 1.0], [1.0, 1.0]), second])
        monkeypatch.setattr(check, "estimate_from_log", lambda *own, logs=logs: next(logs))
        found = estimate_from_logs(both, replace(SETTING, swapped=SETTING))
        assert found is None or (found.values, found.failed) == ({}, {"a": "no"})
    assert found is None


def test_one_view_is_estimated_as_it_is():
    one = estimate_from_logs(sessions(), SETTING)
    assert one.values == estimate_from_log(sessions(), SETTING).values
