"""Generated text, scored as in the paper, and the whole way from an engine that says something."""

import warnings

import numpy as np
import pytest

from agents.fidelity.said import said, score_said
from agents.inference.engine import Completion, Sampling
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from simenv.data.synthetic import synthetic
from training.populate import population_from_dataset


def test_unrelated_answers_are_counted_and_scored_both_ways():
    found = score_said(np.array([4.0, np.nan]), np.array([5.0, 1.0]))
    assert found.urr == 0.5
    assert found.rmse == found.mae == 1.0
    assert found.rmse_imputed == pytest.approx(np.sqrt((1 + 4) / 2))
    assert found.mae_imputed == (1 + 2) / 2
    assert found.num_rows == 2


def test_nobody_asked_is_not_a_number_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score_said(np.zeros(0), np.zeros(0))
    assert np.isnan([found.rmse, found.rmse_imputed, found.urr]).all()
    assert found.num_rows == 0


def test_where_no_rating_is_said_only_the_imputed_errors_are_numbers():
    found = score_said(np.array([np.nan]), np.array([5.0]))
    assert np.isnan([found.rmse, found.mae]).all()
    assert (found.rmse_imputed, found.mae_imputed, found.urr) == (2.0, 2.0, 1.0)


class Parrot(ScriptedEngine):
    """Says one text to everybody."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def generate(self, requests, sampling):
        return [Completion(self.text, 1) for _ in requests]


@pytest.mark.parametrize("star", [1, 2, 3, 4, 5])
def test_a_star_that_an_engine_says_is_the_star_that_is_scored(population, star):
    world = synthetic(3, num_users=12, num_items=50)
    users = PersonaUsers(population_from_dataset(world, population), Parrot(f" {star}"))
    found = said(users, world.test, 20, seed=1)
    rows = np.sort(np.random.default_rng([1, 23]).permutation(len(world.test))[:20])
    errors = star - world.test.ratings[rows]
    assert found.urr == 0.0
    assert found.mae == pytest.approx(np.abs(errors).mean())
    assert found.rmse == found.rmse_imputed == pytest.approx(np.sqrt((errors**2).mean()))
    assert found.num_rows == 20


class Listening(ScriptedEngine):
    """A scripted engine that keeps what it is asked for as text."""

    def generate(self, requests, sampling):
        self.requests, self.sampling = requests, sampling
        return super().generate(requests, sampling)


def test_rows_are_asked_as_chosen_with_a_seed_each_and_the_papers_decoding(population):
    world, engine = synthetic(3, num_users=12, num_items=50), Listening()
    users = PersonaUsers(population_from_dataset(world, population), engine)
    found = said(users, world.test, 9, seed=6)
    rows = np.sort(np.random.default_rng([6, 23]).permutation(len(world.test))[:9])
    asked, items = world.test.users[rows], world.test.items[rows][:, None]
    expected = users.requests(asked, items, chosen=True)
    assert expected != users.requests(asked, items), "what was chosen is asked otherwise"
    assert engine.requests == [r._replace(seed=6 + i) for i, r in enumerate(expected)]
    assert engine.sampling == Sampling(max_new_tokens=4, temperature=0.3, top_k=50)
    texts = engine.generate(expected, engine.sampling)
    stars = np.array([float(answer.text) for answer in texts])
    assert found == score_said(stars, world.test.ratings[rows])
