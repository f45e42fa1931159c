"""What is kept of sessions, and when every difference counts as known."""

import math

import numpy as np
import pytest

from experiments.tournament.playing import Session, _joined, _widest, interactions, mean_ratings
from tests.experiments.tournament.sessions import played


class Player:
    """As far as differences are concerned: the users' means so far."""

    def __init__(self, values):
        self.values = None if values is None else np.asarray(values, dtype=float)

    def means(self):
        return self.values


def test_the_mean_of_a_user_is_over_what_they_saw_before_they_left():
    shown = played([[[2.0, 4.0], [9.0, 9.0]], [[1.0, 1.0], [3.0, 5.0]]], [[1, 0], [1, 1]])
    assert mean_ratings(shown).tolist() == [3.0, 2.5]


def test_the_widest_difference_decides_and_failed_policies_do_not_count():
    a, b, c = Player([3, 4, 5]), Player([3, 4, 5]), Player([1, 3, 5])
    half = 4.302652729696142 * 1.0 / math.sqrt(3)  # Student's t, 97.5 %, 2 degrees; of 2, 1, 0
    assert _widest([a, b]) == 0.0
    assert _widest([a, Player(None), b, c]) == pytest.approx(half)
    assert _widest([a]) == 0.0


def test_waves_are_joined_by_ascending_user():
    first, second = played([[[1.0]], [[2.0]]]), played([[[3.0]]])
    first.users[:] = [5, 2]
    second.users[:] = [3]
    together = _joined([first, second])
    assert together.users.tolist() == [2, 3, 5]
    assert together.expected.ravel().tolist() == [2.0, 3.0, 1.0]
    assert together.propensities is None
    assert _joined([]) is None


def test_interactions_name_policy_and_world():
    sessions = [Session("a", simulated=played([[[1.0]]]), true=played([[[2.0]]])), Session("bad")]
    frame = interactions(sessions)
    assert frame[["policy", "world", "expected"]].to_numpy().tolist() == [
        ["a", "simulated", 1.0], ["a", "true", 2.0]
    ]  # fmt: skip
    assert interactions([Session("bad")]).empty
