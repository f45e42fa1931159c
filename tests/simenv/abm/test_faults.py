"""One user's failure stays one user's failure."""

import numpy as np
import pytest

from simenv.abm.activation import SteadyShare
from simenv.abm.faults import TooManyFailuresError
from simenv.abm.model import SocietySettings


class Failing:
    """Users of whom some make the whole batch raise, or answer NaN, in the first ticks."""

    def __init__(self, inner, bad, kind="raise", calls=10**9):
        self.inner, self.bad, self.kind, self.calls = inner, bad, kind, calls

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def respond(self, users, slates, seeds):
        feedback = self.inner.respond(users, slates, seeds)
        bad = np.isin(users, self.bad)
        self.calls -= 1
        if self.calls < 0 or not bad.any():
            return feedback
        if self.kind == "raise":
            raise RuntimeError("prompt too long")
        feedback.probabilities[bad] = np.nan
        return feedback


@pytest.mark.parametrize("kind", ["raise", "nan"])
def test_the_others_answer_as_if_nothing_had_happened(make_society, play, kind):
    always = {"activation": SteadyShare(1.0)}
    healthy = play(make_society(**always), 1)
    society = play(make_society(users=lambda u: Failing(u, [3, 40], kind), **always), 1)
    assert society.last.failed.tolist() == [3, 40]
    kept = ~np.isin(healthy.last.users, [3, 40])
    assert society.last.users.tolist() == healthy.last.users[kept].tolist()
    for mine, theirs in zip(society.last.feedback, healthy.last.feedback, strict=True):
        np.testing.assert_array_equal(mine, theirs[kept])
    assert society.datacollector.model_vars["failed"] == [2.0]
    assert society.tally.num_ratings[[3, 40]].sum() == 0


def test_who_fails_is_asked_again_later_and_later(make_society, play):
    society = make_society(users=lambda u: Failing(u, [3]), activation=SteadyShare(1.0))
    play(society, 12)
    failed = np.flatnonzero(society.datacollector.model_vars["failed"])
    assert failed.tolist() == [0, 2, 6]


def test_too_many_failures_stop_the_run_with_its_state_saved(make_society, play, tmp_path):
    always = {"activation": SteadyShare(1.0), "folder": tmp_path}
    bad = list(range(0, 60, 2))
    society = make_society(users=lambda u: Failing(u, bad), **always)
    message = "at most 20% of its users to fail, but .* did, the first with .*prompt too long"
    with pytest.raises(TooManyFailuresError, match=message):
        play(society, 1)
    assert not society.running
    resumed = make_society(**always, resume=True)
    assert resumed.steps == 1
    play(resumed, 5)
    assert sum(resumed.datacollector.model_vars["failed"][1:]) == 0


def test_the_threshold_is_a_setting(make_society, play):
    settings = SocietySettings(max_failed_share=0.6)
    bad = list(range(0, 60, 2))
    society = make_society(
        users=lambda u: Failing(u, bad), activation=SteadyShare(1.0), settings=settings
    )
    assert play(society, 1).datacollector.model_vars["failed"] == [30.0]
