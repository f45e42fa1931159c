"""A student learns what a model said, from questions that leave held-out rows alone."""

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.student.ensemble import NAMES, Ensemble
from agents.student.seen import people_columns
from simenv.events import InteractionLog, expected_stars
from tests.agents.conftest import population as population
from training.student.fitting import FittingSettings, fit
from training.student.lessons import asked


@pytest.fixture
def people(population):
    return PersonaUsers(population, ScriptedEngine())


def held_out(population, users, items):
    columns = np.array(users), np.array(items), np.full(len(users), 3.0), np.zeros(len(users))
    return InteractionLog(*columns, len(population.personas), len(population.catalog))


def test_nobody_is_asked_about_what_is_held_out(people, population):
    rows = held_out(population, [0, 0, 1, 4], [1, 2, 2, 11])
    seen = asked(people, 2500, rows, seed=3).seen
    pairs = set(zip(seen.users.tolist(), seen.items.tolist(), strict=True))
    assert not pairs & {(0, 1), (0, 2), (1, 2), (4, 11)}
    assert len(pairs) == 5 * 12 - 4  # all others are


def test_people_live_while_they_are_asked_and_are_as_before_afterwards(people):
    before = people.snapshot()
    lessons = asked(people, 400, seed=0)
    assert people.snapshot() == before
    assert len(lessons.answers) == len(lessons.seen.items) >= 400
    chosen = lessons.seen.numbers[:, 12] == 1
    assert 0 < chosen.mean() < 1
    again = asked(people, 400, seed=0)
    np.testing.assert_array_equal(again.answers, lessons.answers)
    other = asked(people, 400, seed=1)
    assert not np.array_equal(other.seen.items[:50], lessons.seen.items[:50])


@pytest.mark.slow
def test_a_student_says_what_its_model_said_and_doubts_where_it_differs(people, population):
    lessons = asked(people, 6000, seed=0)
    cut = len(lessons.answers) * 4 // 5
    known, later = (
        lessons.take(np.arange(cut)), lessons.take(np.arange(cut, len(lessons.answers)))
    )  # fmt: skip
    columns = people_columns(population, population.personas)
    how = FittingSettings(members=3, width=32, epochs=15, batch=128)
    weights = fit(known, columns, population.vectors, how, seed=0)
    assert set(weights) == set(NAMES)
    ensemble = Ensemble(weights, population.vectors)
    guess = ensemble.guess(later.seen, ensemble.met(columns))
    error = np.abs(expected_stars(guess.chances) - expected_stars(later.answers))
    spread = np.abs(expected_stars(later.answers) - expected_stars(known.answers).mean())
    assert error.mean() < 0.1 * spread.mean()
    doubtful = guess.doubt > np.quantile(guess.doubt, 0.9)
    assert error[doubtful].mean() > 1.3 * error[~doubtful].mean()
    same = fit(known, columns, population.vectors, how, seed=0)
    np.testing.assert_array_equal(same["last"], weights["last"])


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"a student wanted members in \[2, 64\], got 1"):
        FittingSettings(members=1)
    with pytest.raises(ValueError, match="a student wanted rate"):
        FittingSettings(rate=0.0)
