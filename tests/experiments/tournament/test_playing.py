"""What is kept of sessions, and when every difference counts as known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.tournament.playing import _joined, _widest, play
from experiments.tournament.sessions import mean_ratings, stars_of
from experiments.tournament.setting import Setting
from experiments.tournament.stopping import Stopping
from recommenders.policies.heuristics import Popularity
from simenv.data.evidence import views_of
from simenv.data.synthetic import synthetic
from simenv.env.vector_env import RecVectorEnv
from simenv.users.scripted_users import ScriptedUsers
from tests.experiments.tournament.sessions import played


class Player:
    """As far as differences are concerned: the users' means so far."""

    def __init__(self, values):
        self.values = None if values is None else np.asarray(values, dtype=float)

    def means(self):
        return self.values


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


DATA = synthetic(3, num_users=24, num_items=120)


class Counting(ScriptedUsers):
    """True users who say how many slates they met."""

    met = 0

    def respond(self, users, slates, seeds):
        self.met += len(users)
        return super().respond(users, slates, seeds)


def two_views(num_users=6, **changes):
    """The same users before policies that learnt from one half of the rows, then from the other."""
    views = views_of(DATA, "independent", 0)
    first, second = (
        Setting(
            view.policies, np.arange(num_users), RecVectorEnv, 2, Counting(DATA.truth, 24, 120),
            None, 0, 10, 1.0, people_data=view.people, whole=DATA, **changes,
        )
        for view in views
    )  # fmt: skip
    return replace(first, swapped=second)


def quietly(policies, setting):
    return play(policies, setting, lambda text, advance=0: None)


class SecondLogFails(Popularity):
    """Fails where it learns from a log again."""

    fits: list = []  # noqa: RUF012 - of all that are made

    def _fit(self, log):
        if self.fits:
            raise ValueError("a second log")
        self.fits.append(log)
        super()._fit(log)


def test_under_two_views_everybody_plays_both_and_a_users_stars_are_the_mean():
    setting = two_views()
    before = [view.simulated.snapshot() for view in setting.views]
    (session,), meter = quietly({"pop": Popularity}, setting)
    assert [view.simulated.snapshot() for view in setting.views] == before
    alone = [quietly({"pop": Popularity}, replace(view, swapped=None)) for view in setting.views]
    parts = [mean_ratings(found[0].simulated) for (found, _) in alone]
    assert [mean_ratings(own) for own in session.rollouts("simulated")][1].tolist() == (
        parts[1].tolist()
    )
    assert not np.array_equal(*parts)
    np.testing.assert_allclose(stars_of(session), (parts[0] + parts[1]) / 2)
    assert meter.report()["exposures"] == sum(m.report()["exposures"] for _, m in alone)
    assert session.policy.log is not session.swapped.policy.log


def test_a_budget_counts_both_views_and_stops_both_after_the_same_users():
    setting = two_views(stopping=Stopping(exposures=100, wave=2))
    with pytest.raises(ValueError, match="below the 20 that one user may cost over all policies"):
        quietly({"pop": Popularity}, replace(setting, stopping=Stopping(exposures=19)))
    (session,), meter = quietly({"pop": Popularity}, setting)
    found = meter.report()
    assert 80 <= found["exposures"] <= 100
    assert found["users"] < 6
    first, second = session.rollouts("simulated")
    assert first.users.tolist() == second.users.tolist()
    assert len(first.users) == found["users"]


def test_a_policy_that_fails_under_one_view_has_failed_and_asks_nobody_more():
    SecondLogFails.fits.clear()
    setting = two_views()
    (bad, good), _ = quietly({"bad": SecondLogFails, "good": Popularity}, setting)
    assert bad.error["phase"] == "fit"
    assert "ValueError: a second log" in bad.error["message"]
    assert stars_of(bad) is None
    assert (bad.simulated, bad.swapped.simulated) == (None, None)
    assert good.error is None
    met = setting.simulated.met
    fresh = two_views()
    quietly({"good": Popularity}, fresh)
    assert met == fresh.simulated.met
