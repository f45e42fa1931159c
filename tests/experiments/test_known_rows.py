"""People of whom little is known: who is asked, what they are told, and what the table says."""

import functools

import numpy as np
import pytest

from agents.fidelity.boldness import personal_part
from agents.fidelity.error_measures import rmse
from experiments.worlds.known_rows import (
    BIAS,
    RULES,
    Said,
    answers,
    asked_of,
    compared,
    main,
    table,
    trained_on,
)
from simenv.data.rating_baselines import BiasModel
from simenv.data.synthetic import synthetic
from simenv.events import STARS, expected_stars
from training.base.few_rows import first_rows_known

KNOWN = (5, 30)


@pytest.fixture(scope="module")
def worlds():
    return [synthetic(seed, num_users=60, num_items=150) for seed in (3, 4)]


def true_people(factor):
    """The truth, whose personal part is ``factor`` of what it is."""

    def answer(told, asked):
        slates = np.tile(asked.items, (len(asked.users), 1))
        stars = told.truth.probabilities(asked.users, slates) @ STARS
        chances = told.truth.probabilities(asked.log.users, asked.log.items[:, None])[:, 0]
        return Said(chances, factor * personal_part(stars + asked.met))

    return answer


@pytest.fixture(scope="module")
def found(worlds):
    return answers(worlds, {"timid": true_people(0.5), BIAS: RULES[BIAS]}, KNOWN)


def cells(text):
    rows = [line.strip("| ").split(" | ") for line in text.strip().splitlines()[2:]]
    return {(row[0], row[1]): row for row in rows}


def test_those_are_asked_who_have_enough_ratings_about_what_they_had_not_met(worlds):
    world = worlds[0]
    asked = asked_of(world, 0, 30)
    counts = np.bincount(world.train.users, minlength=60)
    assert asked.users.tolist() == np.flatnonzero(counts >= 30)[:48].tolist()
    assert set(asked.log.users) == set(asked.users)
    assert np.bincount(asked.log.users).max() <= 20
    met = {(u, i) for u, i in zip(world.train.users, world.train.items, strict=True)}
    for row, user in enumerate(asked.users):
        for column, item in enumerate(asked.items):
            assert np.isnan(asked.met[row, column]) == ((user, item) in met)
    assert (asked_of(world, 1, 30).items != asked.items).any()


def test_a_world_of_people_with_few_ratings_is_refused(worlds):
    with pytest.raises(ValueError, match="known_rows wanted people with 1000 training rows"):
        asked_of(worlds[0], 0, 1000)


def test_the_same_people_are_asked_the_same_at_every_number_and_told_less(worlds):
    told = {}

    def listen(dataset, asked):
        told.setdefault(len(told), (dataset, asked))
        return true_people(1.0)(dataset, asked)

    answers(worlds[:1], {"they": listen}, KNOWN)
    (few, first), (more, second) = told.values()
    assert first.log is second.log
    for dataset, number in ((few, 5), (more, 30)):
        counts = np.bincount(dataset.train.users, minlength=60)
        others = np.setdiff1d(np.arange(60), first.users)
        assert (counts[first.users] == number).all()
        assert (counts[others] == np.bincount(worlds[0].train.users, minlength=60)[others]).all()
        assert dataset.averages.counts.sum() == counts.sum()


def test_timid_people_have_a_slope_of_two_and_the_errors_of_the_truth(worlds, found):
    row = cells(table(found))["5", "timid"]
    assert row[7] == row[9] == "2.00 (2.00 to 2.00)"
    assert row[6] == row[8] == "1.00"
    errors = expected_stars(found.said[5]["timid"].chances) - found.ratings
    assert row[2] == f"{rmse(errors):.3f}"
    assert row[3].startswith("-0.")


def test_the_bias_model_knows_the_people_by_their_first_rows_and_has_no_taste(worlds, found):
    parts = []
    for world in worlds:
        asked = asked_of(world, 0, 30)
        most = np.full(60, 10_000)
        most[asked.users] = 5
        model = BiasModel().fit(first_rows_known(world, most).train)
        parts.append(model.predict(asked.log.users, asked.log.items) - asked.log.ratings)
    row = cells(table(found))["5", BIAS]
    # Stars that its chances expect are its own but for the ends of the scale.
    assert float(row[2]) == pytest.approx(rmse(np.concatenate(parts)), abs=0.01)
    assert row[3] == ""
    assert abs(float(row[8])) < 0.15


def test_people_of_different_worlds_stay_apart(worlds, found):
    people = sum(len(asked_of(world, 0, 30).users) for world in worlds)
    assert len(np.unique(found.users)) == people == len(found.true)


def test_two_models_are_compared_person_by_person(worlds):
    found = answers(worlds[:1], {"a": true_people(1.0), "b": RULES[BIAS]}, (5,))
    [row] = cells(compared(found, "a", "b")).values()
    assert row[0] == "5"
    assert row[1].startswith("+0.")


def test_training_peoples_ratings_are_counted(worlds):
    counts = np.concatenate([np.bincount(d.train.users, minlength=60) for d in worlds])
    [row] = cells(trained_on(worlds)).values()
    assert row[:2] == ["120", str(counts.min())]
    assert row[4] == f"{np.median(counts):.0f}"
    assert row[7:] == [str(counts.max()), f"{(counts < 20).mean():.0%}"]


@pytest.mark.slow
def test_the_shipped_model_is_measured_by_the_command(monkeypatch):
    monkeypatch.setattr("experiments.worlds.known_rows._MOST_PEOPLE", 3)
    monkeypatch.setattr("experiments.worlds.known_rows._ROWS", 4)
    monkeypatch.setattr("experiments.worlds.known_rows._ITEMS", 4)
    small = functools.partial(synthetic, num_users=60, num_items=150)
    monkeypatch.setattr("experiments.worlds.known_rows.synthetic", small)
    rows = cells(main(["5", "--known", "5", "20", "--bias", "2"]))
    assert len(rows) == 4 * 2
    assert 0.5 < float(rows["20", "shipped"][2]) < 1.5
