"""Several language-model views of the same people, whose disagreement marks what to distrust."""

from dataclasses import replace

from experiments.people.people import People
from simenv.data.dataset import Dataset
from simenv.user_model import Truth


def persona_members(people: People, dataset: Dataset) -> list[Truth]:
    """The people as they are, without Ml, without Ms, and on the base model if they have adapters.

    Each answers through the same engine, so an answer cache pays the first member's only once.

    Raises:
        TypeError: they are not persona users.
    """
    from agents.assembly import without
    from agents.persona_users import PersonaUsers

    users = people.model
    if not isinstance(users, PersonaUsers):
        raise TypeError(
            f"persona_members wanted persona users, got {type(users).__name__};"
            " use experiment/ensemble bootstrap_members for fitted ones"
        )
    population = users.population
    views = [without(population, memory=True), without(population, persona=True)]
    if any(p.adapter for p in population.personas):
        views.append(
            replace(population, personas=[replace(p, adapter=None) for p in population.personas])
        )
    return [users, *(PersonaUsers(view, users.engine, users.make_memory) for view in views)]
