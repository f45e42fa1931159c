import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env, make_world
from simenv.events import Slates
from simenv.seeding import row_seeds
from simenv.testing.environments import EnvironmentContract, draw_actions
from simenv.testing.user_models import UserModelContract
from simenv.users.visit_effects import TiringUsers, VisitEffects

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
EFFECTS = VisitEffects(fatigue=0.1, repetition=0.5, boredom=0.4)


def tiring(effects=EFFECTS, num_users=12):
    users, catalog = make_world(num_users, 20)
    return TiringUsers(users, catalog, effects), catalog


def test_attention_is_the_product_of_its_factors():
    users, catalog = tiring()
    shown = np.array([[0, 1, 2]])
    who = np.array([3])
    assert users.attention(who, shown).tolist() == [[1.0, 1.0, 1.0]]
    feedback = users.respond(who, Slates.of_items(shown), np.array([7], np.uint64))
    users.remember(who, Slates.of_items(shown), feedback)
    mood = catalog.genre_matrix[[0, 1, 2]].sum(axis=0)
    mood /= np.linalg.norm(mood)
    likeness = catalog.genre_matrix[[0, 5]] @ mood
    wanted = (1 - 0.1) * np.array([1 - 0.5, 1.0]) * (1 - 0.4 * likeness)
    np.testing.assert_allclose(users.attention(who, np.array([[0, 5]]))[0], wanted)
    users.start_session(who)
    assert users.attention(who, shown).tolist() == [[1.0, 1.0, 1.0]]


def test_taking_falls_by_the_factor_and_stars_stay_as_they_are():
    users, _ = tiring(VisitEffects(fatigue=0.3, repetition=0, boredom=0), num_users=4000)
    who = np.arange(4000)
    slates = Slates.of_items(np.tile([4, 9, 13], (4000, 1)))
    seeds = row_seeds(1, who, np.ones_like(who))
    before = users.respond(who, slates, seeds)
    users.remember(who, slates, before)
    after, plain = users.respond(who, slates, seeds), users.inner.respond(who, slates, seeds)
    assert (after.taken <= plain.taken).all()
    assert after.taken.sum() / plain.taken.sum() == pytest.approx(0.7, abs=0.02)
    np.testing.assert_array_equal(after.probabilities, plain.probabilities)
    assert (after.ratings[~after.taken] == 0).all()


def test_switched_off_effects_change_nothing():
    users, _ = tiring(VisitEffects(fatigue=0, repetition=0, boredom=0))
    who, slates = np.arange(12), Slates.of_items(np.tile([4, 9, 13], (12, 1)))
    seeds = row_seeds(1, who, np.ones_like(who))
    users.remember(who, slates, users.respond(who, slates, seeds))
    for ours, inner in zip(
        users.respond(who, slates, seeds), users.inner.respond(who, slates, seeds), strict=True
    ):
        np.testing.assert_array_equal(ours, inner)


def test_nobody_need_take_anything():
    env = make_vector_env(12, **SMALL, effects=VisitEffects(fatigue=0.9))
    env.reset(seed=0)
    nothing = 0
    for items in draw_actions(env, 10):
        *_, info = env.step(items)
        nothing += int((info["_taken"] & ~info["taken"].any(axis=1)).sum())
    assert nothing > 0


class TestTiringUsers(UserModelContract):
    num_items = 20

    @pytest.fixture
    def make_users(self):
        return lambda: tiring()[0]


class TestAnEnvironmentOfTiringUsers(EnvironmentContract):
    @pytest.fixture
    def make_env(self):
        return lambda **s: make_env(**(SMALL | {"effects": EFFECTS} | s))

    @pytest.fixture
    def make_batch(self):
        return lambda n, **s: make_vector_env(n, **(SMALL | {"effects": EFFECTS} | s))


@pytest.mark.parametrize("name", ["fatigue", "repetition", "boredom"])
def test_rates_outside_their_range_are_refused(name):
    with pytest.raises(ValueError, match=rf"wanted {name} in \[0, 1\), got 1; 0 switches"):
        VisitEffects(**{name: 1})
    with pytest.raises(ValueError, match="a window of at least 1, got 0"):
        VisitEffects(window=0)
