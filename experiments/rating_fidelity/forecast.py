"""How long a table will take, from a few steps of training and a few questions on this machine."""

import time
from typing import NamedTuple

import numpy as np

from agents.assembly import persona_users
from agents.fidelity.held_out import rate
from experiments.people.training_trials import TRIED_STEPS, seconds_of_a_step
from experiments.rating_fidelity.table_cells import MEMORIES, CellSettings
from experiments.reporting.progress import duration
from simenv.data.dataset import Dataset
from simenv.events import InteractionLog
from training.adapters.variants import planned
from training.examples.raft import raft_set
from training.populate import population_on

_WARM, _ROWS = 4, 20  # tried
_SAID = 2.0  # a decoded answer costs about as much as so many scored ones


class Forecast(NamedTuple):
    """What is to be done, and how long one piece of it takes here."""

    steps: int  # of all trainings
    step_seconds: float
    questions: float
    question_seconds: float

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.steps * self.step_seconds + self.questions * self.question_seconds

    def times(self, repetitions: int) -> "Forecast":
        """The same work again and again."""
        return self._replace(steps=self.steps * repetitions, questions=self.questions * repetitions)

    def __str__(self) -> str:
        return (
            f"about {duration(self.seconds)} if nothing is there yet: {self.steps:,} steps of"
            f" training of {self.step_seconds:.1f} s, {self.questions:,.0f} questions of"
            f" {self.question_seconds:.2f} s, by {TRIED_STEPS} steps and {_ROWS} questions tried"
        )


def forecast(dataset: Dataset, settings: CellSettings, seed: int) -> Forecast:
    """Of one draw; the trials leave nothing behind.

    Args:
        dataset: the drawn users.
        settings: of the cells.
        seed: of the groups, whose sizes decide how many steps there are.
    """
    labels = np.arange(dataset.num_users) % settings.num_clusters  # sizes alone matter
    steps, step_seconds = 0, 0.0
    for memory, names in settings.cells.items():
        if set(names) <= {"none"}:
            continue
        raft = raft_set(dataset, MEMORIES[memory](settings.style), settings.raft)
        steps += planned(raft.examples, raft.users, labels, settings.preset, names, seed).steps
        if not step_seconds:
            step_seconds = seconds_of_a_step(settings.base, raft.examples, settings.preset)
    cells = sum(map(len, settings.cells.values()))
    asked = len(dataset.test) + _SAID * min(settings.said_rows, len(dataset.test))
    return Forecast(steps, step_seconds, cells * asked, _seconds_of_a_row(dataset, settings))


def _seconds_of_a_row(dataset: Dataset, settings: CellSettings) -> float:
    model = persona_users(population_on(dataset, settings.base, settings.style))
    warm, tried = _rows(dataset.test, 0, _WARM), _rows(dataset.test, _WARM, _WARM + _ROWS)
    try:
        rate(model, warm)
        started = time.perf_counter()
        rate(model, tried)
        return (time.perf_counter() - started) / max(1, len(tried))
    finally:
        model.engine.close()


def _rows(log: InteractionLog, first: int, last: int) -> InteractionLog:
    """Some rows, spread over the log: of many users, as later ones are."""
    spread = np.linspace(0, len(log) - 1, _WARM + _ROWS).astype(np.int64)[first:last]
    return log.take(np.unique(spread))
