"""Kinds of people, to see who gains and who loses: persona clusters, or else trait levels.

Traits come from training rows by the published rules, so groups exist for any data and any users.
"""

from typing import Any

import numpy as np

from simenv.data.dataset import Dataset
from simenv.events import BoolArray
from training.distillation.offline import OfflineDistiller

_TRAITS = (
    ("rare visitors", "regular visitors", "heavy visitors"),
    ("go with the crowd", "weigh the crowd", "judge for themselves"),
    ("narrow tastes", "favourites first", "broad tastes"),
)


def persona_groups(dataset: Dataset, user_model: Any) -> dict[str, BoolArray]:
    """Name → mask (num_users,) of each kind of people that has members.

    Args:
        dataset: whose training rows the traits come from.
        user_model: its population's clusters are used where it has more than one.
    """
    population = getattr(user_model, "population", None)
    clusters = np.array([p.cluster for p in population.personas]) if population else np.zeros(1)
    found: dict[str, BoolArray] = {}
    if len(np.unique(clusters)) > 1:
        found = {f"persona {c + 1}": clusters == c for c in np.unique(clusters).tolist()}
    levels = OfflineDistiller(dataset.catalog, dataset.averages).traits(dataset.train)
    for column, names in enumerate(_TRAITS):
        found |= {name: levels[:, column] == 1 + level for level, name in enumerate(names)}
    return {name: mask for name, mask in found.items() if mask.any()}
