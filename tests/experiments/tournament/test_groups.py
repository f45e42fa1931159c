"""Groups and counts come from who answers, however the user model is wrapped."""

from dataclasses import replace

import pytest
from hydra import compose, initialize_config_module

from agents.inference.scripted import ScriptedEngine
from agents.inference.stats import EngineStats
from agents.population.population import Population
from experiments.people.people import personas
from experiments.policy_ranking.run import run
from experiments.tournament.groups import persona_groups
from simenv.data.synthetic import synthetic
from simenv.users.visit_effects import TiringUsers, VisitEffects
from training.populate import population_from_dataset


class Counting(ScriptedEngine):
    """Counts prompt tokens as a language model's engine does: ten a request."""

    def __init__(self):
        super().__init__()
        self.counted = EngineStats()

    @property
    def stats(self):
        return self.counted

    def score(self, requests, choices):
        self.counted.requests += len(requests)
        self.counted.prompt_tokens += 10 * len(requests)
        return super().score(requests, choices)


def clustered(people):
    """The same people, in two clusters."""
    return replace(
        people, personas=[replace(p, cluster=u % 2) for u, p in enumerate(people.personas)]
    )


def wrapped(dataset):
    """Personas in two clusters, behind a user model that adds something to them."""
    people = personas(dataset, lambda *_, **__: Counting())
    tired = TiringUsers(people.model, dataset.catalog, VisitEffects())
    return people._replace(model=tired, fidelity=None, population=clustered(people.population))


@pytest.fixture(scope="module")
def results():
    overrides = ["experiment=policy_ranking", "debug=tiny", "users=scripted", "output_dir=here"]
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", [*overrides, f"users._target_={__name__}.wrapped"])
    return run(cfg).values


def test_a_wrapped_user_model_keeps_its_persona_groups(results):
    assert {"persona 1", "persona 2"} <= {group["group"] for group in results["groups"]}


def test_a_wrapped_user_models_engine_is_metered_and_its_tokens_counted(results):
    assert results["engine"]["engine"] == "scripted (no language model)"
    assert results["engine"]["exposures"] > 0
    assert results["stop"]["tokens"] > 0


def test_without_a_population_groups_are_trait_levels():
    dataset = synthetic(1, num_users=20, num_items=60)
    people = population_from_dataset(dataset, Population.shipped())
    levels = persona_groups(dataset, None)
    assert levels.keys() == persona_groups(dataset, people).keys()
    found = persona_groups(dataset, clustered(people))
    assert found.keys() - levels.keys() == {"persona 1", "persona 2"}
    assert found["persona 2"].sum() == 10
