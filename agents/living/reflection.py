"""People who change: profiles (Ms) written anew from what is remembered (Ml), with versions.

It wraps ``PersonaUsers``. Who writes the profiles is given from outside: ``training`` knows the
offline distiller, and an engine would do as well. So is who trains their adapters further.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from agents.living.adapter_refresh import Refresh, Refresher
from agents.persona import Persona
from agents.persona_users import PersonaUsers
from simenv.events import Feedback, FloatArray, IntArray, InteractionLog, SeedArray, Slates
from simenv.snapshots import Arrays, pack_arrays, unpack_arrays
from simenv.user_model import Explanation, Question

# (log of every user's memories) -> one persona a user; those without rows are not read
Distil = Callable[[InteractionLog], Sequence[Persona]]


@dataclass(frozen=True)
class Version:
    """A profile and since when it holds."""

    tick: int  # 0 = as the population came
    profile: str


class LivingUsers:
    """``PersonaUsers`` that reflect, and that hear what others rate.

    Traits and cluster of a person stay; profile, tastes and level follow the memories, and so does
    the adapter where there is a ``refresher``.

    Args:
        inner: the people; changed, as ``remember`` would.
        distil: writes profiles from memories; None = nobody reflects.
        refresher: of the same people; None = their adapters stay as they are.
    """

    def __init__(
        self,
        inner: PersonaUsers,
        distil: Distil | None = None,
        refresher: Refresher | None = None,
    ) -> None:
        self.inner, self._distil, self._refresher = inner, distil, refresher
        population = inner.population
        self._first = list(population.personas)
        self._first_averages = self._averages = population.averages.fair
        self._versions: dict[int, list[Version]] = {}

    def _restart(self, versions: dict[int, list[Version]]) -> None:
        """Everybody is again who they were, to become the last of ``versions``."""
        for user in self._versions:
            self._become(user, self._first[user])
        self._versions = versions
        self._hear(self._first_averages)

    @property
    def num_users(self) -> int:
        """See ``UserModel.num_users``."""
        return self.inner.num_users

    @property
    def personas(self) -> list[Persona]:
        """Who the people are now."""
        return self.inner.population.personas

    def versions(self, user: int) -> list[Version]:
        """Every profile of a user, oldest first."""
        first = Version(0, self._first[user].profile)
        return [first, *self._versions.get(user, [])]

    def reset(self) -> None:
        """See ``UserModel.reset``: profiles go back too."""
        self.inner.reset()
        self._restart({})
        if self._refresher is not None:
            self._refresher.reset()

    def start_session(self, users: IntArray) -> None:
        """See ``UserModel.start_session``."""
        self.inner.start_session(users)

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """See ``UserModel.respond``."""
        return self.inner.respond(users, slates, seeds)

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """See ``UserModel.remember``."""
        if self._refresher is not None:
            self._refresher.write_down(users, slates, feedback)
        self.inner.remember(users, slates, feedback)

    def advance(self, tick: int, averages: FloatArray, shift: FloatArray) -> None:
        """What everybody says of the items has changed; see ``MovingWorld`` of ``simenv.abm``.

        A scandal reaches people as a fallen average. Prompts show averages to one decimal, so
        nothing is written anew where none of these changed.
        """
        heard = np.clip(averages + shift, 1.0, 5.0)
        if not np.array_equal(np.round(heard, 1), np.round(self._averages, 1)):
            self._hear(heard)

    def reflect(self, users: IntArray, tick: int) -> None:
        """The users (n,) write their profiles anew from all they remember.

        Raises:
            RuntimeError: there is no ``distil``.
        """
        if self._distil is None:
            raise RuntimeError("reflect wanted somebody who writes profiles; give distil=")
        distilled = self._distil(self._memories(users))
        for user in np.asarray(users).tolist():
            new = distilled[user]
            self._become(
                user,
                replace(self.personas[user], profile=new.profile, tastes=new.tastes,
                        level=new.level),
            )  # fmt: skip
            self._versions.setdefault(user, []).append(Version(tick, new.profile))

    @property
    def refreshes(self) -> list[Refresh]:
        """What became of every training of an adapter, oldest first."""
        return [] if self._refresher is None else self._refresher.history

    def refresh(self, tick: int) -> None:
        """See ``simenv.abm.living_users.Refreshes``.

        Raises:
            RuntimeError: there is no ``refresher``.
        """
        if self._refresher is None:
            raise RuntimeError("refresh wanted somebody who trains adapters; give refresher=")
        self._refresher.refresh(tick)

    def explain(self, users: IntArray, items: IntArray) -> list[Explanation]:
        """See ``simenv.user_model.Explains``."""
        return self.inner.explain(users, items)

    def question(self, user: int, item: int, chosen: bool = False) -> Question:
        """See ``simenv.user_model.Questions``."""
        return self.inner.question(user, item, chosen)

    def snapshot(self) -> bytes:
        """Memories, moods, profiles and adapters with their versions, and what is heard of items.

        The weights of adapters stay in their folders.
        """
        text = json.dumps(
            {
                "personas": {user: asdict(self.personas[user]) for user in sorted(self._versions)},
                "versions": {
                    user: [[v.tick, v.profile] for v in self._versions[user]]
                    for user in sorted(self._versions)
                },
            }
        )
        arrays: Arrays = {
            "people": np.frombuffer(self.inner.snapshot(), dtype=np.uint8),
            "changes": np.frombuffer(text.encode(), dtype=np.uint8),
            "averages": self._averages,
        }
        if self._refresher is not None:
            text_of_adapters = self._refresher.snapshot().encode()
            arrays["adapters"] = np.frombuffer(text_of_adapters, dtype=np.uint8)
        return pack_arrays(arrays)

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: it was taken from another population.
        """
        arrays = unpack_arrays(snapshot)
        self.inner.restore(arrays["people"].tobytes())
        changes: dict[str, Any] = json.loads(arrays["changes"].tobytes().decode())
        versions = {
            int(user): [Version(*version) for version in rows]
            for user, rows in changes["versions"].items()
        }
        self._restart(versions)
        for user, fields in changes["personas"].items():
            self._become(int(user), Persona(**fields))
        self._hear(arrays["averages"].astype(np.float64))
        if self._refresher is not None:
            self._refresher.restore(arrays["adapters"].tobytes().decode())

    def _become(self, user: int, persona: Persona) -> None:
        """Somebody else, on the adapter that they have now, mixed as it is."""
        now = self.personas[user]
        self.inner.become(user, replace(persona, adapter=now.adapter, gate=now.gate))

    def _hear(self, averages: FloatArray) -> None:
        self._averages = averages
        self.inner.hear(averages)

    def _memories(self, users: IntArray) -> InteractionLog:
        rows = [
            (user, item, stars)
            for user in np.asarray(users).tolist()
            for item, stars, _ in self.inner.memory.decisions(user)
        ]
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        return InteractionLog.from_columns(
            np.array(columns[0], dtype=np.int64),
            np.array(columns[1], dtype=np.int64),
            np.array(columns[2], dtype=np.float64),
            num_users=self.num_users,
            num_items=len(self.inner.population.catalog),
        )
