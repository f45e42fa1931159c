"""Who answers, and that users without a language model are never mistaken for one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import agents.population.folder as population_folder
from agents.embedding import HashingEmbedder
from agents.population.folder import INSIDE
from agents.population.population import POCKET, SHIPPED
from agents.prompt_style import PromptStyle
from experiments.people.ablations import ablated
from experiments.people.base_models import model_named
from experiments.people.people import SCRIPTED_WARNING, personas, scripted, scripted_engine
from experiments.people.saved_people import population_data
from simenv.data.synthetic import synthetic
from training.populate import population_from_dataset


@pytest.fixture(scope="module")
def dataset():
    return synthetic(1, num_users=8, num_items=80)


@pytest.fixture(scope="module")
def people(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("population") / "stub"
    base = SimpleNamespace(model="none", style=PromptStyle(), adapters={}, card={}, name="stub")
    population_from_dataset(synthetic(2, num_users=5, num_items=60), base).save(folder)
    return personas(dataset, engine=scripted_engine, model=str(folder))


def test_personas_are_the_people_of_the_data_set_not_of_the_population(people, dataset):
    assert people.model.num_users == dataset.num_users
    assert people.card["population"]["name"] == dataset.name


def test_the_embedder_asked_for_is_the_one_that_memories_are_found_by(dataset):
    found = personas(dataset, scripted_engine, embedder=HashingEmbedder(num_dims=96))
    by_ratings = dataset.num_users - 1  # directions of agreement that stand beside the words
    assert found.model.population.vectors.shape == (dataset.num_items, by_ratings + 96)


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
        scripted(blind)


def test_scripted_users_measure_no_fidelity_against_themselves(dataset):
    found = scripted(dataset)
    assert found.fidelity is None
    assert found.card["warning"] == SCRIPTED_WARNING


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    """A saved population of the data set's own people."""
    place = tmp_path_factory.mktemp("saved") / "people"
    base = SimpleNamespace(model="none", style=PromptStyle(), adapters={}, card={}, name="own")
    own = population_from_dataset(dataset, base)
    marked = [replace(p, profile=f"I am {u}.") for u, p in enumerate(own.personas)]
    replace(own, personas=marked).save(place)
    return place


def test_a_population_brings_its_own_people(dataset, folder):
    found = personas(dataset, scripted_engine, population=str(folder))
    assert [p.profile for p in found.model.population.personas][:2] == ["I am 0.", "I am 1."]
    assert found.fidelity is not None


def test_a_population_of_other_people_is_refused(folder):
    with pytest.raises(ValueError, match="has 8 people over 80 items, but data 'synthetic-1' has"):
        personas(synthetic(1, 9, 80), scripted_engine, population=str(folder))
    with pytest.raises(ValueError, match="they are other people; use the data and the seed"):
        personas(synthetic(2, 8, 80), scripted_engine, population=str(folder))


def test_population_and_model_are_not_given_together(dataset, folder):
    with pytest.raises(ValueError, match="wanted population or model, got both"):
        personas(dataset, scripted_engine, population=str(folder), model=str(folder))


def test_a_saved_population_is_a_data_set_whose_people_remember_the_training_rows_only(folder):
    data = population_data(str(folder))
    found = personas(data, scripted_engine, population=str(folder))
    assert len(found.model.population.history) == len(data.train)
    assert len(data.test) > 0
    assert found.fidelity is None  # profiles were made of the held-out rows too


def with_adapters(people):
    own = [replace(p, adapter=f"a{u % 3}") for u, p in enumerate(people.personas)]
    return replace(people, personas=own, adapters={f"a{i}": f"folder{i}" for i in range(3)})


def test_ablations_take_away_what_they_say(people):
    whole = with_adapters(people.model.population)
    assert ablated(whole, "none") is whole
    assert not ablated(whole, "no_ms").style.persona
    assert ablated(whole, "no_ml").style.recalled == 0
    assert {p.adapter for p in ablated(whole, "no_adapter").personas} == {None}
    assert {p.adapter for p in ablated(whole, "shared_adapter").personas} == {"a0"}
    shuffled = ablated(whole, "shuffled_adapters").personas
    pairs = zip(shuffled, whole.personas, strict=True)
    assert all(new.adapter != old.adapter for new, old in pairs)


def test_an_ablation_of_adapters_wants_adapters(people):
    with pytest.raises(ValueError, match=r"shared_adapter wanted people with at least 1 adapters"):
        ablated(people.model.population, "shared_adapter")
    with pytest.raises(ValueError, match=r"users\.ablation wanted one of none, no_ms"):
        ablated(people.model.population, "no_luck")


def test_a_plain_model_folder_answers_for_the_data_sets_own_people(dataset):
    folder = str(SHIPPED / "model")
    found = personas(dataset, scripted_engine, model=folder)
    assert found.population.model == folder
    assert found.population.style == PromptStyle()
    assert found.model.num_users == dataset.num_users
    assert found.card["population"]["model"] == "model"


def test_without_a_model_the_shipped_population_answers_and_others_by_their_names(dataset):
    def asked(model):
        return personas(dataset, scripted_engine, model=model).population

    assert asked(None).model == str(SHIPPED / "model")
    assert asked("shipped").model == asked("pocket").model == str(POCKET / "model")
    readers = asked("readers")
    assert readers.model == str(INSIDE / "readers" / "model")
    assert readers.style.reading == "blocks"
    assert readers.personas[0].profile != asked("pocket").personas[0].profile  # told in words


def test_a_name_that_may_be_on_the_hub_is_looked_up_there(monkeypatch):
    asked = []

    def holds(repo_id, file):
        asked.append((repo_id, file))
        return repo_id == "ann/people"

    monkeypatch.setattr(population_folder, "holds", holds)
    assert population_folder.is_population("ann/people")
    assert not population_folder.is_population("ann/model")
    assert not population_folder.is_population("smollm2")
    assert population_folder.is_population(SHIPPED)
    assert not population_folder.is_population(SHIPPED / "model")
    assert asked == [("ann/people", "population.json"), ("ann/model", "population.json")]


def test_a_population_where_a_model_is_wanted_is_told_apart():
    with pytest.raises(
        ValueError, match=rf"slm wanted a model, got the population .*{SHIPPED.name}; name"
    ):
        model_named(str(SHIPPED))
    small = str(POCKET / "model")
    assert model_named(None) == model_named("shipped") == model_named("pocket") == small
    assert model_named("readers") == str(INSIDE / "readers" / "model")
