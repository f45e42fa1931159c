"""Populations of people who were trained to stay themselves, early or late, and how they develop.

What comes out is an ordinary population, which ``PersonaRec-v0`` takes; the time of life stands in
the profile. It trains nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.persona import Persona
from agents.population.adapters import check_adapter
from agents.population.population import Population
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.events import IntArray
from training.personified.rating_lessons import people_at, until_stage

ADAPTER = "personified"


def population_at(
    dataset: Dataset, base: str, stage: int, stages: Sequence[str] = ("early", "late")
) -> Population:
    """The users of a data set at a time of their lives, who know what they had rated until then.

    Args:
        dataset: its training rows are cut; test rows are not read.
        base: folder or hub name of the model.
        stage: which time, from 0.
        stages: what the times are called.

    Raises:
        ValueError: there is no such time.
    """
    if not 0 <= stage < len(stages):
        raise ValueError(
            f"population_at wanted a stage in [0, {len(stages)}), got {stage}; 0 is {stages[0]!r}"
        )
    known = split_dataset(
        dataset.name, dataset.catalog, until_stage(dataset.train, stage, len(stages)),
        dataset.user_ids, 1.0, background=dataset.background,
    )  # fmt: skip
    people = people_at(known, stage, stages, base)
    return people.with_card(stage=stages[stage])


def lives_of(
    dataset: Dataset, base: str, stages: Sequence[str] = ("early", "late")
) -> list[list[Persona]]:
    """(g, num_users) who everybody is at each time, for ``DevelopingUsers``."""
    return [population_at(dataset, base, n, stages).personas for n in range(len(stages))]


def with_adapter(
    people: Population, adapter: str | Path, users: IntArray | None = None
) -> Population:
    """The same people on an adapter of ``train_personified`` or ``train_preferences``.

    Args:
        people: not changed; on the base of the adapter.
        adapter: its folder.
        users: who; None = everybody.

    Raises:
        FileNotFoundError: there is no adapter.
        ValueError: it was trained on another base, or a file is corrupt.
    """
    check_adapter(adapter, people.model)
    chosen = range(len(people.personas)) if users is None else np.asarray(users).tolist()
    own = frozenset(int(user) for user in chosen)
    return replace(
        people,
        personas=[
            replace(p, adapter=ADAPTER, gate=()) if user in own else p
            for user, p in enumerate(people.personas)
        ],
        adapters={**people.adapters, ADAPTER: str(adapter)},
    )
