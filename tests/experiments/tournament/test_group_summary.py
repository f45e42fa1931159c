"""Who gains and who loses, on four users of two kinds."""

import math

import numpy as np
import pytest

from experiments.tournament.group_summary import summarise_groups
from experiments.tournament.sessions import Session
from tests.experiments.tournament.sessions import facts, played, session, twice

FIRST = np.array([True, True, False, False])


def groups(*sessions, kinds=None):
    kinds = {"first": FIRST, "second": ~FIRST} if kinds is None else kinds
    return summarise_groups(list(sessions), kinds, facts(num_users=4))


def test_each_kind_has_its_means_and_its_best_and_what_it_gains_over_the_best_of_all():
    first, second = groups(session("a", [5, 4, 3, 2]), session("b", [3, 2, 4, 3.5]))
    assert first["means"] == {"a": 4.5, "b": 2.5}
    assert (first["best"], first["gain"]) == ("a", None)  # a is best of all, too: 3.5 to 3.125
    assert (second["best"], second["num_users"]) == ("b", 2)
    gain = second["gain"]
    assert gain["difference"] == 1.25  # of 1 and 1.5
    half = 12.706204736432095 * math.sqrt(0.125) / math.sqrt(2)  # Student's t, 97.5 %, 1 degree
    assert gain["ci95"] == [round(1.25 - half, 6), round(1.25 + half, 6)]
    one_p = 2 * (0.5 - math.atan(1.25 / 0.25) / math.pi)  # Student's t with 1 degree is Cauchy's
    assert gain["p_holm"] == pytest.approx(2 * one_p, abs=1e-6)  # Holm's: of two kinds


def test_measures_of_a_kind_are_over_its_users_alone():
    shown = played(
        [[[2.0]], [[4.0]], [[1.0]], [[1.0]]],
        items=[[[0]], [[0]], [[7]], [[8]]],
        ratings=[[[0.0]], [[5.0]], [[0.0]], [[0.0]]],
        quits=[True, False, False, False],
    )
    first, second = groups(Session("a", simulated=shown))
    own, other = first["measures"]["a"], second["measures"]["a"]
    assert (own["mean_rating"], other["mean_rating"]) == (3.0, 1.0)
    assert (own["clicks"], other["clicks"]) == (0.5, 0.0)
    assert (own["coverage"], other["coverage"]) == (1 / 10, 2 / 10)
    assert (own["left_share"], other["left_share"]) == (0.5, 0.0)
    assert (own["survival"], other["survival"]) == (0.5, 1.0)
    assert own["mean_taken_rating"] == 5.0
    assert other["mean_taken_rating"] is None


def test_kinds_without_users_and_policies_without_sessions_are_left_out():
    failed = Session("bad", error={"phase": "fit", "message": "no"})
    nobody = {"all": FIRST | True, "nobody": FIRST & False}
    (found,) = groups(failed, session("a", [1, 2, 3, 4]), kinds=nobody)
    assert (found["group"], list(found["means"])) == ("all", ["a"])
    assert groups(failed) == []


def test_under_two_views_a_kind_has_the_mean_of_both():
    a = twice(session("a", [5, 4, 3, 2]), session("a", [3, 2, 3, 2]))
    b = twice(session("b", [1, 1, 4, 4]), session("b", [1, 1, 5, 5]))
    first, second = groups(a, b)
    assert first["means"] == {"a": 3.5, "b": 1.0}
    assert second["means"] == {"a": 2.5, "b": 4.5}
    assert first["measures"]["a"]["mean_rating"] == 3.5  # of 4.5 and 2.5
    assert (first["num_users"], first["best"], second["best"]) == (2, "a", "b")
