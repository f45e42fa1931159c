"""Kinds of people, to see who gains and who loses: persona clusters, or else trait levels.

Traits come from training rows by the published rules, so groups exist for any data and any users.
"""

import numpy as np

from agents.population.population import Population
from simenv.data.dataset import Dataset
from simenv.events import BoolArray
from training.distillation.offline import OfflineDistiller

_TRAITS = (
    ("rare visitors", "regular visitors", "heavy visitors"),
    ("go with the crowd", "weigh the crowd", "judge for themselves"),
    ("narrow tastes", "favourites first", "broad tastes"),
)


def persona_groups(dataset: Dataset, population: Population | None) -> dict[str, BoolArray]:
    """Name → mask (num_users,) of each kind of people that has members.

    Args:
        dataset: whose training rows the traits come from.
        population: who answers; its clusters are used where it has more than one. None = nobody
            who has a persona.
    """
    personas = [] if population is None else population.personas
    clusters = np.array([p.cluster for p in personas], dtype=np.int64)
    found: dict[str, BoolArray] = {}
    if len(np.unique(clusters)) > 1:
        found = {f"persona {c + 1}": clusters == c for c in np.unique(clusters).tolist()}
    levels = OfflineDistiller(dataset.catalog, dataset.averages).traits(dataset.train)
    for column, names in enumerate(_TRAITS):
        found |= {name: levels[:, column] == 1 + level for level, name in enumerate(names)}
    return {name: mask for name, mask in found.items() if mask.any()}
