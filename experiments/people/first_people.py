"""The first people of a population, and the data set that they are."""

from dataclasses import replace

import numpy as np

from agents.population.population import Population
from simenv.data.dataset import Dataset


def first_people(everybody: Population, num_users: int) -> Population:
    """The first ``num_users`` people with their histories; all of them if there are fewer."""
    n = min(num_users, len(everybody.personas))
    own = everybody.history.users < n
    return replace(
        everybody,
        personas=everybody.personas[:n],
        history=replace(everybody.history.take(own), num_users=n),
        reasons=[r for r, mine in zip(everybody.reasons, own.tolist(), strict=True) if mine],
    )


def own_dataset(people: Population) -> Dataset:
    """What the people have rated, all of it known before the first tick."""
    log = people.history
    nothing = log.take(np.zeros(len(log), dtype=np.bool_))
    ids = tuple(str(user) for user in range(len(people.personas)))
    return Dataset(people.name, people.catalog, people.averages, log, nothing, ids)
