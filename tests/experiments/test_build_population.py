"""The builder, whole and tiny: what it writes is a population that an environment runs."""

import gymnasium as gym
import numpy as np
import pytest

import simenv  # noqa: F401
from agents.inference.local.local_engine import LocalEngine
from agents.population.population import Population
from tests.experiments.command import forecast_of, questions_counted, run_command


@pytest.mark.slow
def test_a_built_population_runs_in_an_environment(tmp_path):
    words = ["experiment=build_population", "debug=tiny"]
    with questions_counted(LocalEngine) as asked:
        results = run_command(tmp_path, *words)
    assert sum(asked) == forecast_of(*words)
    figures = results["fidelity"]["own later ratings"]["predictors"]
    assert {"simulated users", "user mean", "item mean", "bias model"} <= set(figures)
    population = Population.load(tmp_path / "population")
    assert population.card["command"] == results["command"]
    env = gym.make("PersonaRec-v0", population=tmp_path / "population", slate_size=3)
    env.reset(seed=0)
    _, reward, *_ = env.step(np.arange(3))
    assert 1 <= reward <= 5
    env.close()
