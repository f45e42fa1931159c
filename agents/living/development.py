"""People who grow older as they rate: after so many ratings, somebody is who they are next.

Who they are at each time is given from outside; memories, moods and adapters stay. It knows no
training. Letters: ``g`` times of life.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.persona import Persona
from agents.persona_users import PersonaUsers
from simenv.events import Feedback, IntArray, SeedArray, Slates
from simenv.ranges import check_number
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import Explanation, Question


class DevelopingUsers:
    """``PersonaUsers`` whose profiles (Ms) follow their time of life.

    Args:
        inner: the people; changed, as ``remember`` would.
        lives: (g, num_users) who everybody is at each time; they begin at the first.
        every: ratings after which somebody comes to the next time; the last one stays.

    Raises:
        ValueError: there is no time, or one has not a persona for each user.
    """

    def __init__(
        self, inner: PersonaUsers, lives: Sequence[Sequence[Persona]], every: int = 20
    ) -> None:
        check_number("DevelopingUsers", "every", every, "whole [1, 1e9]", "try 20")
        sizes = {len(row) for row in lives}
        if sizes != {inner.num_users}:
            raise ValueError(
                f"DevelopingUsers wanted {inner.num_users} personas for each time of life, got"
                f" {sorted(sizes) or 'no time'}; give one a user"
            )
        self.inner, self._lives, self._every = inner, lives, every
        self._ratings = np.zeros(inner.num_users, dtype=np.int64)
        self._stages = np.full(inner.num_users, -1, dtype=np.int64)
        self._grow()

    @property
    def num_users(self) -> int:
        """See ``UserModel.num_users``."""
        return self.inner.num_users

    @property
    def stages(self) -> IntArray:
        """(num_users,) at which time of life everybody is, from 0."""
        return self._stages.copy()

    def reset(self) -> None:
        """See ``UserModel.reset``: everybody is at the first time again."""
        self.inner.reset()
        self._ratings[:] = 0
        self._grow()

    def start_session(self, users: IntArray) -> None:
        """See ``UserModel.start_session``."""
        self.inner.start_session(users)

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """See ``UserModel.respond``."""
        return self.inner.respond(users, slates, seeds)

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """See ``UserModel.remember``; whoever has rated enough comes to the next time."""
        self.inner.remember(users, slates, feedback)
        np.add.at(self._ratings, users, feedback.taken.sum(axis=1))
        self._grow()

    def explain(self, users: IntArray, items: IntArray) -> list[Explanation]:
        """See ``simenv.user_model.Explains``."""
        return self.inner.explain(users, items)

    def question(self, user: int, item: int, chosen: bool = False) -> Question:
        """See ``simenv.user_model.Questions``."""
        return self.inner.question(user, item, chosen)

    def snapshot(self) -> bytes:
        """Memories, moods and how much everybody rated."""
        arrays: Arrays = {
            "people": np.frombuffer(self.inner.snapshot(), dtype=np.uint8),
            "ratings": self._ratings,
        }
        return pack_arrays(arrays)

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: it was taken from another population.
        """
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, {"ratings": self._ratings})
        self.inner.restore(arrays["people"].tobytes())
        self._ratings = arrays["ratings"].astype(np.int64)
        self._grow()

    def _grow(self) -> None:
        """Everybody is who they are by what they rated; those who already are do not change."""
        now = np.minimum(self._ratings // self._every, len(self._lives) - 1)
        for user in np.flatnonzero(now != self._stages).tolist():
            own = self.inner.population.personas[user]
            new = self._lives[int(now[user])][user]
            self.inner.become(user, replace(new, adapter=own.adapter, gate=own.gate))
        self._stages = now
