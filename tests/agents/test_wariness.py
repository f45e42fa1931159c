"""What people would never pick loses stars, by numbers that one can follow by hand."""

from dataclasses import replace

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from agents.wariness import Wariness, lowered
from experiments.people.in_anothers_place import another, swapped
from experiments.people.sized_populations import crowd, first_people
from simenv.events import STARS

# Two people and three items: promises are 2, 3, 4 stars to the first and 4, 3, 2 to the second.
PEOPLE = np.array([[1.0, 0.0], [0.0, 1.0]])
ITEMS = np.array([[2.0, 4.0], [3.0, 3.0], [4.0, 2.0]])
WARY = Wariness(PEOPLE, ITEMS, np.array([[2.5], [3.5]]))
EVERYTHING = np.array([[0, 1, 2], [0, 1, 2]])


def test_what_promises_less_than_the_floor_loses_the_gap():
    lost = WARY.lost(np.array([0, 1]), EVERYTHING)
    assert lost.tolist() == [[0.5, 0.0, 0.0], [0.0, 0.5, 1.5]]


def test_chances_move_by_just_so_many_stars_and_the_others_stay_bit_for_bit():
    chances = np.tile([0.1, 0.2, 0.4, 0.2, 0.1], (2, 3, 1))
    before = chances.copy()
    found = WARY.applied(chances, np.array([0, 1]), EVERYTHING)
    np.testing.assert_allclose(found @ STARS, [[2.5, 3.0, 3.0], [3.0, 2.5, 1.5]], atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0)
    assert (found[0, 1:] == chances[0, 1:]).all()
    assert (chances == before).all()


def test_nothing_falls_below_one_star_and_what_lies_there_stays():
    chances = np.array([[0.1, 0.2, 0.4, 0.2, 0.1], [0.999, 0.001, 0.0, 0.0, 0.0]])
    found = lowered(chances, np.array([9.0, 1.0])) @ STARS
    np.testing.assert_allclose(found, [1.02, 1.001], atol=1e-9)


def test_an_answer_that_failed_stays_failed():
    chances = np.full((1, 1, 5), np.nan)
    assert np.isnan(WARY.applied(chances, np.array([0]), np.array([[0]]))).all()


@pytest.mark.parametrize(
    ("people", "floors", "wrong"),
    [
        (np.ones((2, 3)), np.zeros((2, 1)), r"people \(n, d\), items \(m, d\) and floors \(n, 1\)"),
        (PEOPLE, np.zeros((3, 1)), r"floors \(n, 1\), got"),
        (PEOPLE, np.array([[np.nan], [0.0]]), "wanted finite numbers, got others; learn it anew"),
    ],
)
def test_tables_that_do_not_fit_are_refused(people, floors, wrong):
    with pytest.raises(ValueError, match=wrong):
        Wariness(people, ITEMS, floors)


def test_of_some_people_it_is_theirs():
    turned = WARY.of(np.array([1, 0, 1]))
    assert turned.lost(np.array([0]), EVERYTHING[:1]).tolist() == [[0.0, 0.5, 1.5]]
    turned.check(3, 3)
    with pytest.raises(ValueError, match=r"a row for each of 2 people and 3 items, got 3 and 3"):
        turned.check(2, 3)


@pytest.fixture(scope="module")
def wary():
    """The shipped people, of whom everybody would never pick the first item."""
    people = Population.load("pocket")
    items = np.zeros((len(people.catalog), 1))
    items[0] = -1.0
    count = len(people.personas)
    return replace(people, wariness=Wariness(np.ones((count, 1)), items, np.zeros((count, 1))))


@pytest.mark.slow
def test_only_suggestions_lose_stars(wary):
    plain = PersonaUsers(replace(wary, wariness=None), ScriptedEngine())
    users, items = np.array([3, 4]), np.array([[0, 5], [0, 5]])
    said = PersonaUsers(wary, ScriptedEngine())
    before, after = (model.probabilities(users, items) for model in (plain, said))
    np.testing.assert_allclose((before - after)[:, 0] @ STARS, 1.0, atol=1e-6)
    assert (before[:, 1] == after[:, 1]).all()
    chosen = (model.probabilities(users, items, chosen=True) for model in (plain, said))
    np.testing.assert_array_equal(*chosen)


@pytest.mark.slow
def test_first_people_and_swapped_ones_keep_their_own(wary):
    some = first_people(wary, 5)
    assert len(some.wariness.people) == 5
    floors = np.arange(len(wary.personas), dtype=float)[:, None]
    told = replace(wary, wariness=replace(wary.wariness, floors=floors))
    lot = another(len(wary.personas), 3)
    assert (swapped(told, 3).wariness.floors[:, 0] == lot).all()
    assert crowd(told, 4, first=len(floors) - 2).wariness.floors[:, 0].tolist() == [
        len(floors) - 2, len(floors) - 1, 0, 1,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="a row for each of"):
        replace(wary, wariness=wary.wariness.of(np.arange(3)))


@pytest.mark.slow
def test_wary_people_are_saved_and_come_back(wary, tmp_path):
    wary.save(tmp_path / "people", copy_model=False)
    back = Population.load(tmp_path / "people").wariness
    assert back is not None
    np.testing.assert_allclose(back.items, wary.wariness.items)
    replace(wary, wariness=None).save(tmp_path / "people", copy_model=False)
    assert Population.load(tmp_path / "people").wariness is None
    assert not (tmp_path / "people" / "wariness.safetensors").exists()
