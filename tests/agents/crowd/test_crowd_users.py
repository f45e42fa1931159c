"""People on disk answer, learn and forget as people in memory do."""

from dataclasses import fields, replace

import numpy as np
import pytest

from agents.crowd import shelf
from agents.crowd.crowd_users import CrowdUsers, write_crowd
from agents.crowd.tables import people_schema, people_table, personas_of
from agents.inference.scripted import ScriptedEngine
from agents.persona import Persona
from agents.persona_users import PersonaUsers
from experiments.people.sized_populations import crowd
from simenv.events import Slates
from simenv.seeding import row_seeds
from simenv.testing.user_models import UserModelContract


@pytest.fixture
def folder(population, tmp_path):
    write_crowd(tmp_path / "crowd", [crowd(population, 4), crowd(population, 7, first=4)])
    return tmp_path / "crowd"


@pytest.fixture
def in_memory(population):
    return PersonaUsers(crowd(population, 11), ScriptedEngine())


class TestCrowdUsers(UserModelContract):
    num_items = 12

    @pytest.fixture
    def make_users(self, population, folder):
        return lambda: CrowdUsers(population, folder, ScriptedEngine())


def lived(users, ticks=30, among=11, seed=0):
    """All that a life brings: who is awake, what is shown and what comes of it."""
    rng, found = np.random.default_rng(seed), []
    for tick in range(ticks):
        awake = rng.choice(among, 3, replace=False)
        items = np.array([rng.choice(12, 3, replace=False) for _ in awake])
        slates = Slates(items, np.zeros(items.shape))
        seeds = row_seeds(tick, awake, tick)
        if tick % 5 == 0:
            users.start_session(awake)
        feedback = users.respond(awake, slates, seeds)
        users.remember(awake, slates, feedback)
        found.append(feedback)
    return found


def assert_same(mine, theirs):
    for own, other in zip(mine, theirs, strict=True):
        for name in ("ratings", "taken", "expected", "quits", "probabilities"):
            np.testing.assert_array_equal(getattr(own, name), getattr(other, name))


def test_a_life_on_disk_is_the_life_in_memory(population, folder, in_memory):
    users = CrowdUsers(population, folder, ScriptedEngine())
    assert users.num_users == 11
    assert_same(lived(users), lived(in_memory))
    for user in range(11):
        assert users.decisions(user) == in_memory.memory.decisions(user)


def test_outdated_rows_are_cleared_away_and_nothing_changes(
    population, folder, in_memory, tmp_path, monkeypatch
):
    monkeypatch.setattr(shelf, "BATCH", 2)
    write_crowd(folder, [crowd(population, 11)])
    users = CrowdUsers(population, folder, ScriptedEngine(), changes=tmp_path / "changes")
    assert_same(lived(users, ticks=60), lived(in_memory, ticks=60))
    assert len(list((tmp_path / "changes" / "decisions").glob("*.arrow"))) <= 12
    assert users.decisions(3) == in_memory.memory.decisions(3)


def test_what_was_learnt_is_there_when_the_folder_is_opened_again(population, folder, tmp_path):
    first = CrowdUsers(population, folder, ScriptedEngine(), changes=tmp_path / "changes")
    lived(first)
    again = CrowdUsers(population, folder, ScriptedEngine(), changes=tmp_path / "changes")
    others = CrowdUsers(population, folder, ScriptedEngine())
    known = [again.decisions(user) for user in range(11)]
    assert known == [first.decisions(user) for user in range(11)]
    assert known != [others.decisions(user) for user in range(11)]
    lived(again, seed=1)
    again.reset()
    assert [again.decisions(user) for user in range(11)] == known


def test_personas_come_back_exactly(population):
    genres = population.catalog.genre_names
    people = crowd(population, 11).personas
    people[3] = replace(people[3], gate=(0.25, 0.75), adapter="facets", cluster=7)
    assert personas_of(people_table(people, genres), genres) == people
    odd = replace(people[0], tastes={"Nowhere": 1.0})
    with pytest.raises(ValueError, match=r"tastes for genres of the catalogue .*got \['Nowhere'\]"):
        people_table([odd], genres)


def test_all_that_a_persona_is_has_a_column(population):
    named = people_schema(population.catalog.genre_names).names
    assert named == [each.name for each in fields(Persona)]


def test_rows_come_in_the_order_asked_for_also_twice(population, folder):
    users = CrowdUsers(population, folder, ScriptedEngine())
    rows = np.array([10, 0, 7, 0, 4])
    found = personas_of(users._people.take(rows), population.catalog.genre_names)
    everybody = crowd(population, 11).personas
    assert found == [everybody[row] for row in rows]


def test_what_is_no_crowd_is_refused(population, folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"people\.arrow.* write them with write_crowd"):
        CrowdUsers(population, tmp_path / "nowhere", ScriptedEngine())
    with pytest.raises(ValueError, match="at least one population, got none"):
        write_crowd(tmp_path / "empty", [])
    assert not (tmp_path / "empty").exists()
    (folder / "people.arrow").write_bytes(b"half of it")
    with pytest.raises(ValueError, match=r"people\.arrow is not the file that crowd\.json was"):
        CrowdUsers(population, folder, ScriptedEngine())
