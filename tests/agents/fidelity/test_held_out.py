"""Agent against person: the figures, and that measuring neither changes nor leaks anything."""

from dataclasses import replace

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.fidelity.held_out import against_truth, earliest_rows, measure, rate
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
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


class AlwaysFour:
    """A user model that gives four stars to everything, for certain."""

    def probabilities(self, users, items, chosen=False):
        return np.broadcast_to(np.eye(5)[3], (*items.shape, 5))


def rated(*ratings, rows_each=1):
    """A data set whose user i gave ``ratings[i]`` to ``rows_each`` held-out items."""
    n, size = len(ratings), rows_each + 1
    catalog = Catalog(tuple(f"Item {i}" for i in range(size)), np.zeros(size, int), ((),) * size)
    train = InteractionLog.from_columns(
        np.arange(n), np.zeros(n, int), ratings, num_users=n, num_items=size
    )
    test = InteractionLog.from_columns(
        np.repeat(np.arange(n), rows_each), np.tile(np.arange(1, size), n),
        np.repeat(ratings, rows_each), num_users=n, num_items=size,
    )  # fmt: skip
    return Dataset(
        "rated", catalog, ItemAverages.of(train, catalog), train, test, tuple(map(str, range(n)))
    )


@pytest.mark.parametrize("rows_each", [1, 4])
def test_the_interval_holds_95_of_100_and_a_users_rows_are_one_piece_of_evidence(rows_each):
    """400 users, half of them off by 1 and half by 0: the mean square is 0.5 ± 1.96 · 0.5 / 20."""
    data = rated(*[4.0, 5.0] * 200, rows_each=rows_each)
    found = measure(AlwaysFour(), data, np.arange(400))["predictors"]["simulated users"]
    low, high = found["rmse_ci95"]
    assert found["rmse"] == pytest.approx(np.sqrt(0.5))
    assert low == pytest.approx(np.sqrt(0.5 - 1.96 * 0.5 / 20), abs=0.005)
    assert high == pytest.approx(np.sqrt(0.5 + 1.96 * 0.5 / 20), abs=0.005)


class Undecided:
    """A user model that says three stars with chance 0.4 and four with 0.6; it keeps what it is
    asked.
    """

    def __init__(self):
        self.asked = []

    def probabilities(self, users, items, chosen=False):
        self.asked.append((users, items, chosen))
        return np.broadcast_to([0, 0, 0.4, 0.6, 0], (*items.shape, 5))


def test_the_figures_of_a_card_are_their_arithmetic():
    """3.6 stars are expected; 4 and 5 came, and 5 was held to be impossible (1e-9 stands for it).

    Calibration: three stars were forecast 2 · 0.4 times and never came, four 2 · 0.6 times and came
    once, five never and came once.
    """
    found = measure(Undecided(), rated(4.0, 5.0), np.arange(2))
    assert found["num_users"] == found["num_ratings"] == 2
    assert found["predictors"]["simulated users"] == pytest.approx(
        {
            "rmse": np.sqrt((0.4**2 + 1.4**2) / 2),
            "rmse_ci95": pytest.approx([0.4, 1.4]),
            "mae": (0.4 + 1.4) / 2,
            "rmse_rounded": np.sqrt((0 + 1) / 2),
            "ece": (abs(2 * 0.4) + abs(2 * 0.6 - 1) + 1) / 10,
            "log_loss": -(np.log(0.6) + np.log(1e-9)) / 2,
        }
    )


def test_at_most_forty_rows_of_a_user_are_asked_unless_said_otherwise():
    data = rated(4.0, rows_each=41)
    assert measure(Undecided(), data, np.arange(1))["num_ratings"] == 40


def test_users_are_asked_about_what_they_chose_eight_at_a_time_and_256_slates_in_a_call():
    model, data = Undecided(), rated(*[4.0] * 130, rows_each=17)
    assert rate(model, data.test).shape == (130 * 17, 5)
    assert [len(users) for users, _, _ in model.asked] == [256, 130 * 3 - 256]
    assert {items.shape[1] for _, items, _ in model.asked} == {8}
    assert {chosen for *_, chosen in model.asked} == {True}
    users, items, _ = model.asked[0]
    assert users[:3].tolist() == [0, 0, 0]
    assert items[:3].tolist() == [[*range(1, 9)], [*range(9, 17)], [17] * 8]


def test_closeness_to_a_known_truth_is_over_items_drawn_at_random(dataset):
    who = np.array([2, 5, 7])
    rng = np.random.default_rng(4)
    items = np.stack([rng.permutation(50)[:8] for _ in who])
    true = dataset.truth.probabilities(who, items) @ np.arange(1, 6)
    model = Undecided()
    found = against_truth(model, dataset, who, np.random.default_rng(4))
    np.testing.assert_array_equal(model.asked[0][0], who)
    np.testing.assert_array_equal(model.asked[0][1], items)
    assert found == pytest.approx(
        {"rmse": np.sqrt(np.mean((3.6 - true) ** 2)), "bias": np.mean(3.6 - true)}
    )
    with pytest.raises(ValueError, match="against_truth wanted a world with known truth, got 'rat"):
        against_truth(Undecided(), rated(4.0), np.array([0]), rng)


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
