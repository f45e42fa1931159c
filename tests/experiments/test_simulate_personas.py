"""Personas in a society: they reflect, hear what others rate, fail alone, and can be resumed."""

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.inference.scripted import ScriptedEngine
from agents.living.reflection import LivingUsers
from agents.population.population import Population
from experiments.people.people import People
from experiments.simulate.build import cast
from recommenders.policies.heuristics import Popularity
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.settings import SocietySettings
from simenv.data.synthetic import synthetic
from training.populate import population_from_dataset


@pytest.fixture(scope="module")
def dataset():
    return synthetic(seed=2, num_users=16, num_items=80)


@pytest.fixture(scope="module")
def people(dataset):
    return population_from_dataset(dataset, Population.shipped())


class Failing(ScriptedEngine):
    """Has no answer to the first request, as ``TolerantEngine`` says it."""

    last_failures = {0: "timed out"}  # noqa: RUF012

    def score(self, requests, choices):
        scores = super().score(requests, choices)
        scores[0] = np.nan
        return scores


def who_of(dataset, people, engine=ScriptedEngine):
    model = persona_users(people, engine=lambda *_, **__: engine())
    return cast(dataset, People(model, {}), 0.0, 0)


def society_of(dataset, who, **more):
    settings = SocietySettings(reflect_every=6, refit_every=4, max_failed_share=0.5)
    return PersonaSociety(
        who.users, Popularity(), dataset.catalog, dataset.train, activity=who.activity, seed=0,
        groups=who.groups, settings=settings, activation=SteadyShare(0.5), world=who.world, **more,
    )  # fmt: skip


def play(society, num_ticks):
    for _ in range(num_ticks):
        society.step()
    return society


def test_people_reflect_and_keep_who_they_were(dataset, people):
    who = who_of(dataset, people)
    society = play(society_of(dataset, who), 8)
    changed = [user for user in range(16) if len(who.users.versions(user)) > 1]
    assert changed
    first, *later = who.users.versions(changed[0])
    assert first.tick == 0 < later[0].tick
    assert first.profile == people.personas[changed[0]].profile != later[-1].profile
    assert who.users.personas[changed[0]].activity == people.personas[changed[0]].activity
    request = who.users.inner.requests(np.array([changed[0]]), np.array([[1]]))[0]
    assert later[-1].profile in request.prefix
    society.user_model.reset()
    assert len(who.users.versions(changed[0])) == 1
    request = who.users.inner.requests(np.array([changed[0]]), np.array([[1]]))[0]
    assert first.profile in request.prefix


def test_people_hear_the_averages_that_others_make(dataset, people):
    users = who_of(dataset, people).users
    asked = np.array([0]), np.array([[5]])
    before = users.inner.requests(*asked)[0].suffix
    averages = dataset.averages.fair.copy()
    averages[5] = 1.3
    users.advance(1, averages, np.zeros(len(averages)))
    assert "1.3" in users.inner.requests(*asked)[0].suffix
    users.advance(2, averages, np.full(len(averages), 2.0))
    assert "3.3" in users.inner.requests(*asked)[0].suffix
    users.reset()
    assert users.inner.requests(*asked)[0].suffix == before


def test_a_society_of_personas_is_resumed_bit_for_bit(dataset, people, tmp_path):
    whole = society_of(dataset, who_of(dataset, people), folder=tmp_path / "whole")
    play(whole, 9).finish()
    play(society_of(dataset, who_of(dataset, people), folder=tmp_path / "parts"), 6)
    who = who_of(dataset, people)
    play(society_of(dataset, who, folder=tmp_path / "parts", resume=True), 3).finish()
    logs = [(tmp_path / n / "interactions.parquet").read_bytes() for n in ("whole", "parts")]
    assert logs[0] == logs[1]
    assert who.users.snapshot() == whole.user_model.snapshot()


def test_a_request_that_failed_costs_one_place_of_one_slate(dataset, people):
    society = play(society_of(dataset, who_of(dataset, people, Failing)), 1)
    assert society.last.failed.tolist() == []
    assert society.last.feedback.failed.sum() == 1
    assert society.last.slates_unanswered == 1 / 5
    user, place = np.argwhere(society.last.feedback.failed)[0]
    assert not society.last.feedback.taken[user, place]
    given = society.last.feedback.taken.sum(axis=1)
    assert society.tally.num_ratings[society.last.users].tolist() == given.tolist()


def test_reflecting_wants_somebody_who_writes(dataset, people):
    users = LivingUsers(persona_users(people, engine="scripted"))
    with pytest.raises(RuntimeError, match="reflect wanted somebody who writes profiles"):
        users.reflect(np.array([0]), 1)


def test_tastes_of_personas_do_not_drift_by_themselves(dataset, people):
    model = persona_users(people, engine="scripted")
    with pytest.raises(ValueError, match="drift_sd wanted a world with known tastes, got personas"):
        cast(dataset, People(model, {}), 0.1, 0)
