"""Populations of another size made of one: its first people, or as many as wanted of them again.

They keep their language model and adapters. A crowd measures what users cost, not their taste.
"""

from dataclasses import replace

import numpy as np

from agents.population.population import Population
from simenv.data.dataset import Dataset
from simenv.events import InteractionLog


def first_people(everybody: Population, num_users: int) -> Population:
    """The first ``num_users`` people with their histories; all of them if there are fewer."""
    n = min(num_users, len(everybody.personas))
    own = everybody.history.users < n
    return replace(
        everybody,
        personas=everybody.personas[:n],
        history=replace(everybody.history.take(own), num_users=n),
        reasons=[r for r, mine in zip(everybody.reasons, own.tolist(), strict=True) if mine],
        wariness=everybody.wariness and everybody.wariness.of(np.arange(n)),
    )


def own_dataset(people: Population) -> Dataset:
    """What the people have rated, all of it known before the first tick."""
    log = people.history
    nothing = log.take(np.zeros(len(log), dtype=np.bool_))
    ids = tuple(str(user) for user in range(len(people.personas)))
    return Dataset(people.name, people.catalog, people.averages, log, nothing, ids)


def crowd(population: Population, num_users: int, first: int = 0) -> Population:
    """``num_users`` people from number ``first`` on of those of ``population`` again and again.

    Everybody has a profile of their own, one number longer than the original's, so that no two
    share a prefix; first memories are copied.
    """
    size = len(population.personas)
    numbers = range(first, first + num_users)
    personas = [
        replace(persona, profile=f"{persona.profile} You are number {number}.")
        for number in numbers
        for persona in [population.personas[number % size]]
    ]
    log = population.history
    rows = [np.flatnonzero(log.users == user) for user in range(size)]
    taken = np.concatenate([rows[number % size] for number in numbers])
    owners = np.repeat(np.arange(num_users), [len(rows[number % size]) for number in numbers])
    history = InteractionLog(
        owners,
        log.items[taken],
        log.ratings[taken],
        log.timestamps[taken],
        num_users,
        log.num_items,
    )
    reasons = [population.reasons[row] for row in taken.tolist()]
    wary = population.wariness and population.wariness.of(np.array(numbers) % size)
    return replace(population, personas=personas, history=history, reasons=reasons, wariness=wary)
