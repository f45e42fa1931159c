import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.testing.environments import WrapperContract, assert_equal_trees, draw_actions
from simenv.wrappers.views import Embedded, Flat, Seen, VectorSeen, Worded

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 4}
RNG = np.random.default_rng(0)
ITEMS, USERS = RNG.normal(size=(20, 5)), RNG.normal(size=(12, 2))
SLATE = np.array([3, 7, 9])


def catalog():
    return make_env(**SMALL).catalog


def views(name):
    return {
        "embedded": (Embedded(ITEMS, USERS),),
        "flat": (Embedded(ITEMS, USERS), Flat()),
        "text": (Worded(catalog()),),
    }[name]


class TestEmbedded(WrapperContract):
    @pytest.fixture
    def make_env(self):
        return lambda **s: Seen(make_env(**(SMALL | s)), *views("embedded"))

    @pytest.fixture
    def make_batch(self):
        return lambda n, **s: VectorSeen(make_vector_env(n, **(SMALL | s)), *views("embedded"))


def test_vectors_are_those_of_the_user_and_of_what_was_shown():
    env = Seen(make_env(**SMALL), Embedded(ITEMS, USERS))
    observation, _ = env.reset(seed=0, options={"users": 4})
    np.testing.assert_allclose(observation["user_vector"], USERS[4], rtol=1e-6)
    assert (observation["history_vectors"] == 0).all()
    observation, *_ = env.step(SLATE)
    np.testing.assert_allclose(observation["history_vectors"][1:], ITEMS[SLATE], rtol=1e-6)
    assert (observation["history_vectors"][0] == 0).all()
    stars = observation["history_ratings"][1:]
    liked = (np.where(stars > 0, stars - 3, 0)[:, None] * ITEMS[SLATE]).sum(axis=0)
    np.testing.assert_allclose(observation["liked_vector"], liked, rtol=1e-5, atol=1e-6)


def test_texts_tell_the_latest_items_in_words():
    env = Seen(make_env(**SMALL), Worded(catalog(), last=2))
    assert env.reset(seed=0)[0]["text"] == ""
    observation, _, _, _, info = env.step(SLATE)
    verdicts = [f"{r:.0f} stars" if r else "passed over" for r in info["ratings"]]
    titles = catalog().titles
    assert observation["text"] == f"{titles[7]}: {verdicts[1]}; {titles[9]}: {verdicts[2]}"
    short = Seen(make_env(**SMALL), Worded(catalog(), max_length=8))
    short.reset(seed=0)
    assert len(short.step(SLATE)[0]["text"]) == 8


@pytest.mark.parametrize("name", ["embedded", "flat", "text"])
def test_observations_lie_in_the_space_that_is_announced(name):
    env = Seen(make_env(**SMALL), *views(name))
    assert env.reset(seed=0)[0] in env.observation_space
    assert env.step(SLATE)[0] in env.observation_space
    batch = VectorSeen(make_vector_env(3, **SMALL), *views(name))
    assert batch.reset(seed=0)[0] in batch.observation_space


@pytest.mark.parametrize("name", ["embedded", "flat", "text"])
def test_a_batch_sees_what_singles_see_final_observations_included(name):
    settings = SMALL | {"session_steps": 2}
    batch = VectorSeen(make_vector_env(3, **settings, autoreset_mode="SameStep"), *views(name))
    batch.reset(seed=5, options={"users": np.arange(3)})
    slates = draw_actions(batch.unwrapped, 2)
    for row in range(3):
        single = Seen(make_env(**settings), *views(name))
        single.reset(seed=5, options={"users": row})
        seen, _, terminated, truncated, _ = single.step(slates[0][row])
        if not (terminated or truncated):
            seen, *_ = single.step(slates[1][row])
        batch.reset(seed=5, options={"users": np.arange(3)})
        for items in slates:
            *_, info = batch.step(items)
            if "final_obs" in info and info["final_obs"][row] is not None:
                assert_equal_trees(info["final_obs"][row], seen)
                break
        else:
            pytest.fail("the session did not end")


def test_flat_observations_pass_the_checker_as_a_box():
    env = Seen(make_env(**SMALL), Embedded(ITEMS, USERS), Flat())
    assert env.observation_space.shape == (4 * 5 + 5 + 2 + 4 + 1,)
    assert isinstance(env.observation_space, gym.spaces.Box)
    check_env(env, skip_render_check=True)


def test_wrong_vectors_and_wrong_order_are_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"item_vectors wanted one row for each of 20, got shape"):
        Seen(make_env(**SMALL), Embedded(ITEMS[:5]))
    with pytest.raises(ValueError, match=r"user_vectors wanted one row for each of 12, got shape"):
        Seen(make_env(**SMALL), Embedded(ITEMS, ITEMS))
    with pytest.raises(TypeError, match=r"Worded wanted observations in a Dict, got Box.*put Flat"):
        Seen(make_env(**SMALL), Flat(), Worded(catalog()))
