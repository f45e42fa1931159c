"""One user's failure stays one user's failure."""

import numpy as np
import pyarrow.parquet as pq
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
        if self.kind == "place":  # one of a slate
            bad = bad[:, None] & (np.arange(slates.items.shape[1]) == 1)
        feedback.probabilities[bad] = np.nan
        return feedback


def test_of_a_slate_that_failed_at_one_place_the_others_count(make_society, play, tmp_path):
    """The whole slate was dropped, and with it what the user had said."""
    always = {"activation": SteadyShare(1.0)}
    healthy = play(make_society(**always), 1)
    society = make_society(
        users=lambda u: Failing(u, range(60), "place", calls=1), folder=tmp_path, **always
    )
    society.settings = SocietySettings(max_failed_share=0.2)  # one place of five
    play(society, 1)
    assert society.last.failed.tolist() == []
    assert society.last.users.tolist() == healthy.last.users.tolist()
    mine, theirs = society.last.feedback, healthy.last.feedback
    assert mine.failed.any(axis=0).tolist() == [False, True, False, False, False]
    assert mine.failed[:, 1].all()
    assert not mine.taken[:, 1].any()
    assert not mine.ratings[:, 1].any()
    assert theirs.taken[:, 1].any()
    for place in (0, 2, 3, 4):
        np.testing.assert_array_equal(mine.ratings[:, place], theirs.ratings[:, place])
        np.testing.assert_array_equal(mine.expected[:, place], theirs.expected[:, place])
    others = theirs.expected[:, [0, 2, 3, 4]].mean(axis=1)
    np.testing.assert_allclose(society.tally.satisfaction[society.last.users], others)
    curves = society.datacollector.model_vars
    assert curves["failed"] == [0.0]
    assert curves["unanswered"] == [pytest.approx(len(society.last.users) / 5)]
    assert curves["satisfaction"] == [pytest.approx(others.mean())]
    assert np.isfinite(list(society.curves.latest.values())).all()
    play(society, 2)
    society.finish()
    frame = pq.read_table(tmp_path / "interactions.parquet").to_pandas()
    lost = frame["expected"].isna()
    assert (lost == ((frame["place"] == 1) & (frame["tick"] == 1))).all()
    assert not frame.loc[lost, "rating"].any()


def test_too_many_failed_places_stop_the_run_as_too_many_users_do(make_society, play):
    society = make_society(
        users=lambda u: Failing(u, range(60), "place"),
        activation=SteadyShare(1.0), settings=SocietySettings(max_failed_share=0.19),
    )  # fmt: skip
    with pytest.raises(TooManyFailuresError, match=r"at most 19% .* but 12 of 60 did"):
        play(society, 1)


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
