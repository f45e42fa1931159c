"""What a life is worth under a policy: one row of the table, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.foresight.learning import Learnt
from experiments.reporting.formatting import rounded, rounded_ends
from recommenders.evaluation.statistics import mean_interval
from simenv.events import FloatArray

Known = Literal["exact", "over users", "over seeds"]


@dataclass(frozen=True)
class Level:
    """What lives are worth under a policy."""

    name: str
    mean: float
    ends: tuple[float, float]  # of the 95 % interval; the mean itself where it is exact
    known: Known
    number: int  # of lives or seeds behind it; 0 = calculated
    steps: int = 0  # slates shown in training, by a learner
    played: "Level | None" = None  # the same by playing, where it was calculated

    def values(self) -> dict[str, Any]:
        """As ``results.json`` has it."""
        found = {
            "policy": self.name,
            "worth": rounded(self.mean, 4),
            "ci95": rounded_ends(*self.ends, 4),
            "known": self.known,
            "number": self.number,
            "steps": self.steps,
        }
        if self.played is not None:
            found["played"] = rounded(self.played.mean, 4)
            found["played_ci95"] = rounded_ends(*self.played.ends, 4)
        return found


def exact(name: str, value: float, played: Level | None = None) -> Level:
    """A level that was calculated."""
    return Level(name, value, (value, value), "exact", 0, played=played)


def over_users(name: str, lives: FloatArray) -> Level:
    """The mean of lives (n,), one a user."""
    mean, low, high = mean_interval(lives)
    return Level(name, mean, (low, high), "over users", len(lives))


def over_seeds(name: str, learnt: Sequence[Learnt]) -> Level:
    """The mean over trainings of what the judges' lives were worth at their ends."""
    mean, low, high = mean_interval([float(np.mean(one.lives)) for one in learnt])
    return Level(name, mean, (low, high), "over seeds", len(learnt), steps=learnt[0].steps)
