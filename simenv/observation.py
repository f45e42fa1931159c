"""What a policy sees of its users, and the histories of what they were shown. No spaces, no users.

Letters: ``n`` users in the batch, ``k`` slate places, ``h`` history length, ``m`` chosen rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from simenv.events import FloatArray, IntArray

Float32Array = NDArray[np.float32]


class Observation(TypedDict):
    """A batch of n users as Gymnasium's ``Dict`` space holds it: a plain dict of arrays.

    A single environment returns one row: the same keys without the first axis.
    """

    user: IntArray  # (n,) who is there
    history_items: IntArray  # (n, h) what the episode has shown, most recent last; -1 = empty
    history_ratings: Float32Array  # (n, h) stars given; 0 = shown but not taken, or empty
    progress: Float32Array  # (n, 1) share of the step limit that has passed, in [0, 1]
    days: NotRequired[Float32Array]  # (n, 1) of this life; where an episode is a life
    candidates: NotRequired[IntArray]  # (n, c) items on offer; where there is a candidate set


@dataclass(frozen=True)
class History:
    """The latest h items shown in each of n rows and the stars they got; changed in place."""

    items: NDArray[np.int32]  # (n, h) most recent last; -1 = empty
    ratings: Float32Array  # (n, h) 0 = not taken or empty

    @classmethod
    def empty(cls, num_rows: int, length: int) -> "History":
        """Histories in which nothing was shown."""
        shape = (num_rows, length)
        return cls(np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=np.float32))

    def of(self, rows: IntArray) -> "History":
        """The histories of ``rows`` (m,), copied."""
        return History(self.items[rows], self.ratings[rows])

    def push(self, rows: IntArray, items: IntArray, ratings: FloatArray) -> None:
        """The distinct ``rows`` (m,) were shown ``items`` (m, k) and gave ``ratings`` (m, k)."""
        push_latest(self.items, rows, items)
        push_latest(self.ratings, rows, ratings)

    def clear(self, rows: IntArray) -> None:
        """Empty the histories of ``rows`` (m,)."""
        self.items[rows] = -1
        self.ratings[rows] = 0.0


def push_latest(history: NDArray[Any], rows: IntArray, latest: NDArray[Any]) -> None:
    """Move the distinct ``rows`` (m,) of ``history`` (n, h) on by ``latest`` (m, k), put last."""
    length, num_places = history.shape[1], latest.shape[1]
    whole = len(rows) == len(history) and bool((rows[1:] > rows[:-1]).all())
    where = slice(None) if whole else rows  # a slice copies nothing twice
    if num_places < length:
        history[where, :-num_places] = history[where, num_places:]
    history[where, -num_places:] = latest[:, -length:]


def observe(
    users: IntArray, history: History, progress: FloatArray, days: FloatArray | None = None
) -> Observation:
    """The observation of users (n,); every array is a fresh copy.

    Args:
        users: (n,) who is there.
        history: of the n users.
        progress: (n,) in [0, 1].
        days: (n,) of each life; None = an episode is no life.
    """
    observation: Observation = {
        "user": np.array(users, dtype=np.int64),
        "history_items": history.items.astype(np.int64),
        "history_ratings": history.ratings.copy(),
        "progress": progress[:, None].astype(np.float32),
    }
    if days is not None:
        observation["days"] = days[:, None].astype(np.float32)
    return observation


def cold_observation(users: IntArray, history_length: int = 1) -> Observation:
    """The observation of users (n,) before their session: no history, no progress.

    The keys and shapes are the environment's, so offline metrics ask a policy what it would show
    on the first step.
    """
    return observe(users, History.empty(len(users), history_length), np.zeros(len(users)))


def take_rows(observation: Observation, rows: IntArray) -> Observation:
    """The chosen rows (m,) of a batched observation, copied; further keys are kept."""
    return cast(Observation, {key: np.asarray(v)[rows] for key, v in observation.items()})


def take_row(observation: Observation, row: int) -> Observation:
    """One row of a batched observation, copied: what a single environment returns."""
    return cast(Observation, {key: np.asarray(v)[row].copy() for key, v in observation.items()})


def as_batch(observation: Observation) -> Observation:
    """One row, as a single environment returns it, as a batch of one; the arrays are shared."""
    return cast(Observation, {key: np.asarray(v)[None] for key, v in observation.items()})


def concatenate(batches: Sequence[Observation]) -> Observation:
    """Batches with the same keys, one after the other."""
    columns: list[dict[str, Any]] = [dict(batch) for batch in batches]
    joined = {key: np.concatenate([c[key] for c in columns]) for key in columns[0]}
    return cast(Observation, joined)
