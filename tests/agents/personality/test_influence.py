"""How far people follow the average, and people like them."""

import re
from dataclasses import replace

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.personality.influence import follows_average, follows_friends

PEOPLE, ITEMS = np.array([0, 2, 3]), np.array([1, 5, 8])


class Follower(ScriptedEngine):
    """Gives what stands behind a word, exactly: two neighbouring stars with that mean."""

    def __init__(self, word):
        super().__init__()
        self.word = re.compile(rf"{word} (\d\.\d)")

    def score(self, requests, choices):
        stars = np.array([float((self.word.findall(r.suffix) or ["3.0"])[-1]) for r in requests])
        whole = np.minimum(np.floor(stars), 4).astype(int)
        chances = np.full((len(requests), 5), 1e-12)
        rows = np.arange(len(requests))
        chances[rows, whole - 1] += 1 - (stars - whole)
        chances[rows, whole] += stars - whole
        return np.log(chances / chances.sum(axis=1, keepdims=True))


def test_somebody_who_says_the_average_follows_it_wholly_and_friends_not(population):
    users = PersonaUsers(population, Follower("AVERAGE"))
    assert follows_average(users, PEOPLE, ITEMS) == pytest.approx(np.ones(3), abs=0.06)
    assert follows_friends(users, PEOPLE, ITEMS).tolist() == [0.0] * 3


def test_somebody_who_says_what_friends_gave_follows_them_alone(population):
    users = PersonaUsers(population, Follower("PEERS"))
    assert follows_friends(users, PEOPLE, ITEMS) == pytest.approx(np.ones(3), abs=0.06)
    assert follows_average(users, PEOPLE, ITEMS).tolist() == [0.0] * 3


def test_an_average_near_the_end_of_the_stars_is_moved_as_far_as_there_is_room(population):
    fair = population.averages.fair.copy()
    fair[ITEMS] = [4.6, 1.2, 3.0]  # 3.6 to 5, 1 to 2.2 and 2 to 4: who says them follows wholly
    near = replace(population, averages=replace(population.averages, fair=fair))
    found = follows_average(PersonaUsers(near, Follower("AVERAGE")), PEOPLE, ITEMS)
    assert found == pytest.approx(np.ones(3), abs=0.01)


def test_asking_changes_nobody_and_not_the_prompts(scripted_users):
    before = scripted_users.snapshot()
    prompts = scripted_users.requests(PEOPLE, np.tile(ITEMS, (3, 1)))
    follows_average(scripted_users, PEOPLE, ITEMS)
    follows_friends(scripted_users, PEOPLE, ITEMS)
    assert scripted_users.snapshot() == before
    assert scripted_users.requests(PEOPLE, np.tile(ITEMS, (3, 1))) == prompts


def test_no_item_is_an_error(scripted_users):
    with pytest.raises(ValueError, match="at least one item to ask about"):
        follows_average(scripted_users, PEOPLE, ITEMS[:0])
