"""What a visit does to attention: fatigue, repetition and boredom, around any user model.

Stars are a matter of taste and stay as they are; what tires is taking. So the effects thin what the
inner model took, which multiplies its chance of taking by a factor in [0, 1].
"""

from dataclasses import dataclass

import numpy as np

from simenv.catalog import Catalog
from simenv.events import Feedback, FloatArray, IntArray, SeedArray, Slates
from simenv.observation import push_latest
from simenv.ranges import check_fields, check_number
from simenv.seeding import Channel, uniforms
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import LivesAnew, UserModel


@dataclass(frozen=True)
class VisitEffects:
    """How much attention is lost; every rate is in [0, 1) and 0 switches an effect off.

    factor = (1 - fatigue) ** slates · (1 - repetition) [shown before] · (1 - boredom · likeness),
    where likeness is the cosine between the item's genres and those shown so far. What is new to
    the visit keeps its whole chance.
    """

    fatigue: float = 0.03
    repetition: float = 0.6
    boredom: float = 0.25
    window: int = 50  # shown items of the visit that are kept in mind

    def __post_init__(self) -> None:
        rates = ("fatigue", "repetition", "boredom")
        check_fields(self, dict.fromkeys(rates, "[0, 1)"), "0 switches the effect off")
        check_number("VisitEffects", "a window", self.window, "whole [1, 1e6]", "it counts items")


class TiringUsers:
    """A ``UserModel``: another one whose users tire within a visit.

    Args:
        inner: answers and remembers; its ``remember`` sees what was left after thinning.
        catalog: for the genres.
        effects: how much.
    """

    def __init__(self, inner: UserModel, catalog: Catalog, effects: VisitEffects) -> None:
        self.inner = inner
        self.effects = effects
        self.num_users = inner.num_users
        self._genres = catalog.genre_directions
        self._slates = np.zeros(self.num_users, dtype=np.int64)
        self._shown = np.full((self.num_users, effects.window), -1, dtype=np.int64)

    def reset(self) -> None:
        """Everybody fresh, and the inner model as it was built."""
        self.inner.reset()
        self._start_visit(np.arange(self.num_users))

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """The inner answer, with less taken; changes nothing."""
        feedback = self.inner.respond(users, slates, seeds)
        draws = uniforms(seeds, Channel.ATTENTION, slates.items.shape[1])
        taken = feedback.taken & (draws < self.attention(users, slates.items))
        return feedback._replace(taken=taken, ratings=np.where(taken, feedback.ratings, 0.0))

    def attention(self, users: IntArray, items: IntArray) -> FloatArray:
        """Factors (n, k) in (0, 1] on the chance that users (n,) take items (n, k)."""
        shown = self._shown[users]  # (n, window)
        before = (items[:, :, None] == shown[:, None, :]).any(axis=-1)
        mood = np.where((shown >= 0)[..., None], self._genres[shown], 0.0).sum(axis=1)
        mood /= np.maximum(np.linalg.norm(mood, axis=1, keepdims=True), 1e-12)
        likeness = np.einsum("nkg,ng->nk", self._genres[items], mood)
        effects = self.effects
        tired = (1 - effects.fatigue) ** self._slates[users][:, None]
        return np.asarray(
            tired * (1 - effects.repetition * before) * (1 - effects.boredom * likeness)
        )

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """The inner model remembers; the visit is one slate longer."""
        self.inner.remember(users, slates, feedback)
        push_latest(self._shown, users, slates.items)
        self._slates[users] += 1

    def start_session(self, users: IntArray) -> None:
        """The users (n,) come back rested."""
        self.inner.start_session(users)
        self._start_visit(users)

    def start_life(self, users: IntArray) -> None:
        """The inner model's users begin anew, where it knows lives; visits leave nothing here."""
        if isinstance(self.inner, LivesAnew):
            self.inner.start_life(users)

    def _start_visit(self, users: IntArray) -> None:
        self._slates[users] = 0
        self._shown[users] = -1

    def snapshot(self) -> bytes:
        """The exact state, the inner one included."""
        return pack_arrays(self._arrays())

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: it was taken from users of another number or window.
        """
        arrays = unpack_arrays(snapshot)
        mine = self._arrays()
        del mine["inner"]
        check_shapes(arrays, mine)
        self.inner.restore(arrays["inner"].tobytes())
        self._slates = arrays["slates"].astype(np.int64)
        self._shown = arrays["shown"].astype(np.int64)

    def _arrays(self) -> Arrays:
        inner = np.frombuffer(self.inner.snapshot(), dtype=np.uint8)
        return {"inner": inner, "slates": self._slates, "shown": self._shown}
