"""Copies of environments that have answered: they answer as the original would have."""

import copy
import gc
import pickle
from functools import partial

import gymnasium as gym
import numpy as np
import pytest

import simenv  # noqa: F401 (registers the environments)
from agents.assembly import make_engine, make_env, make_vector_env
from agents.inference.local.local_engine import LocalEngine
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.answer_cache import cached_engine
from agents.population.population import Population


def again(env):
    return pickle.loads(pickle.dumps(env))


MAKERS = {
    "scripted, single": partial(gym.make, "ScriptedRec-v0"),
    "scripted, batch": partial(gym.make_vec, "ScriptedRec-v0", 3),
    "personas, single": partial(gym.make, "PersonaRec-v0"),
    "personas, batch": partial(gym.make_vec, "PersonaRec-v0", 3),
    "personas, metered": partial(make_vector_env, 3, engine_info=True),
    "personas, Hugging Face": partial(make_vector_env, 3, engine=partial(LocalEngine, fast=False)),
    "personas, rule": partial(make_env, engine="scripted"),
    "personas, cached": partial(
        make_vector_env, 3, engine=partial(cached_engine, engine=LocalEngine)
    ),
}


@pytest.mark.parametrize("duplicate", [copy.deepcopy, again])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_copy_of_an_environment_that_has_answered_answers_the_same(make, duplicate):
    env = make()
    env.reset(seed=3)
    env.action_space.seed(0)
    env.step(env.action_space.sample())
    env.reset()  # memories stay; a single user may have left
    slates = env.action_space.sample()
    twin = duplicate(env)
    wanted, worth, *_ = env.step(slates)
    env.close()
    del env
    gc.collect()  # nothing of the copy may lie in the original's memory
    noise = [np.full(10**6, np.nan, dtype=np.float32) for _ in range(20)]
    seen, paid, *_ = twin.step(slates)
    del noise
    np.testing.assert_allclose(paid, worth, atol=1e-6)
    for key, values in wanted.items():
        np.testing.assert_array_equal(seen[key], values)


def test_a_copy_is_another_world():
    env = gym.make("PersonaRec-v0")
    env.reset(seed=0)
    before = env.unwrapped.snapshot()
    twin = copy.deepcopy(env)
    twin.step([1, 2, 3, 4, 5])
    twin.close()
    assert env.unwrapped.snapshot() == before
    env.step([1, 2, 3, 4, 5])


def test_a_copy_of_an_engine_on_a_server_has_its_own_connections_and_no_pickle_holds_the_key():
    pytest.importorskip("openai")
    population = Population.load("pocket")
    server = partial(ServerEngine, base_url="http://localhost:9/v1", api_key="secret-key")
    engine = make_engine(population, server)
    twin = copy.deepcopy(engine)
    assert twin.facts == engine.facts
    own, others = ([place.client._client for place in e._client._places] for e in (twin, engine))
    assert own[0] is not others[0]
    engine.close()
    with pytest.raises(TypeError, match=r"without a key, got a connection of engine=server; build"):
        pickle.dumps(twin)
