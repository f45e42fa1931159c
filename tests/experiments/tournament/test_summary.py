"""From sessions to figures: every number of the results by its arithmetic."""

import math

import numpy as np
import pytest

from experiments.tournament.off_policy_check import OffPolicy
from experiments.tournament.sessions import Session
from experiments.tournament.summary import distinct_notes, summarise, summarise_off_policy
from recommenders.off_policy.by_user import UserValues
from recommenders.off_policy.intervals import Estimate
from tests.experiments.tournament.sessions import facts, played, session, twice

T3 = 3.182446305284263  # Student's t with 3 degrees of freedom, 97.5 %
HALF = T3 * math.sqrt(5 / 3) / math.sqrt(4)  # of 2, 3, 4, 5: their variance is 5 / 3


def p_value(differences):
    """Two-sided, of Student's t with 3 degrees of freedom, which has a closed form."""
    x = np.mean(differences) / (np.std(differences, ddof=1) / 2) / math.sqrt(3)
    return 1 - 2 / math.pi * (math.atan(x) + x / (1 + x**2))


def figures(*sessions, **more):
    return summarise(list(sessions), facts(num_users=4), 10, 0, 50, **more)


def test_policies_come_with_mean_and_95_percent_interval_best_first_and_failures_last():
    failed = Session("bad", 0.1, error={"phase": "fit", "message": "no"})
    found = figures(failed, session("low", [1, 1, 1, 1]), session("a", [2, 3, 4, 5]))["policies"]
    assert [policy["name"] for policy in found] == ["a", "low", "bad"]
    assert found[0]["simulated"]["mean_rating"] == 3.5
    assert found[0]["simulated"]["ci95"] == [round(3.5 - HALF, 6), round(3.5 + HALF, 6)]
    assert found[0]["simulated"]["intervals"]["mean_rating"] == found[0]["simulated"]["ci95"]
    assert found[1]["simulated"]["ci95"] == [1.0, 1.0]
    assert found[2]["simulated"] is None
    assert found[2]["error"] == {"phase": "fit", "message": "no"}


def test_the_true_users_have_figures_of_their_own():
    (found,) = figures(session("a", [2, 3, 4, 5], true=[1, 2, 3, 4]))["policies"]
    assert found["true_mean_rating"] == found["true"]["mean_rating"] == 2.5
    assert found["true_ci95"] == [round(2.5 - HALF, 6), round(2.5 + HALF, 6)]


def test_offline_figures_are_means_over_users_with_something_to_find():
    (found,) = figures(session("a", [2, 3, 4, 5], offline=[0.5, np.nan, 0.25, 0.0]))["policies"]
    assert found["offline"] == {"ndcg@10": 0.25}


def test_sessions_of_unequal_length_count_what_was_seen_by_whom():
    shown = played(
        [[[2.0, 4.0], [5.0, 5.0]], [[1.0, 1.0], [3.0, 5.0]]],
        alive=[[True, False], [True, True]],
        items=[[[0, 1], [8, 9]], [[2, 3], [4, 5]]],
        quits=[True, False],
    )
    found = figures(Session("a", simulated=shown))["policies"][0]["simulated"]
    assert found["mean_rating"] == ((2 + 4) / 2 + (1 + 1 + 3 + 5) / 4) / 2
    assert [one["mean"] for one in found["rating_by_slate"]] == [(3 + 1) / 2, 4.0]
    assert [one["num_users"] for one in found["rating_by_slate"]] == [2, 1]
    assert found["rating_by_slate"][1]["ci95"] == [None, None]
    assert found["left_share"] == 0.5
    assert found["survival"]["share"] == [1.0, 0.5, 0.5]
    assert found["coverage"] == 6 / 10  # items 8 and 9 were not seen


def test_who_left_is_a_share_of_all_users():
    shown = played(np.full((4, 1, 1), 3.0), quits=[True, False, False, False])
    found = figures(Session("a", simulated=shown))["policies"][0]["simulated"]
    assert found["left_share"] == 0.25


