"""What tempting items do over a life: they please now, wear people out, and keep them away.

Choc and kale, as in RecSim's long-term satisfaction (Ie and others: RecSim, 2019), around any user
model. Stars move, so taking, leaving and coming back move with them, by the ``Behaviour`` and the
``Life`` that are there already. It knows no policy and no plan; ``simenv.env.best_plan`` has one.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from simenv.catalog import Catalog
from simenv.events import STARS, Feedback, FloatArray, IntArray, SeedArray, Slates
from simenv.ranges import check_fields
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import UserModel
from simenv.users.behaviour import Behaviour
from simenv.users.visit_effects import TiringUsers, VisitEffects


@dataclass(frozen=True)
class Wear:
    """How much tempting items please now, and what they cost later.

    The chance of s stars is multiplied by exp(s · (lift · temptation - toll · weariness)) and
    scaled back to 1. Weariness lies in [0, 1] and is that of the visit's start: a visit adds
    ``wear`` for each tempting place it showed and takes off ``rest`` for each nourishing one, and
    the next visit begins with the sum. A new life begins with none.

    Args:
        tempting: names of the genres that tempt; None = the second, fourth, … of the catalogue, by
            the alphabet. An item is as tempting as the share of its genres that are; without any
            genre it is nourishing.
        lift: how much a tempting item pleases, in nats a star.
        toll: how much less everything pleases whoever is wearied out.
        wear: of a tempting place.
        rest: of a nourishing place.

    Raises:
        TypeError, ValueError: a number is none or lies outside its range.
    """

    tempting: tuple[str, ...] | None = None
    lift: float = 1.0
    toll: float = 3.0
    wear: float = 0.1
    rest: float = 0.1

    def __post_init__(self) -> None:
        nats = {"lift": "[0, 100]", "toll": "[0, 100]"}
        check_fields(self, nats | {"wear": "[0, 1]", "rest": "[0, 1]"}, "0 switches it off")

    def temptation(self, catalog: Catalog) -> FloatArray:
        """(num_items,) in [0, 1]: how tempting every item is.

        Raises:
            ValueError: a genre is not in the catalogue, or no item tempts, or every item does.
        """
        names = catalog.genre_names
        chosen = names[1::2] if self.tempting is None else tuple(self.tempting)
        unknown = sorted(set(chosen) - set(names))
        if unknown:
            raise ValueError(
                f"Wear wanted tempting genres of this catalogue, got {unknown}; it has"
                f" {', '.join(names) or 'none'}"
            )
        columns = [names.index(name) for name in chosen]
        found = np.asarray(catalog.genre_shares[:, columns].sum(axis=1))
        if not (found > 0).any() or not (found < 1).any():
            raise ValueError(
                f"Wear wanted items that tempt and items that nourish, got {len(catalog)} of one"
                " kind; name some of the genres in tempting, not none and not all"
            )
        return found


@runtime_checkable
class Patient(Protocol):
    """User models that say how their users behave and how active they are."""

    @property
    def behaviour(self) -> Behaviour:
        """How stars become watching, rating and leaving."""
        ...

    @property
    def activity(self) -> IntArray:
        """(num_users,) trait level 1, 2 or 3."""
        ...


class WearyUsers:
    """A ``UserModel``: another one whose users tire of being tempted.

    Args:
        inner: answers and remembers; its ``remember`` sees the moved stars.
        catalog: for the genres.
        wear: how much.

    Raises:
        TypeError: the inner model does not say how its users behave.
    """

    def __init__(self, inner: UserModel, catalog: Catalog, wear: Wear) -> None:
        if not isinstance(inner, Patient):
            raise TypeError(
                f"wear wanted users with a behaviour and an activity, got {type(inner).__name__};"
                " give it both, as ScriptedUsers and PersonaUsers have them, or leave wear out"
            )
        self.inner: UserModel = inner
        self.wear = wear
        self.behaviour: Behaviour = inner.behaviour
        self.activity: IntArray = np.asarray(inner.activity, dtype=np.int64)
        self.num_users = inner.num_users
        self.temptation = wear.temptation(catalog)  # (num_items,)
        self._forget()

    def reset(self) -> None:
        """Everybody rested, and the inner model as it was built."""
        self.inner.reset()
        self._forget()

    def _forget(self) -> None:
        self._weariness = np.zeros(self.num_users)
        self._places = np.zeros(self.num_users)  # shown in this visit
        self._tempted = np.zeros(self.num_users)  # of them, by their temptation
        self._satisfaction = np.full(self.num_users, self.behaviour.content_level)

    def weariness(self, users: IntArray) -> FloatArray:
        """(n,) in [0, 1] of the visit that users (n,) are in."""
        return np.asarray(self._weariness[users])

    def visit(self, users: IntArray) -> tuple[FloatArray, FloatArray]:
        """Places (n,) that the visit has shown users (n,), and their temptation summed up (n,)."""
        return np.asarray(self._places[users]), np.asarray(self._tempted[users])

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """The inner answer with moved stars, and what the users do with it; changes nothing."""
        chances = self.inner.respond(users, slates, seeds).probabilities
        moved = tilted(chances, self.pull(users, slates.items))
        satisfaction, activity = self._satisfaction[users], self.activity[users]
        return self.behaviour.act(moved, satisfaction, activity, seeds)

    def pull(self, users: IntArray, items: IntArray) -> FloatArray:
        """By how many nats a star (n, k) users (n,) like items (n, k) better than they would."""
        tired = self.wear.toll * self._weariness[users]
        return np.asarray(self.wear.lift * self.temptation[items] - tired[:, None])

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """The inner model remembers; what was shown will weigh on the next visit."""
        self.inner.remember(users, slates, feedback)
        self._places[users] += slates.items.shape[1]
        self._tempted[users] += self.temptation[slates.items].sum(axis=1)
        self._satisfaction[users] = self.behaviour.update_satisfaction(
            self._satisfaction[users], feedback.expected
        )

    def start_session(self, users: IntArray) -> None:
        """The users (n,) come back in a neutral mood, and feel what their last visit showed."""
        self.inner.start_session(users)
        places, tempted = self.visit(users)
        load = self.wear.wear * tempted - self.wear.rest * (places - tempted)
        self._weariness[users] = np.clip(self._weariness[users] + load, 0.0, 1.0)
        self._start_visit(users)
        self._satisfaction[users] = self.behaviour.content_level

    def start_life(self, users: IntArray) -> None:
        """The users (n,) begin anew, rested."""
        self._weariness[users] = 0.0
        self._start_visit(users)

    def _start_visit(self, users: IntArray) -> None:
        self._places[users] = 0.0
        self._tempted[users] = 0.0

    def snapshot(self) -> bytes:
        """The exact state, the inner one included."""
        return pack_arrays(self._arrays())

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: it was taken from users of another number.
        """
        arrays = unpack_arrays(snapshot)
        mine = self._arrays()
        del mine["inner"]
        check_shapes(arrays, mine)
        self.inner.restore(arrays["inner"].tobytes())
        self._weariness = arrays["weariness"].astype(np.float64)
        self._places = arrays["places"].astype(np.float64)
        self._tempted = arrays["tempted"].astype(np.float64)
        self._satisfaction = arrays["satisfaction"].astype(np.float64)

    def _arrays(self) -> Arrays:
        return {
            "inner": np.frombuffer(self.inner.snapshot(), dtype=np.uint8),
            "weariness": self._weariness,
            "places": self._places,
            "tempted": self._tempted,
            "satisfaction": self._satisfaction,
        }


def affected(
    user_model: UserModel, catalog: Catalog, wear: Wear | None, effects: VisitEffects | None
) -> UserModel:
    """The users with what a life and a visit do to them, where anything does."""
    if wear is not None:
        user_model = WearyUsers(user_model, catalog, wear)
    return user_model if effects is None else TiringUsers(user_model, catalog, effects)


def tilted(probabilities: FloatArray, pull: FloatArray) -> FloatArray:
    """Distributions (…, 5) whose chance of s stars is multiplied by exp(pull · s), pull (…)."""
    weights = probabilities * np.exp(pull[..., None] * (STARS - STARS.mean()))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
