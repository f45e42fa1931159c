from statistics import NormalDist

import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.testing.environments import EnvironmentContract, draw_actions
from simenv.users.lives import Life

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
LIFE = Life(days=20.0, median_days=1.0, gone_after=6.0)
SEEDS = row_seeds(0, np.arange(20_000), np.zeros(20_000, dtype=np.int64))


def lives(num_envs, **settings):
    return make_vector_env(num_envs, **(SMALL | {"life": LIFE, "session_steps": 200} | settings))


def test_half_come_back_within_the_median_and_some_never():
    away = LIFE.days_away(np.full(len(SEEDS), LIFE.content_level), SEEDS)
    assert np.mean(away < LIFE.median_days) == pytest.approx(0.5, abs=0.02)
    gone = np.isinf(away)
    assert 0.01 < gone.mean() < 0.3
    assert away[~gone].max() <= LIFE.gone_after


def test_return_times_are_log_normal_around_a_median_that_doubles():
    """A median of 2 days at 3.6 stars, 1.5 doublings a star; gone after 30 days."""
    stars = np.linspace(1, 5, 400)
    away = Life().days_away(stars, SEEDS[:400])
    shares = uniforms(SEEDS[:400], Channel.RETURN, 1)[:, 0]
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    days = 2 * 2 ** (1.5 * (3.6 - stars)) * np.exp(1.2 * normal)
    np.testing.assert_allclose(away, np.where(days > 30, np.inf, days), rtol=1e-9)
    assert np.isfinite(Life().days_away(np.array([3.6]), np.zeros(1, dtype=np.uint64))).all()
    assert Life().last_day == 365 + 30


def test_people_who_were_pleased_come_back_sooner():
    pleased, annoyed = (LIFE.days_away(np.full(len(SEEDS), s), SEEDS) for s in (4.6, 2.6))
    assert (pleased <= annoyed).all()
    assert np.median(annoyed[np.isfinite(annoyed)]) > np.median(pleased[np.isfinite(pleased)])
    assert np.isinf(annoyed).mean() > np.isinf(pleased).mean()


def test_an_episode_goes_on_over_many_visits_and_ends_when_the_user_is_gone():
    env = lives(12, autoreset_mode="Disabled")
    env.reset(seed=0)
    visits, started = np.zeros(12), []
    start = env.user_model.start_session
    env.user_model.start_session = lambda users: (started.append(len(users)), start(users))
    for items in draw_actions(env, 200):
        observation, _, terminated, truncated, info = env.step(items)
        visits += (info["days_away"] > 0) & np.isfinite(info["days_away"])
        if not env.live.any():
            break
    assert (terminated | truncated).all()
    assert terminated.any()
    assert truncated.any()
    assert (np.isinf(info["days_away"]) <= terminated).all()
    assert visits.max() > 1
    back = ~terminated & (observation["days"][:, 0] < LIFE.days)
    assert not back.any()
    assert sum(started) >= (visits - truncated).sum()


def test_a_new_visit_starts_in_a_neutral_mood_with_its_memories():
    env = lives(12)
    env.reset(seed=0)
    content = env.user_model.behaviour.content_level
    for items in draw_actions(env, 60):
        *_, info = env.step(items)
        back = (info["days_away"] > 0) & np.isfinite(info["days_away"]) & env.live
        if back.any():
            break
    assert (env.user_model.satisfaction[info["user"][back]] == content).all()
    assert env.user_model.num_ratings.sum() > 0


class TestAnEnvironmentOfLives(EnvironmentContract):
    @pytest.fixture
    def make_env(self):
        return lambda **s: make_env(**(SMALL | {"life": LIFE, "session_steps": 30} | s))

    @pytest.fixture
    def make_batch(self):
        return lambda n, **s: lives(n, **({"session_steps": 30} | s))


def test_retention_pays_for_coming_back():
    env = lives(12, reward="retention")
    env.reset(seed=0)
    paid, away = [], []
    for items in draw_actions(env, 40):
        _, rewards, _, _, info = env.step(items)
        asked = info["_days_away"]
        paid.append(rewards[asked])
        away.append(info["days_away"][asked])
    np.testing.assert_allclose(np.concatenate(paid), 2 ** (-np.concatenate(away) / 7))


@pytest.mark.parametrize("name", ["days", "median_days", "spread", "gone_after"])
def test_no_number_of_a_life_is_0_and_all_may_be_small(name):
    with pytest.raises(ValueError, match=f"Life wanted {name} above 0, got 0; give it in days"):
        Life(**{name: 0})
    assert getattr(Life(**{name: 0.5}), name) == 0.5


def test_a_life_wants_positive_numbers():
    with pytest.raises(ValueError, match="Life wanted median_days above 0, got 0; give it in days"):
        Life(median_days=0)
