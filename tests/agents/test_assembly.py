"""``PersonaRec-v0`` as everybody meets it."""

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import simenv  # noqa: F401  (registers the environments)
from agents.assembly import make_engine, make_env, make_vector_env, persona_users
from agents.inference.local.light import base_model
from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.population.population import SHIPPED
from simenv.testing.environments import EnvironmentContract, assert_equal_trees, check_checkers

SMALL = {"engine": "scripted", "slate_size": 3, "history_length": 8}


@pytest.fixture(scope="module")
def folder(population, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("population") / "five"
    population.save(path)
    return path


def test_personarec_passes_both_checkers(folder):
    check_checkers(
        lambda: gym.make("PersonaRec-v0", population=str(folder), **SMALL, repeats="replace")
    )


class TestPersonaRec(EnvironmentContract):
    @pytest.fixture
    def make_env(self, folder):
        return lambda **more: make_env(population=folder, **SMALL, **more)

    @pytest.fixture
    def make_batch(self, folder):
        return lambda n, **more: make_vector_env(n, population=folder, **SMALL, **more)


def test_the_readmes_loop_runs_on_the_shipped_population():
    env = gym.make("PersonaRec-v0", slate_size=5, session_steps=2)
    rng, done, steps = np.random.default_rng(0), False, 0
    env.reset(seed=0)
    while not done:
        slate = rng.choice(env.action_space.nvec[0], size=5, replace=False)
        observation, reward, terminated, truncated, _ = env.step(slate)
        done, steps = terminated or truncated, steps + 1
    assert steps <= 2
    assert 1 <= reward <= 5
    assert observation in env.observation_space
    assert isinstance(env.unwrapped.user_model.engine, LocalEngine)
    env.close()


def test_the_readmes_batch_runs_and_replays_on_the_pocket_model(population):
    runs = []
    for _ in range(2):
        envs = gym.make_vec("PersonaRec-v0", num_envs=4, population=population, slate_size=5)
        envs.reset(seed=0)
        runs.append([envs.step(np.tile(np.arange(5) + t, (4, 1))) for t in range(3)])
        envs.close()
    assert_equal_trees(*runs)
    assert type(envs).__name__ == "RecVectorEnv"


def test_people_may_come_as_population_folder_or_path(population, folder):
    for people in (population, folder, str(folder)):
        env = make_env(population=people, **SMALL)
        assert env.catalog.titles == population.catalog.titles


def test_no_population_means_the_shipped_one():
    env = make_env(**SMALL)
    assert env.user_model.population.model == str(SHIPPED / "model")


@pytest.mark.slow
def test_readers_are_asked_by_their_name_and_answer_light_as_by_the_libraries(monkeypatch):
    def asked():
        env = make_env(population="readers", slate_size=5)
        users = env.user_model
        chances = users.probabilities(np.array([3, 70, 201]), np.arange(15).reshape(3, 5))
        return users.engine, chances

    engine, light = asked()
    assert engine._base._light is not None
    assert len(np.unique(light.round(6))) > 60
    before = engine.stats.run_tokens
    env = make_env(population="readers", engine=lambda *_, **__: engine, slate_size=5)
    env.user_model.probabilities(np.array([70]), np.arange(5, 10)[None])
    assert engine.stats.run_tokens - before <= 5 * 12  # cues alone
    monkeypatch.setattr(base_model, "_open_light", lambda *asked: None)
    np.testing.assert_array_equal(asked()[1], light)


def test_session_steps_and_max_episode_steps_both_reach_the_batch(population):
    for name in ("session_steps", "max_episode_steps"):
        assert make_vector_env(2, population, **SMALL, **{name: 3}).max_episode_steps == 3


def test_closing_the_environment_closes_the_engine(population):
    closed = []

    class Watched(ScriptedEngine):
        def close(self):
            closed.append(True)

    env = make_env(population, engine=lambda model, adapters: Watched(), slate_size=3)
    env.reset(seed=0)
    env.close()
    assert closed == [True]


def test_a_callable_engine_gets_the_model_and_the_adapters(change):
    people = change(model="owner/model", adapters={"ann": "a-folder"})
    asked = []

    def engine(model, adapters):
        asked.append((model, dict(adapters)))
        return ScriptedEngine()

    assert isinstance(make_engine(people, engine), ScriptedEngine)
    assert asked == [("owner/model", {"ann": "a-folder"})]


def test_an_unknown_engine_is_refused_with_the_known_ones(population):
    with pytest.raises(
        ValueError, match=r"engine wanted one of .*'local', .*'scripted'.* got 'oracle'"
    ):
        make_engine(population, "oracle")


def test_persona_users_answer_on_the_engine_named(population):
    users = persona_users(population, "scripted")
    assert users.engine.description.startswith("scripted (no language model)")
    assert users.num_users == 5


def test_engine_info_tells_what_a_step_cost_on_request(population):
    settings = {"population": population, "slate_size": 3}
    plain = gym.make_vec("PersonaRec-v0", num_envs=2, **settings)
    plain.reset(seed=0)
    slates = np.tile(np.arange(3), (2, 1))
    assert "engine" not in plain.step(slates)[4]
    plain.close()
    envs = gym.make_vec("PersonaRec-v0", num_envs=2, engine_info=True, **settings)
    for _ in range(2):  # a seed restarts the counting
        envs.reset(seed=0)
        for step in (1, 2):
            *_, info = envs.step(slates + 3 * step)
            assert info["engine"]["exposures"] == 6 * step
            assert info["engine"]["steps"] == step
            assert info["engine"]["step_seconds"]["p95"] > 0
    assert info["user"].shape == (2,)
    envs.close()
    env = gym.make("PersonaRec-v0", engine_info=True, **settings)
    env.reset(seed=0)
    *_, info = env.step(np.arange(3))
    assert info["engine"]["exposures"] == 3
    assert info["engine"]["peak_memory_bytes"] > 2**20
    env.close()


def test_an_environment_that_tells_its_cost_passes_both_checkers(folder):
    env = gym.make(
        "PersonaRec-v0", population=str(folder), **SMALL, repeats="replace", engine_info=True
    )
    check_checkers(lambda: env.unwrapped)  # seconds differ from run to run
    pytest.importorskip("stable_baselines3.common.env_checker").check_env(env)


def test_the_people_are_put_on_another_model_without_their_adapters(change, adapter_folders):
    name = next(iter(adapter_folders))
    names = {name: str(adapter_folders[name])}
    dressed = change(adapters=names)
    dressed = replace(dressed, personas=[replace(p, adapter=name) for p in dressed.personas])
    asked = []

    def engine(model, adapters=None):
        asked.append((model, dict(adapters)))
        return ScriptedEngine()

    env = make_env(population=dressed, model="some/model", engine=engine, slate_size=3)
    people = env.user_model.population
    assert asked == [("some/model", {})]
    assert [p.adapter for p in people.personas] == [None] * 5
    assert [p.profile for p in people.personas] == [p.profile for p in dressed.personas]
    assert people.card["people"] == f"those of {dressed.name}"
    make_vector_env(2, population=dressed, model="some/model", engine=engine, slate_size=3).close()
    assert asked[1:] == [("some/model", {})]


def test_a_plain_model_folder_plays_without_a_population(pocket_folder):
    env = gym.make("PersonaRec-v0", model=str(pocket_folder), slate_size=5, session_steps=1)
    env.reset(seed=0)
    assert 1 <= env.step(np.arange(5))[1] <= 5
    env.close()
