import numpy as np
import pytest

from simenv.events import InteractionLog
from simenv.seeding import row_seeds
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.scripted_users import ScriptedUsers
from simenv.users.visits import activity_levels, calibrate_leaving, calibrate_returning, find_visits


def log_of(times, users=None):
    users = np.zeros(len(times), int) if users is None else users
    n = len(times)
    return InteractionLog.from_columns(
        users, np.arange(n), np.full(n, 3.0), times, num_users=max(users) + 1, num_items=n
    )


def test_visits_end_at_pauses_and_at_users():
    day = 86_400
    visits = find_visits(log_of([0, 10, 20, day, 2 * day, 2 * day + 5], [0, 0, 0, 0, 1, 1]))
    assert visits.users.tolist() == [0, 0, 1]
    assert visits.lengths.tolist() == [3, 1, 2]
    np.testing.assert_allclose(visits.gaps, [(day - 20) / day])


def test_a_log_without_times_is_refused():
    with pytest.raises(ValueError, match="rows whose clock hardly moves; use a log with real time"):
        find_visits(log_of([0, 1, 2]))
    with pytest.raises(ValueError, match="at least two gaps between visits, got 0"):
        calibrate_returning(find_visits(log_of([0, 90_000], [0, 1])), Life())


def geometric_visits(chances, takes, rng, num_visits=4000):
    """Visits of one user a level, whose slates are each worth ``takes`` ratings."""
    users = np.repeat(np.arange(len(chances)), num_visits)
    slates = rng.geometric(np.repeat(chances, num_visits))
    times, rows = [], []
    clock = 0
    for user, ratings in zip(
        users, np.maximum(1, np.rint(slates * takes)).astype(int), strict=True
    ):
        clock += 100_000
        times += [clock] * ratings
        rows += [user] * ratings
    return find_visits(log_of(np.array(times), np.array(rows)))


class Constant:
    """Everybody finds everything just content, so that only the calibrated part speaks."""

    def probabilities(self, users, items):
        return np.broadcast_to([0, 0, 0.4, 0.6, 0], (*items.shape, 5))


def test_contented_users_leave_after_as_many_ratings_as_those_of_the_log():
    behaviour, activity = Behaviour(), np.array([1, 2, 3])
    takes = behaviour.take_chance(np.full((1, 5), behaviour.content_level)).sum()
    visits = geometric_visits([0.3, 0.2, 0.12], takes, np.random.default_rng(0))
    fitted = calibrate_leaving(visits, behaviour, activity, slate_size=5)
    assert fitted.base_quit == pytest.approx(0.3, rel=0.06)
    levels = np.tile(activity, 3000)
    users = ScriptedUsers(Constant(), len(levels), 5, levels, fitted)
    who, lengths = np.arange(len(levels)), np.zeros(len(levels))
    stays = np.ones(len(levels), bool)
    for step in range(60):
        seeds = row_seeds(0, who, np.full_like(who, step))
        chance = fitted.quit_chance(np.full(len(who), fitted.content_level), levels)
        assert ((chance > 0) & (chance < 1)).all()
        lengths += stays * takes
        quits = fitted.act(
            Constant().probabilities(who, np.zeros((len(who), 5), int)),
            users.satisfaction, levels, seeds,
        ).quits  # fmt: skip
        stays &= ~quits
    for level in activity:
        simulated, logged = (
            lengths[levels == level].mean(),
            visits.lengths[visits.users == level - 1].mean(),
        )
        assert simulated == pytest.approx(logged, rel=0.12)


def test_return_times_get_the_logs_median_and_spread():
    rng = np.random.default_rng(1)
    gaps = np.exp(rng.normal(np.log(3), 0.8, 5000)) + 0.05
    visits = find_visits(log_of(np.cumsum(gaps * 86_400).astype(int)))
    life = calibrate_returning(visits, Life())
    assert life.median_days == pytest.approx(3.05, rel=0.05)
    assert life.spread == pytest.approx(0.8, rel=0.08)
    assert life.gone_after == pytest.approx(np.quantile(gaps, 0.975), rel=0.02)


def test_activity_is_the_third_of_the_users_by_rows():
    users = np.repeat([0, 1, 2], [1, 5, 50])
    assert activity_levels(log_of(np.arange(56), users)).tolist() == [1, 2, 3]
