"""Agent against person: the figures, and that measuring neither changes nor leaks anything."""

from dataclasses import replace

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.fidelity.held_out import earliest_rows, measure, rate
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from simenv.catalog import Catalog
from simenv.data.splits import split_dataset
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.populate import population_from_dataset


@pytest.fixture(scope="module")
def dataset():
    return synthetic(3, num_users=12, num_items=50)


@pytest.fixture
def users(dataset, population):
    return PersonaUsers(population_from_dataset(dataset, population), ScriptedEngine())


def test_earliest_rows_are_the_first_of_each_user():
    log = InteractionLog.from_columns(
        [0, 0, 0, 2, 2], [0, 1, 2, 0, 1], [3.0] * 5, num_users=3, num_items=3
    )
    assert earliest_rows(log, np.array([2, 0, 1]), 2).tolist() == [3, 4, 0, 1]
    assert earliest_rows(log, np.array([], dtype=int), 2).tolist() == []


def test_rate_answers_every_row_as_if_it_were_asked_alone(users, dataset):
    log = dataset.test.take(earliest_rows(dataset.test, np.arange(3), 11))
    chances = rate(users, log)
    for row in (0, 7, 8, 10, len(log) - 1):
        alone = users.probabilities(log.users[[row]], log.items[[row]][:, None])
        np.testing.assert_allclose(chances[row], alone[0, 0], atol=1e-12)


def test_measuring_changes_no_memory(users, dataset):
    before = users.snapshot()
    measure(users, dataset, np.arange(4), most_rows=5)
    assert users.snapshot() == before


def test_figures_are_the_errors_of_the_expected_stars(users, dataset):
    found = measure(users, dataset, np.arange(4), most_rows=5)
    assert found["num_ratings"] == 4 * 5
    assert found["num_users"] == 4
    log = dataset.test.take(earliest_rows(dataset.test, np.arange(4), 5))
    chances = rate(users, log)
    errors = chances @ np.arange(1, 6) - log.ratings
    mine = found["predictors"]["simulated users"]
    assert mine["rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert mine["mae"] == pytest.approx(abs(errors).mean())
    low, high = mine["rmse_ci95"]
    assert low <= mine["rmse"] <= high
    said = chances[np.arange(20), log.ratings.astype(int) - 1]
    assert mine["log_loss"] == pytest.approx(-np.log(said).mean())


def test_predictors_learn_from_training_rows_only(users, dataset):
    """Flipping what comes after the rows asked for changes no prediction, hence no error."""
    most, test = 5, dataset.test
    late = np.ones(len(test), dtype=bool)
    late[earliest_rows(test, np.arange(4), most)] = False
    flipped = replace(test, ratings=np.where(late, 6 - test.ratings, test.ratings))
    assert late.sum() > 20
    assert measure(users, dataset, np.arange(4), most) == measure(
        users, replace(dataset, test=flipped), np.arange(4), most
    )


def test_predictors_also_learn_from_other_peoples_rows():
    catalog = Catalog(("A", "B"), np.zeros(2, int), (("War",), ("War",)))
    log = InteractionLog.from_columns([0, 0], [0, 1], [3.0, 5.0], num_users=1, num_items=2)
    others = InteractionLog.from_columns([0, 1], [1, 1], [5.0, 5.0], num_users=2, num_items=2)
    data = split_dataset("d", catalog, log, ("0",), 0.5, background=others)

    class Oracle:
        def probabilities(self, users, items, chosen=False):
            return np.full((*items.shape, 5), 0.2)

    found = measure(Oracle(), data, np.array([0]))["predictors"]
    assert found["item mean"]["rmse"] == 0.0, "others gave item B 5 and so does user 0"
    assert found["user mean"]["rmse"] == pytest.approx(5 - 3)
    assert found["global mean"]["rmse"] == pytest.approx(5 - (3 + 5 + 5) / 3)


@pytest.mark.slow
def test_shipped_people_of_an_unseen_world_beat_simple_predictors():
    world = synthetic(9001)
    model = persona_users(population_from_dataset(world, Population.shipped()))
    who = np.flatnonzero(np.diff(world.test.offsets()))[:200]
    found = {name: row["rmse"] for name, row in measure(model, world, who)["predictors"].items()}
    mine = found["simulated users"]
    assert mine < found["user mean"]
    assert mine < found["item mean"]
    assert mine <= found["bias model"] + 0.01
