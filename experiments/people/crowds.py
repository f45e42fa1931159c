"""Populations of any size made of one: the cost of users is measured, not their taste."""

from dataclasses import replace

import numpy as np

from agents.population.population import Population
from simenv.events import InteractionLog


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
    return replace(population, personas=personas, history=history, reasons=reasons)
