"""The truth of a world that moves: tastes drift, reputations follow ratings, scandals cost stars.

Letters: ``n`` users in the batch, ``k`` slate places, ``U`` all users, ``I`` all items, ``g``
genres.
"""

from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number
from simenv.seeding import Stream, generator
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import Truth

_EDGE = 1e-14  # probabilities nearer to 0 or 1 than this say nothing more of the utility


class MovingWorld(Protocol):
    """What surrounds the users: it hears of every tick before anybody is asked."""

    def advance(self, tick: int, averages: FloatArray, shift: FloatArray) -> None:
        """One tick later; people now see ``averages`` (I,), and ``shift`` (I,) stars are added."""
        ...

    def reset(self) -> None:
        """Back to the first tick."""
        ...

    def snapshot(self) -> bytes:
        """The exact state."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned."""
        ...


class LivingTruth:
    """A ``Truth`` whose utilities move by known amounts; where nothing moved it is ``base`` itself.

    utility = base + (1 - c) · drift[user] · genres[item] + c · (average - first average)[item]
    + shift[item], where c is the user's conformity. The distribution over stars is that of ``base``
    moved along the normal scale of ``noise_sd``: exact for a world whose noise is normal.

    Args:
        base: the truth at tick 0.
        genres: (I, g) of the catalogue.
        conformity: (U,) in [0, 1]; 0 = averages are ignored.
        first_averages: (I,) what people see before the first simulated rating.
        noise_sd: stars; scale of the noise of ``base``.
        drift_sd: stars a tick by which a user's liking of a genre wanders.
        seed: of the drift.
    """

    def __init__(
        self,
        base: Truth,
        genres: FloatArray,
        conformity: FloatArray,
        first_averages: FloatArray,
        *,
        noise_sd: float = 0.75,
        drift_sd: float = 0.0,
        seed: int = 0,
    ) -> None:
        cure = "take the world's own noise"
        check_number("LivingTruth", "noise_sd", noise_sd, "(0, inf)", cure)
        check_number("LivingTruth", "drift_sd", drift_sd, "[0, inf)", "0 is no drift")
        self.base = base
        self.noise_sd, self.drift_sd, self.seed = noise_sd, drift_sd, seed
        self._shares = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
        self._conformity = np.asarray(conformity, dtype=np.float64)
        self._first = np.asarray(first_averages, dtype=np.float64).copy()
        self.reset()

    def reset(self) -> None:
        """See ``MovingWorld.reset``."""
        self._drift = np.zeros((len(self._conformity), self._shares.shape[1]))
        self._heard = np.zeros(len(self._first))
        self._shift = np.zeros(len(self._first))
        self._moved = False

    def advance(self, tick: int, averages: FloatArray, shift: FloatArray) -> None:
        """See ``MovingWorld.advance``."""
        if self.drift_sd:
            rng = generator(self.seed, Stream.DRIFT, tick)
            self._drift += self.drift_sd * rng.standard_normal(self._drift.shape)
        self._heard = averages - self._first
        self._shift = shift.copy()
        self._moved = bool(self.drift_sd or self._heard.any() or self._shift.any())

    def moved(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars (n, k) by which utilities have moved since tick 0: users (n,), items (n, k)."""
        conformity = self._conformity[users][:, None]
        drift = np.einsum("ng,nkg->nk", self._drift[users], self._shares[items])
        herd = conformity * self._heard[items]
        return np.asarray((1 - conformity) * drift + herd + self._shift[items])

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k) now: (n, k, 5)."""
        now = self.base.probabilities(users, items)
        return move(now, self.moved(users, items) / self.noise_sd) if self._moved else now

    def snapshot(self) -> bytes:
        """See ``MovingWorld.snapshot``."""
        return pack_arrays(self._arrays())

    def restore(self, snapshot: bytes) -> None:
        """See ``MovingWorld.restore``.

        Raises:
            ValueError: the snapshot is of a world of another size.
        """
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, self._arrays())
        self._drift = arrays["drift"].astype(np.float64)
        self._heard = arrays["heard"].astype(np.float64)
        self._shift = arrays["shift"].astype(np.float64)
        self._moved = bool(arrays["moved"])

    def _arrays(self) -> Arrays:
        return {
            "drift": self._drift,
            "heard": self._heard,
            "shift": self._shift,
            "moved": np.asarray(self._moved),
        }


def move(probabilities: FloatArray, by: FloatArray) -> FloatArray:
    """Distributions (..., 5) of a rounded normal whose mean rises by ``by`` (...) of its sd."""
    below = np.clip(np.cumsum(probabilities, axis=-1)[..., :-1], _EDGE, 1 - _EDGE)
    moved = ndtr(ndtri(below) - by[..., None])
    return np.diff(moved, axis=-1, prepend=0.0, append=1.0)
