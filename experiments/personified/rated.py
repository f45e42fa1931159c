"""Held-out ratings of the people, plain and under every kind of pressure."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.assembly import persona_users
from agents.fidelity.held_out import earliest_rows, rate
from agents.population.population import Population
from experiments.personified.materials import Materials
from simenv.events import FloatArray, InteractionLog
from training.personified.judging.pressure import KINDS, opposite, under_pressure
from training.personified.rating_lessons import people_at
from training.personified.stages import with_adapter


class Ratings(NamedTuple):
    """Answers to r held-out rows."""

    plain: FloatArray  # (r, 5)
    pressed: FloatArray  # (k, r, 5) of each kind of pressure
    stars: FloatArray  # (r,) that were given
    users: FloatArray  # (r,)


class Raters:
    """The people of one seed, who can be asked with any adapter.

    Args:
        materials: of the seed; lives must come from ratings.
        most_rows: held-out rows of each person, the earliest.
    """

    def __init__(self, materials: Materials, most_rows: int) -> None:
        dataset = materials.dataset
        if dataset is None:
            raise ValueError("ratings wanted people of a data set, got texts; give ratings")
        stages = materials.corpora.stages
        self._people = people_at(dataset, len(stages) - 1, stages, materials.study.base)
        self._log = dataset.test.take(earliest_rows(dataset.test, materials.users, most_rows))
        self._users = materials.users

    def asked(self, adapter: Path | None, say: Callable[[str], None]) -> Ratings:
        """Everybody's answers, with an adapter or without."""
        say("ratings")
        plain = _rate(self._on(self._people, adapter), self._log)
        pressed = []
        for kind in KINDS:
            say(f"ratings, {kind}")
            pressed.append(_rate(self._on(self._under(kind), adapter), self._log))
        users = self._log.users.astype(np.float64)
        return Ratings(plain, np.stack(pressed), self._log.ratings, users)

    def _under(self, kind: str) -> Population:
        """Items ask for the far end of what they were given, by the first who is asked."""
        size = len(self._people.catalog)
        wanted = np.full(size, 5)
        for item, given in zip(self._log.items[::-1], self._log.ratings[::-1], strict=True):
            wanted[item] = opposite(round(float(given)))
        return under_pressure(self._people, "test", wanted.tolist(), [kind] * size)

    def _on(self, people: Population, adapter: Path | None) -> Population:
        return people if adapter is None else with_adapter(people, adapter, self._users)


def _rate(people: Population, log: InteractionLog) -> FloatArray:
    users = persona_users(people)
    try:
        return rate(users, log)
    finally:
        users.engine.close()
