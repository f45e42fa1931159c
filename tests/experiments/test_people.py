"""Who answers, and that a stand-in is never mistaken for a language model."""

from types import SimpleNamespace

import pytest

from agents.embedding import HashingEmbedder
from agents.prompts import PromptStyle
from experiments.people import SCRIPTED_WARNING, personas, scripted, scripted_engine
from simenv.data.synthetic import synthetic
from training.assembly import population_from_dataset


@pytest.fixture(scope="module")
def dataset():
    return synthetic(1, num_users=8, num_items=80)


@pytest.fixture(scope="module")
def people(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("population") / "stub"
    base = SimpleNamespace(model="none", style=PromptStyle(), adapters={}, card={}, name="stub")
    population_from_dataset(synthetic(2, num_users=5, num_items=60), base).save(folder)
    return personas(dataset, [0, 1, 2], engine=scripted_engine, population=str(folder))


def test_personas_are_the_people_of_the_data_set_not_of_the_population(people, dataset):
    assert people.model.num_users == dataset.num_users
    assert people.card["population"]["name"] == dataset.name


def test_the_embedder_asked_for_is_the_one_that_memories_are_found_by(dataset):
    found = personas(dataset, [0], scripted_engine, embedder=HashingEmbedder(num_dims=96))
    assert found.model.population.vectors.shape == (dataset.num_items, 96)


def test_a_scripted_engine_is_called_so_on_the_card(people):
    assert people.card["kind"] == "persona"
    assert people.card["engine"].startswith("scripted")
    assert people.card["warning"] == SCRIPTED_WARNING


def test_fidelity_of_personas_stands_beside_the_simple_predictors(people, dataset):
    found = people.fidelity(people.model, dataset, [0, 1, 2])
    assert next(iter(found["predictors"])) == "simulated users"
    assert len(found["predictors"]) > 3
    assert all(row["rmse"] > 0 for row in found["predictors"].values())


def test_scripted_users_need_a_known_truth(dataset):
    blind = SimpleNamespace(name="real", truth=None)
    with pytest.raises(ValueError, match="users=scripted wanted a data set with a known truth"):
        scripted(blind, [0])


def test_scripted_users_measure_no_fidelity_against_themselves(dataset):
    found = scripted(dataset, [0])
    assert found.fidelity is None
    assert found.card["warning"] == SCRIPTED_WARNING
