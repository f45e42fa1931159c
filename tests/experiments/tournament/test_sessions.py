"""What is kept of sessions, and one figure out of two views, on numbers that fit in a head."""

import numpy as np
import pytest

from experiments.tournament.sessions import (
    Session,
    interactions,
    mean_ratings,
    of_figures,
    of_users,
    stars_of,
)
from tests.experiments.tournament.sessions import played, session, twice


def test_the_mean_of_a_user_is_over_what_they_saw_before_they_left():
    shown = played([[[2.0, 4.0], [9.0, 9.0]], [[1.0, 1.0], [3.0, 5.0]]], [[1, 0], [1, 1]])
    assert mean_ratings(shown).tolist() == [3.0, 2.5]


def test_a_user_is_the_mean_of_both_views_and_nobody_of_one_alone():
    found = of_users([np.array([1.0, 2.0, np.nan]), np.array([4.0, 2.0, 5.0])])
    np.testing.assert_array_equal(found, [2.5, 2.0, np.nan])
    np.testing.assert_array_equal(of_users([np.array([0.1, np.nan])]), [0.1, np.nan])


def test_stars_of_a_policy_are_those_of_all_its_views_in_either_world():
    both = twice(session("a", [1, 4], true=[5, 5]), session("a", [3, 5], true=[1, 2]))
    assert stars_of(both).tolist() == [2.0, 4.5]
    assert stars_of(both, "true").tolist() == [3.0, 3.5]
    assert stars_of(session("a", [1, 4])).tolist() == [1.0, 4.0]
    assert stars_of(session("a", [1, 4]), "true") is None
    half = twice(session("a", [1, 4], true=[5, 5]), session("a", [3, 5]))
    assert stars_of(half, "true") is None


def test_offline_values_are_of_all_views():
    both = twice(session("a", [1], offline=[0.2]), session("a", [1], offline=[0.6]))
    assert both.offline_values("ndcg@10").tolist() == pytest.approx([0.4])


def test_figures_of_two_views_are_means_number_by_number():
    one = {"x": 1.0, "ends": [0.0, None], "n": 3, "by": [{"m": 2.0}, {"m": 9.0}], "who": "a"}
    other = {"x": 2.0, "ends": [1.0, 4.0], "n": 6, "by": [{"m": 3.0}], "who": "b"}
    wanted = {"x": 1.5, "ends": [0.5, None], "n": 4, "by": [{"m": 2.5}], "who": "a"}
    assert of_figures([one, other]) == wanted
    assert of_figures([one]) is one
    assert of_figures([{"x": 1.0, "only": 1}, {"x": None}]) == {"x": None, "only": None}
    assert of_figures([True, False]) is True  # no number


def test_interactions_name_policy_and_world():
    sessions = [Session("a", simulated=played([[[1.0]]]), true=played([[[2.0]]])), Session("bad")]
    frame = interactions(sessions)
    assert frame[["policy", "world", "expected"]].to_numpy().tolist() == [
        ["a", "simulated", 1.0], ["a", "true", 2.0]
    ]  # fmt: skip
    assert "view" not in frame
    assert interactions([Session("bad")]).empty


def test_interactions_of_two_views_say_which():
    frame = interactions([twice(session("a", [1.0], true=[2.0]), session("a", [3.0], true=[4.0]))])
    assert frame[["view", "world", "expected"]].to_numpy().tolist() == [
        [1, "simulated", 1.0], [1, "true", 2.0], [2, "simulated", 3.0], [2, "true", 4.0]
    ]  # fmt: skip
