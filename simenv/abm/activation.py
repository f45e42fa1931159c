"""Who is awake in a tick: arrivals, the weekly rhythm and the time until people come back.

A tick is one turn: one slate for everybody awake. State is one array a quantity; every draw is a
hash. Letters: ``U`` all users, ``n`` users awake.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog, SeedArray
from simenv.ranges import check_number
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.snapshots import Arrays
from simenv.users.lives import Life

_AWAY_FACTOR = np.array([np.nan, 2.0, 1.0, 0.5])  # of activity levels 1, 2 and 3


class Activation(Protocol):
    """When people come; the society asks once a tick."""

    ticks_per_day: int  # what a tick is on the log's clock

    def start(self, root: int, activity: IntArray) -> None:
        """Begin anew with users of activity (U,)."""
        ...

    def awake(self, tick: int, boost: float) -> IntArray:
        """Users (n,) who come in this tick, rising; ``boost`` multiplies their number."""
        ...

    def take_in(
        self, tick: int, users: IntArray, stars: FloatArray, quits: BoolArray, seeds: SeedArray
    ) -> None:
        """The users (n,) were shown slates worth ``stars`` (n,); those of ``quits`` leave."""
        ...

    def postpone(self, users: IntArray, until: IntArray) -> None:
        """The users (n,) do not come before the ticks ``until`` (n,)."""
        ...

    def arrays(self) -> Arrays:
        """The state by name."""
        ...

    def load(self, arrays: Arrays) -> None:
        """Bring back the state that ``arrays`` gave."""
        ...


def weekly_rhythm(log: InteractionLog) -> FloatArray:
    """(7,) how busy each weekday of a log in Unix seconds is, as a share of the busiest.

    A log whose clock is no Unix time (it counts rows, as a synthetic one) gives seven ones.
    """
    if not len(log) or log.timestamps.min() < 10**8:
        return np.ones(7)
    counts = np.bincount((log.timestamps // 86_400 % 7).astype(np.int64), minlength=7).astype(
        np.float64
    )
    return np.asarray(counts / counts.max())


@dataclass
class ReturnTimes:
    """People stay while a visit pleases, and come back the sooner the better it was (``Life``).

    Args:
        life: return times of people of activity 2; level 1 stays away twice, 3 half as long.
        rhythm: chance that somebody who is due comes, by day modulo its length, in (0, 1].
        ticks_per_day: turns in a day; whoever stays gets the next slate in the next turn.
    """

    life: Life = field(default_factory=Life)
    rhythm: FloatArray = field(default_factory=lambda: np.ones(7))
    ticks_per_day: int = 4

    def __post_init__(self) -> None:
        check_number("ReturnTimes", "ticks_per_day", self.ticks_per_day, "whole [1, 1e6]", "try 4")
        self.rhythm = np.asarray(self.rhythm, dtype=np.float64)
        chances = (self.rhythm > 0) & (self.rhythm <= 1)  # NaN is neither
        if self.rhythm.ndim != 1 or not len(self.rhythm) or not chances.all():
            raise ValueError(
                f"ReturnTimes wanted a rhythm of chances in (0, 1], got {self.rhythm.tolist()};"
                " divide by the busiest day"
            )

    def start(self, root: int, activity: IntArray) -> None:
        """See ``Activation.start``: first visits are spread over the first days."""
        self._root = root
        self._factor = _AWAY_FACTOR[activity]
        users = np.arange(len(activity))
        draws = uniforms(row_seeds(root, users, 0 * users), Channel.FIRST_VISIT, 1)[:, 0]
        first = -np.log1p(-draws) * self.life.median_days * self._factor
        self._next = 1 + np.floor(first * self.ticks_per_day)
        self._visit_stars = np.zeros(len(users))
        self._visit_steps = np.zeros(len(users))

    def awake(self, tick: int, boost: float) -> IntArray:
        """See ``Activation.awake``: those in a visit, and of those due as many as the day brings.

        A boost above 1 also brings people before they are due.
        """
        due = np.flatnonzero(self._next <= tick)
        stays = self._visit_steps[due] > 0
        arrivals, staying = due[~stays], due[stays]
        chance = boost * self.rhythm[tick // self.ticks_per_day % len(self.rhythm)]
        if chance > 1:
            away = np.flatnonzero((self._next > tick) & np.isfinite(self._next))
            wanted = (chance - 1) * max(len(arrivals), 1) / max(1, len(away))
            early = self._comes(tick, away, wanted)
        else:
            early = arrivals[:0]
            arrivals = self._comes(tick, arrivals, chance)
        return np.sort(np.concatenate([staying, arrivals, early]))

    def _comes(self, tick: int, users: IntArray, chance: float) -> IntArray:
        seeds = row_seeds(self._root, users, np.full(len(users), tick))
        return users[uniforms(seeds, Channel.ARRIVAL, 1)[:, 0] < chance]

    def take_in(
        self, tick: int, users: IntArray, stars: FloatArray, quits: BoolArray, seeds: SeedArray
    ) -> None:
        """See ``Activation.take_in``; those who stay get the next slate in the next tick."""
        self._visit_stars[users] += stars
        self._visit_steps[users] += 1
        self._next[users] = tick + 1
        leavers = users[quits]
        mean = self._visit_stars[leavers] / self._visit_steps[leavers]
        days = self.life.days_away(mean, seeds[quits]) * self._factor[leavers]
        self._next[leavers] = tick + 1 + np.ceil(days * self.ticks_per_day)
        self._visit_stars[leavers] = self._visit_steps[leavers] = 0

    def postpone(self, users: IntArray, until: IntArray) -> None:
        """See ``Activation.postpone``."""
        self._next[users] = until

    def arrays(self) -> Arrays:
        """See ``Activation.arrays``."""
        return {"next": self._next, "stars": self._visit_stars, "steps": self._visit_steps}

    def load(self, arrays: Arrays) -> None:
        """See ``Activation.load``."""
        self._next[:] = arrays["next"]
        self._visit_stars[:] = arrays["stars"]
        self._visit_steps[:] = arrays["steps"]


@dataclass
class SteadyShare:
    """The same share of all users in every tick, drawn anew: for load tests and for comparisons.

    Args:
        share: expected share of users awake, in (0, 1].
        ticks_per_day: turns in a day.
    """

    share: float = 0.1
    ticks_per_day: int = 4

    def __post_init__(self) -> None:
        check_number("SteadyShare", "a share", self.share, "(0, 1]", "try 0.1")
        check_number("SteadyShare", "ticks_per_day", self.ticks_per_day, "whole [1, 1e6]", "try 4")

    def start(self, root: int, activity: IntArray) -> None:
        """See ``Activation.start``."""
        self._root = root
        self._everybody = np.arange(len(activity))
        self._not_before = np.zeros(len(activity))

    def awake(self, tick: int, boost: float) -> IntArray:
        """See ``Activation.awake``."""
        seeds = row_seeds(self._root, self._everybody, np.full(len(self._everybody), tick))
        comes = uniforms(seeds, Channel.ARRIVAL, 1)[:, 0] < self.share * boost
        return np.flatnonzero(comes & (self._not_before <= tick))

    def take_in(
        self, tick: int, users: IntArray, stars: FloatArray, quits: BoolArray, seeds: SeedArray
    ) -> None:
        """See ``Activation.take_in``: nobody's past matters."""

    def postpone(self, users: IntArray, until: IntArray) -> None:
        """See ``Activation.postpone``."""
        self._not_before[users] = until

    def arrays(self) -> Arrays:
        """See ``Activation.arrays``."""
        return {"not_before": self._not_before}

    def load(self, arrays: Arrays) -> None:
        """See ``Activation.load``."""
        self._not_before[:] = arrays["not_before"]
