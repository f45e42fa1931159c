"""Users with a known taste and no language model: the truth that everything else is tested against.

``LatentTruth`` says what a user thinks of an item; ``ScriptedUsers`` lets such users watch, rate
and leave. Letters: ``n`` users in the batch, ``k`` slate places, ``f`` taste factors.
"""

from dataclasses import dataclass, field

import numpy as np

from simenv.events import STARS, Feedback, FloatArray, IntArray, SeedArray, Slates
from simenv.ranges import check_number
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import Truth
from simenv.users.behaviour import Behaviour


@dataclass(frozen=True)
class LatentTruth:
    """Taste as a dot product: liking = level + quality[item] + user_factors · item_factors.

    Liking is on the star scale; the star given is the one that liking plus logistic noise rounds
    to, so P(star <= s) = logistic((s + 0.5 - liking) / noise).
    """

    user_factors: FloatArray  # (num_users, f)
    item_factors: FloatArray  # (num_items, f)
    quality: FloatArray  # (num_items,) stars above the level that all users give an item
    level: float = 3.3  # stars of an average item
    noise: float = 0.4  # scale of the logistic noise in stars, > 0

    def __post_init__(self) -> None:
        shapes = (self.user_factors.shape[1:], self.item_factors.shape[1:])
        if shapes[0] != shapes[1] or len(self.quality) != len(self.item_factors):
            raise ValueError(
                "LatentTruth wanted as many factors a user as an item and one quality an item, got"
                f" factors {shapes[0]} and {shapes[1]}, {len(self.quality)} qualities for"
                f" {len(self.item_factors)} items; draw them together"
            )
        for name in ("user_factors", "item_factors", "quality"):
            values = np.asarray(getattr(self, name))
            if not np.issubdtype(values.dtype, np.number) or not np.isfinite(values).all():
                raise ValueError(
                    f"LatentTruth wanted finite {name}, got others among {values.size} of"
                    f" {values.dtype}; draw them anew"
                )
        check_number("LatentTruth", "noise", self.noise, "(0, inf)", "try 0.4")
        check_number("LatentTruth", "level", self.level, "(-inf, inf)", "try 3.3")

    @classmethod
    def draw(
        cls, num_users: int, num_items: int, *, num_factors: int = 8, seed: int = 0
    ) -> "LatentTruth":
        """A random world: each item belongs mostly to one factor, tastes differ by about a star."""
        rng = np.random.default_rng(seed)
        main = rng.integers(0, num_factors, num_items)
        items = 0.25 * rng.normal(size=(num_items, num_factors))
        items[np.arange(num_items), main] += 1.0
        users = 0.9 * rng.normal(size=(num_users, num_factors))
        return cls(users, items, 0.4 * rng.normal(size=num_items))

    def liking(self, users: IntArray, items: IntArray) -> FloatArray:
        """Noiseless stars (n, k) of users (n,) for items (n, k); may leave [1, 5]."""
        tastes = np.einsum("nf,nkf->nk", self.user_factors[users], self.item_factors[items])
        return np.asarray(self.level + self.quality[items] + tastes)

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        edges = STARS[:-1] + 0.5
        below = _logistic((edges - self.liking(users, items)[..., None]) / self.noise)
        return np.diff(below, axis=-1, prepend=0.0, append=1.0)


@dataclass
class ScriptedUsers:
    """A complete ``UserModel`` over a known truth.

    What users keep is their session's satisfaction and how many ratings they ever gave. A session
    starts with satisfaction at ``behaviour.content_level``: nobody arrives annoyed, so the chance
    of leaving starts near ``base_quit`` and moves with what is shown.

    Args:
        truth: the distribution over stars of every user and item.
        num_users: ids are ``[0, num_users)``.
        num_items: item ids are ``[0, num_items)``.
        activity: (num_users,) trait level 1, 2 or 3; None = 2 for everybody.
        behaviour: how stars become watching, rating and leaving.
    """

    truth: Truth
    num_users: int
    num_items: int
    activity: IntArray | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)

    def __post_init__(self) -> None:
        if self.activity is None:
            self.activity = np.full(self.num_users, 2, dtype=np.int64)
        self._activity = np.asarray(self.activity, dtype=np.int64)
        if self._activity.shape != (self.num_users,):
            raise ValueError(
                f"activity wanted one level a user, shape ({self.num_users},), got"
                f" {self._activity.shape}; give a level 1, 2 or 3 for every user"
            )
        if not np.isin(self.activity, (1, 2, 3)).all():
            raise ValueError(
                "activity wanted levels 1, 2 or 3, got others among"
                f" {np.unique(self._activity)[:8].tolist()}; 2 is the middle"
            )
        self.reset()

    @property
    def satisfaction(self) -> FloatArray:
        """(num_users,) running mean stars of the current sessions; a copy."""
        return self._satisfaction.copy()

    @property
    def num_ratings(self) -> IntArray:
        """(num_users,) ratings given since construction or reset; a copy."""
        return self._num_ratings.copy()

    def reset(self) -> None:
        """Everybody is new: no ratings given, no session begun."""
        self._satisfaction = np.full(self.num_users, self.behaviour.content_level)
        self._num_ratings = np.zeros(self.num_users, dtype=np.int64)

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """Answer slates (n, k) as users (n,) with seeds (n,); changes nothing.

        Raises:
            ValueError: a slate holds an item that the world does not have.
        """
        items = slates.items
        if items.size and (items.min() < 0 or items.max() >= self.num_items):
            raise ValueError(
                f"slates wanted items in [0, {self.num_items}), got {items.min()}..{items.max()};"
                " recommend from this catalogue"
            )
        probabilities = self.truth.probabilities(users, items)
        satisfaction, activity = self._satisfaction[users], self._activity[users]
        return self.behaviour.act(probabilities, satisfaction, activity, seeds)

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """Move the satisfaction of the session and count the ratings; users (n,) are distinct."""
        self._satisfaction[users] = self.behaviour.update_satisfaction(
            self._satisfaction[users], feedback.expected
        )
        self._num_ratings[users] += feedback.taken.sum(axis=1)

    def start_session(self, users: IntArray) -> None:
        """The users (n,) come back in a neutral mood."""
        self._satisfaction[users] = self.behaviour.content_level

    def snapshot(self) -> bytes:
        """Satisfaction and counts, exactly."""
        return pack_arrays(self._arrays())

    def restore(self, snapshot: bytes) -> None:
        """Bring back the state that ``snapshot`` returned.

        Raises:
            ValueError: it is not a snapshot of as many users.
        """
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, self._arrays())
        self._satisfaction = arrays["satisfaction"].astype(np.float64)
        self._num_ratings = arrays["num_ratings"].astype(np.int64)

    def _arrays(self) -> Arrays:
        return {"satisfaction": self._satisfaction, "num_ratings": self._num_ratings}


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))  # exp would overflow far from the edge
