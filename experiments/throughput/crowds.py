"""Populations of any size made of one: the cost of users is measured, not their taste."""

from dataclasses import replace

import numpy as np

from agents.population import Population
from simenv.events import InteractionLog


def crowd(population: Population, num_users: int) -> Population:
    """``num_users`` people: those of ``population`` again and again.

    Everybody has a profile of their own, one number longer than the original's, so that no two
    share a prefix; first memories are copied.
    """
    size = len(population.personas)
    personas = [
        replace(persona, profile=f"{persona.profile} You are number {number}.")
        for number, persona in enumerate(population.personas[u % size] for u in range(num_users))
    ]
    log = population.history
    rows = [np.flatnonzero(log.users == user) for user in range(size)]
    taken = np.concatenate([rows[user % size] for user in range(num_users)])
    owners = np.repeat(np.arange(num_users), [len(rows[u % size]) for u in range(num_users)])
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
