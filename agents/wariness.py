"""How wary people are of what they would never have picked: stars that a suggestion loses.

A log holds what people chose, so answers learnt from it are too kind about what nobody with such a
taste ever chose. Here every person has a floor, and what promises less than it loses stars in
proportion. It knows no training, no prompt and no engine; what picks say is learnt from training
rows only (law 7), by ``training.unpicked``.
"""

from dataclasses import dataclass

import numpy as np

from simenv.events import STARS, FloatArray, IntArray

_LEAST = 1.02  # mean stars: nothing is surely hated
_STEPS = 50  # of a bisection


@dataclass(frozen=True)
class Wariness:
    """An item promises a person the product of their numbers; below the floor it loses stars.

    Attributes:
        people: (n, d).
        items: (m, d); products are in stars.
        floors: (n, 1) what all but a person's least promising picks promise, in the same stars.

    Raises:
        ValueError: widths or lengths differ, or something is no number.
    """

    people: FloatArray
    items: FloatArray
    floors: FloatArray

    def __post_init__(self) -> None:
        shapes = [table.shape for table in (self.people, self.items, self.floors)]
        wanted = [(shapes[0][0], shapes[1][-1]), shapes[1], (shapes[0][0], 1)]
        if any(len(shape) != 2 for shape in shapes) or shapes != wanted:
            raise ValueError(
                f"wariness wanted people (n, d), items (m, d) and floors (n, 1), got {shapes}"
            )
        if not all(np.isfinite(table).all() for table in (self.people, self.items, self.floors)):
            raise ValueError("wariness wanted finite numbers, got others; learn it anew")

    def of(self, users: IntArray) -> "Wariness":
        """That of some people, or of people again, in the order of ``users`` (n,)."""
        return Wariness(self.people[users], self.items, self.floors[users])

    def check(self, num_people: int, num_items: int) -> None:
        """Refuse to be that of other people or items.

        Raises:
            ValueError: it has tables of other lengths.
        """
        if (len(self.people), len(self.items)) != (num_people, num_items):
            raise ValueError(
                f"wariness wanted a row for each of {num_people} people and {num_items} items, got"
                f" {len(self.people)} and {len(self.items)}; learn it of these, or leave it out"
            )

    def lost(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars (n, k), 0 or more, that suggestions (n, k) to users (n,) lose."""
        promised = (self.people[users][:, None] * self.items[items]).sum(axis=-1)
        return np.asarray(np.maximum(self.floors[users] - promised, 0.0))

    def applied(self, chances: FloatArray, users: IntArray, items: IntArray) -> FloatArray:
        """Chances (n, k, 5) of answers about suggestions; what loses nothing stays as it is.

        Of all distributions with the lower mean the one nearest to the answer is taken: chances
        times exp(-t · stars). ``chances`` are not changed; NaN stays.
        """
        lost = self.lost(np.asarray(users), np.asarray(items))
        moved = (lost > 0) & np.isfinite(chances).all(axis=-1)
        found = np.array(chances, dtype=np.float64)
        found[moved] = lowered(found[moved], lost[moved])
        return found


def lowered(chances: FloatArray, lost: FloatArray) -> FloatArray:
    """Chances (r, 5) whose means are ``lost`` (r,) stars lower, yet not below 1.02.

    A mean that is lower already stays.
    """
    means = chances @ STARS
    wanted = np.minimum(means, np.maximum(means - lost, _LEAST))
    low, high = np.zeros(len(chances)), np.full(len(chances), 60.0)
    for _ in range(_STEPS):
        tilt = (low + high) / 2
        above = _tilted(chances, tilt) @ STARS > wanted
        low, high = np.where(above, tilt, low), np.where(above, high, tilt)
    return _tilted(chances, (low + high) / 2)


def _tilted(chances: FloatArray, tilt: FloatArray) -> FloatArray:
    weights = chances * np.exp(-tilt[:, None] * (STARS - 1.0))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
