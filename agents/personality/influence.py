"""How far people follow others: the same question, with other stars of others in the prompt.

The average that a prompt shows, or the stars of people like the person (PEERS), is put a star below
and a star above what it is; the answers' difference over the difference shown is how far somebody
follows. It asks as the environment does and changes no memory.

Letters: ``n`` people, ``k`` items.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agents.peers import Peers
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from simenv.events import NUM_STARS, FloatArray, IntArray, expected_stars, mean_answered

_APART = 1.0  # stars, either way
_Shown = Callable[[Population, FloatArray], Population]


def follows_average(users: PersonaUsers, people: IntArray, items: IntArray) -> FloatArray:
    """(n,) stars by which people's answers move with a star of the items' averages.

    Args:
        users: who answers.
        people: (n,) whom to ask.
        items: (k,) about which items, the same for everybody.

    Raises:
        ValueError: no item is asked about.
    """
    return _follows(users, people, items, _with_averages)


def follows_friends(users: PersonaUsers, people: IntArray, items: IntArray) -> FloatArray:
    """(n,) the same for what people like them gave.

    Prompts show it whether or not the population's own style does; a model that never read that
    sentence may pass over it.
    """
    return _follows(users, people, items, _with_friends)


def _follows(users: PersonaUsers, people: IntArray, items: IntArray, shown: _Shown) -> FloatArray:
    if not len(items):
        raise ValueError("influence wanted at least one item to ask about, got none")
    population = users.population
    fair = population.averages.fair
    ends = [np.clip(fair[items] + step, 1.0, NUM_STARS) for step in (-_APART, _APART)]
    slates = np.broadcast_to(items, (len(people), len(items)))
    answers = []
    for stars in ends:
        others = fair.copy()
        others[items] = stars
        asked = PersonaUsers(shown(population, others), users.engine, users.make_memory)
        answers.append(expected_stars(asked.probabilities(people, slates)))
    slopes = (answers[1] - answers[0]) / (ends[1] - ends[0])
    return mean_answered(slopes)


def _with_averages(population: Population, stars: FloatArray) -> Population:
    return replace(population, averages=replace(population.averages, fair=stars))


def _with_friends(population: Population, stars: FloatArray) -> Population:
    told = Peers(np.ones((len(population.personas), 1)), stars[:, None])
    return replace(population, style=replace(population.style, peers=True), peers=told)
