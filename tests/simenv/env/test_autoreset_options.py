import numpy as np
import pytest

from simenv.env.scripted_env import make_vector_env
from simenv.env.spaces import SlateSpace
from simenv.wrappers.candidates import VectorCandidateSet
from simenv.wrappers.views import Embedded, VectorSeen

SMALL = {"num_users": 30, "num_items": 20, "slate_size": 3, "session_steps": 2}
USERS = np.array([7, 3, 11])
RESTARTING = pytest.mark.parametrize("mode", ["NextStep", "SameStep"])


def seen_in(env, num_steps=7, num_numbers=20):
    """(num_steps, n): who sat where after each random slate."""
    space = SlateSpace(num_numbers, (env.num_envs, 3), seed=0)
    return np.array([env.step(space.sample())[0]["user"] for _ in range(num_steps)])


@RESTARTING
def test_users_chosen_by_options_come_back_at_every_automatic_reset(mode):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0, options={"users": USERS})
    assert (seen_in(env) == USERS).all()


@RESTARTING
def test_a_reset_without_users_draws_them_again(mode):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0)
    drawn = seen_in(env)
    assert len(np.unique(drawn)) > 3
    env.reset(seed=5, options={"users": USERS})
    seen_in(env)
    env.reset(seed=0)
    np.testing.assert_array_equal(seen_in(env), drawn)


@RESTARTING
def test_a_partial_reset_binds_only_its_own_rows(mode):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0)
    first = np.array([True, False, False])
    env.reset(options={"users": np.array([29, -1, -1]), "reset_mask": first})
    found = seen_in(env, 30)
    assert (found[:, 0] == 29).all()
    assert len(np.unique(found[:, 1:])) > 4
    assert 29 not in found[:, 1:]  # row 2 draws from 2, 5, …, 29


def test_nobody_is_drawn_who_is_bound_to_come_back_to_another_row():
    env = make_vector_env(2, 3, 20, slate_size=3, session_steps=1)
    env.reset(seed=0, options={"users": np.array([1, 0])})
    env.reset(options={"reset_mask": np.array([False, True])})
    found = seen_in(env, 20)
    assert (found[:, 0] == 1).all()
    assert set(found[:, 1].tolist()) == {2}  # row 1 of two draws from place 1 alone, and it is busy


def test_nobody_can_be_seated_who_is_bound_to_come_back_to_another_row():
    env = make_vector_env(2, **SMALL | {"session_steps": 1})
    env.reset(seed=0, options={"users": np.array([4, 5])})
    seen_in(env, 1)  # both have ended and come back in the next step
    with pytest.raises(ValueError, match="wanted everybody in one row only, got"):
        env.reset(options={"users": np.array([5, 0]), "reset_mask": np.array([True, False])})


@RESTARTING
def test_a_root_stays_and_forgetting_happens_once(mode):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0, options={"users": USERS, "root": 9})
    seen_in(env)
    ratings = env.user_model.num_ratings
    assert ratings[USERS].sum() > ratings[USERS].max()
    assert env.snapshot() == replayed(mode, {"users": USERS, "root": 9})
    assert env.snapshot() != replayed(mode, {"users": USERS})
    env.reset(options={"forget": True, "users": USERS})
    assert not env.user_model.num_ratings.any()
    counts = [env.user_model.num_ratings.sum() for _ in range(7) if len(seen_in(env, 1))]
    assert (np.diff(counts) >= 0).all()
    assert counts[-1] > 0


def replayed(mode, options):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0, options=options)
    seen_in(env)
    return env.snapshot()


@RESTARTING
def test_a_fork_keeps_who_is_bound_to_come_back(mode):
    env = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env.reset(seed=0, options={"users": USERS})
    fork = env.snapshot()
    twin = make_vector_env(3, **SMALL, autoreset_mode=mode)
    twin.restore(fork)
    assert (seen_in(twin) == USERS).all()


@RESTARTING
def test_options_survive_automatic_resets_through_the_wrappers(mode):
    world = make_vector_env(3, **SMALL, autoreset_mode=mode)
    env = VectorSeen(VectorCandidateSet(world, 6), Embedded(world.catalog.genre_matrix))
    first, _ = env.reset(seed=0, options={"users": USERS})
    assert (first["user"] == USERS).all()
    space = SlateSpace(6, (3, 3), seed=0)
    offers = [first["candidates"]]
    for _ in range(7):
        observation, *_ = env.step(space.sample())
        assert (observation["user"] == USERS).all()
        offers.append(observation["candidates"])
    assert len(np.unique(offers, axis=0)) > 4  # a step that only restarts offers them again
    again = VectorCandidateSet(make_vector_env(3, **SMALL, autoreset_mode=mode), 6)
    again.reset(seed=0, options={"users": USERS})
    space.seed(0)
    for offer in offers[1:]:
        np.testing.assert_array_equal(again.step(space.sample())[0]["candidates"], offer)