def test_contrasts_are_paired_by_user_adjusted_and_begin_with_the_best():
    found = figures(
        session("b", [2, 3, 4, 4.5]), session("a", [3, 4, 5, 4.5]), session("c", [1, 1, 1, 1])
    )["contrasts"]
    assert [(c["better"], c["worse"]) for c in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    first = found[0]
    assert first["difference"] == 0.75  # of 1, 1, 1, 0: variance 1 / 4
    half = T3 * 0.5 / 2
    assert first["ci95"] == [round(0.75 - half, 6), round(0.75 + half, 6)]
    # Holm's: the smallest p counts three times, the next twice, the largest once.
    assert found[1]["p_holm"] == pytest.approx(3 * p_value([2, 3, 4, 3.5]), abs=1e-6)
    assert found[2]["p_holm"] == pytest.approx(2 * p_value([1, 2, 3, 3.5]), abs=1e-6)
    assert first["p_holm"] == pytest.approx(p_value([1, 1, 1, 0]), abs=1e-6)


def test_agreement_counts_policies_that_both_measures_have():
    found = figures(
        session("a", [4, 4, 4, 4], true=[5, 5, 5, 5], offline=[0.1] * 4),
        session("b", [3, 3, 3, 3], true=[4, 4, 4, 4], offline=[0.2] * 4),
        session("c", [2, 2, 2, 2], true=[1, 1, 1, 1]),
    )["agreement"]
    both = found["simulated_vs_true"]
    assert (both["tau"], both["ci95"], both["num_policies"]) == (1.0, [1.0, 1.0], 3)
    offline = found["offline_vs_true"]
    assert (offline["tau"], offline["num_policies"]) == (-1.0, 2)
    assert offline["regret"]["value"] == 1.0  # NDCG picks b, worth 4 true stars instead of 5
    assert offline["flips"] == {"value": 1.0, "ci95": [1.0, 1.0]}
    assert found["offline_vs_simulated"]["regret"]["value"] == 1.0
    assert found["snips_vs_true"] is found["dr_vs_simulated"] is None


def test_a_measure_that_only_one_policy_has_is_not_compared():
    both = session("a", [3, 4, 5, 4], offline=[1, 0, 1, 0])
    asked = session("b", [2, 2, 2, 2])
    assert figures(both, asked)["agreement"]["offline_vs_simulated"] is None


def estimates(value, size, note):
    names = ("IPS", "SNIPS", "DM", "DR", "SWITCH-DR")
    return {n: Estimate(value, value - 1, value + 1, size, 1.0, (note,)) for n in names}


def off_policy():
    values = {"a": estimates(4.0, 30.0, "rests on 3 of 9 places"),
              "b": estimates(3.5, 20.0, "rests on 2 of 9 places"),
              "gone": estimates(1.0, 1.0, "rests on 1 of 9 places")}  # fmt: skip
    users = {name: UserValues(np.full(4, v["IPS"].value), np.ones(4)) for name, v in values.items()}
    return OffPolicy("random", values, {"SNIPS": users, "DR": users})


def test_off_policy_estimates_are_ordered_against_the_users_of_the_measured_policies():
    sessions = [session("a", [2, 2, 2, 2]), session("b", [3, 3, 3, 3])]
    found = summarise_off_policy(off_policy(), sessions)
    assert (found["logged_by"], found["policies"]) == ("random", ["a", "b"])
    assert found["on_policy"] == [2.0, 3.0]
    ips = found["estimators"]["IPS"]
    assert (ips["values"], ips["tau"], ips["effective_size"]) == ([4.0, 3.5], -1.0, 20.0)
    assert ips["notes"] == ["rests on 2 of 9 places"]
    assert summarise_off_policy(None, sessions) is None


def test_users_of_whom_an_estimate_says_more_count_more():
    sessions = [session("a", [3] * 4), session("b", [2] * 4)]
    values = {"a": UserValues(np.array([1.0, 9.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])),
              "b": UserValues(np.full(4, 2.0), np.ones(4))}  # fmt: skip
    judged = OffPolicy("random", off_policy().values, {"SNIPS": values, "DR": values})
    found = figures(*sessions, off_policy=judged)["agreement"]["snips_vs_simulated"]
    assert found["tau"] == -1.0  # a is worth 1 to those of whom the log says something, not 3


def test_off_policy_estimates_are_a_judge_like_any_other():
    sessions = [session("a", [2] * 4, true=[5] * 4), session("b", [3] * 4, true=[4] * 4)]
    found = figures(*sessions, off_policy=off_policy())["agreement"]
    assert (found["snips_vs_simulated"]["tau"], found["snips_vs_true"]["tau"]) == (-1.0, 1.0)


def test_warnings_that_differ_by_numbers_alone_are_listed_once():
    asked = ["rests on 2.0 of 7,020 places", "rests on 0.5 of 7,020 places", "weights are off"]
    assert distinct_notes(asked) == ["rests on 0.5 of 7,020 places", "weights are off"]


def test_two_views_are_the_same_users_and_not_twice_as_many():
    views = (
        session("a", [1, 2, 3, 4], true=[2] * 4, offline=[0.1, 0.3, 0.2, np.nan]),
        session("a", [3, 4, 5, 6], true=[4] * 4, offline=[0.3, 0.5, 0.6, 0.8]),
    )
    found = figures(twice(*views), twice(session("b", [1] * 4), session("b", [2] * 4)))
    first = found["policies"][0]
    assert first["simulated"]["mean_rating"] == 3.5  # of 2, 3, 4, 5
    assert first["simulated"]["ci95"] == [round(3.5 - HALF, 6), round(3.5 + HALF, 6)]
    assert first["true_mean_rating"] == 3.0
    assert first["offline"] == {"ndcg@10": round((0.2 + 0.4 + 0.4) / 3, 6)}
    (contrast,) = found["contrasts"]
    assert (contrast["better"], contrast["difference"]) == ("a", 2.0)  # of 0.5, 1.5, 2.5, 3.5
    assert contrast["ci95"] == [round(2.0 - HALF, 6), round(2.0 + HALF, 6)]
    assert first["simulated"]["rating_by_slate"][0]["mean"] == 3.5
    assert first["simulated"]["rating_by_slate"][0]["num_users"] == 4
    assert first["fit_seconds"] == 0.1


def test_a_user_without_an_answer_in_one_view_counts_in_none():
    both = twice(session("a", [1, 5, 3, 3]), session("a", [3, np.nan, 3, 3]))
    found = figures(both)["policies"][0]["simulated"]
    assert found["mean_rating"] == round((2 + 3 + 3) / 3, 6)


def test_coverage_and_leaving_are_the_mean_of_both_views_figures():
    one = Session("a", simulated=played([[[1.0]], [[1.0]]], items=[[[0]], [[1]]], quits=[1, 1]))
    other = Session("a", simulated=played([[[1.0]], [[1.0]]], items=[[[2]], [[2]]], quits=[0, 1]))
    found = figures(twice(one, other))["policies"][0]["simulated"]
    assert found["coverage"] == 0.15  # 0.2 and 0.1 of ten items
    assert found["left_share"] == 0.75


def test_the_order_by_both_views_together_is_what_agrees():
    a = twice(session("a", [1, 1], true=[5, 5]), session("a", [5, 5], true=[5, 5]))
    b = twice(session("b", [2, 2], true=[1, 1]), session("b", [3, 3], true=[1, 1]))
    found = figures(a, b)["agreement"]["simulated_vs_true"]
    assert (found["tau"], found["num_policies"]) == (1.0, 2)  # 3 to 2.5; by the first view -1
