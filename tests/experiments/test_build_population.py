"""The builder, whole and tiny: what it writes is a population that an environment runs."""

from contextlib import nullcontext
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from omegaconf import OmegaConf

import simenv  # noqa: F401
from agents.inference.local.local_engine import LocalEngine
from agents.population.population import Population
from experiments.build_population import fidelity_card
from experiments.build_population.run import _why
from simenv.data.synthetic import synthetic
from tests.experiments.command import forecast_of, questions_counted, run_command
from training.spreading import one_by_one


def test_the_card_says_the_same_whoever_is_ready_first(monkeypatch):
    def backwards(parts, begins):
        return one_by_one(dict(reversed(parts.items())), begins)

    monkeypatch.setattr(fidelity_card, "_measured", lambda people, dataset, num: (people, num))
    people = Population.shipped()
    settings = SimpleNamespace(num_users=7, unseen_worlds=(), unseen_drawn_worlds=())
    asked = people, None, settings, True
    here = fidelity_card.measure_people(*asked)
    there = fidelity_card.measure_people(*asked, nullcontext(backwards))
    assert list(here) == list(there) == ["own later ratings", "own later ratings, no adapters"]
    assert [found[0].adapters == people.adapters for found in there.values()] == [True, False]
    assert {found[1] for found in there.values()} == {7}


@pytest.mark.parametrize(
    ("slm", "purpose"),
    [(None, "running and testing everything with no download"), ("smollm2", "ranking policies")],
)
def test_people_on_a_model_of_their_own_are_not_taken_for_the_shipped_ones(
    monkeypatch, slm, purpose
):
    monkeypatch.setattr("sys.argv", ["personarec", "experiment=build_population", "data.seed=3"])
    settings = {"slm": slm, "purpose": None, "command": None}
    world = synthetic(3, num_users=4, num_items=20)
    told = _why(OmegaConf.create({"experiment": settings}), world)
    assert told["for"].startswith(purpose)
    assert told["command"] == "personarec experiment=build_population data.seed=3"


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
