"""Held-out ratings of the people, plain, beside a neutral sentence, and under each pressure."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from agents.assembly import make_engine
from agents.fidelity.held_out import earliest_rows, rate
from agents.inference.engine import Engine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from experiments.personified.materials import Materials, Tuned
from simenv.events import FloatArray
from training.personified.judging.pressure import NEUTRAL, opposite, under_pressure
from training.personified.rating_lessons import people_at
from training.personified.stages import with_adapter
from training.personified.writing.insisting_words import KINDS


class Ratings(NamedTuple):
    """Answers to r held-out rows."""

    plain: FloatArray  # (r, 5)
    neutral: FloatArray  # (r, 5) beside a sentence that wants nothing
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

    def asked(self, tuned: Tuned, say: Callable[[str], None]) -> Ratings:
        """Everybody's answers on a model; one engine for all of them."""
        engine = make_engine(self._on(self._people, tuned))
        try:
            say("ratings")
            plain = self._rate(self._people, tuned, engine)
            beside = []
            for kind in (NEUTRAL, *KINDS):
                say(f"ratings, {kind}")
                beside.append(self._rate(self._under(kind), tuned, engine))
        finally:
            engine.close()
        users = self._log.users.astype(np.float64)
        return Ratings(plain, beside[0], np.stack(beside[1:]), self._log.ratings, users)

    def _rate(self, people: Population, tuned: Tuned, engine: Engine) -> FloatArray:
        return rate(PersonaUsers(self._on(people, tuned), engine), self._log)

    def _under(self, kind: str) -> Population:
        """Items ask for the far end of what they were given, by the first who is asked."""
        size = len(self._people.catalog)
        wanted = np.full(size, 5)
        for item, given in zip(self._log.items[::-1], self._log.ratings[::-1], strict=True):
            wanted[item] = opposite(round(float(given)))
        return under_pressure(self._people, "test", wanted.tolist(), [kind] * size)

    def _on(self, people: Population, tuned: Tuned) -> Population:
        if tuned.base != people.model:
            people = people.on_model(tuned.base)
        return people if tuned.adapter is None else with_adapter(people, tuned.adapter, self._users)
