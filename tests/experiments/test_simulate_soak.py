"""A thousand ticks of personas whose Ml is full: memory must not grow."""

import gc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.inference.scripted import ScriptedEngine
from agents.memory.base import TableMemory
from agents.population.population import Population
from experiments.people.people import People
from experiments.simulate.build import cast
from recommenders.policies.heuristics import Popularity
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.settings import SocietySettings
from simenv.data.synthetic import synthetic
from training.populate import population_from_dataset

BUDGET = 60
NUM_USERS = 40


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.reliability
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="wants Linux's /proc")
def test_memory_is_flat_over_a_thousand_ticks_at_a_full_ml_budget(tmp_path):
    dataset = synthetic(seed=2, num_users=NUM_USERS, num_items=400)
    people = population_from_dataset(dataset, Population.load("pocket"))
    model = persona_users(
        people,
        engine=lambda *_, **__: ScriptedEngine(),
        make_memory=partial(TableMemory, budget=BUDGET),
    )
    who = cast(dataset, People(model, {}), 0.0, 0)
    society = PersonaSociety(
        who.users, Popularity(), dataset.catalog, dataset.train, activity=who.activity,
        groups=who.groups, settings=SocietySettings(reflect_every=50, log_budget=500),
        activation=SteadyShare(0.5), world=who.world, folder=tmp_path, seed=0,
    )  # fmt: skip
    for _ in range(300):
        society.step()
    full = model.memory.count(np.arange(NUM_USERS)) == BUDGET
    gc.collect()
    before = resident_mib()
    for _ in range(1000):
        society.step()
    gc.collect()
    after = resident_mib()
    print(f"{full.sum()} of {NUM_USERS} full after 300 ticks;", end=" ")
    print(f"resident {before:.1f} MiB, {after:.1f} MiB after 1,300 ticks")
    assert full.mean() > 0.9
    assert after < 1.02 * before
