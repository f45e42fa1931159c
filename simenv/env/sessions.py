"""The state of n sessions: who sits in which slot, what was shown, and whether it still runs.

Plain arrays and the draw of users; it knows no user model, no actions and no rewards.
"""

from dataclasses import dataclass

import numpy as np

from simenv.events import BoolArray, Feedback, FloatArray, IntArray, SeedArray, mean_answered
from simenv.observation import History, Observation, observe
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.snapshots import Arrays
from simenv.users.lives import Life


@dataclass
class Sessions:
    """n slots; a slot that is not ``live`` keeps its last state until it is started again."""

    users: IntArray  # (n,)
    chosen: IntArray  # (n,) who comes at an automatic reset; -1 = drawn
    steps: IntArray  # (n,) slates shown in this session
    episodes: IntArray  # (n,) sessions started in this slot since the seeded reset
    terminated: BoolArray  # (n,) the user left
    truncated: BoolArray  # (n,) the step limit was met, or the slot is idle
    history: History  # of this session
    days: FloatArray  # (n,) of this life; 0 where an episode is one visit
    visit_stars: FloatArray  # (n,) sum over the slates of this visit of their mean expected stars
    visit_steps: IntArray  # (n,) slates of this visit

    @classmethod
    def idle(cls, num_slots: int, history_length: int) -> "Sessions":
        """Slots in which nobody sits: all of them count as truncated."""
        return cls(
            users=np.zeros(num_slots, dtype=np.int64),
            chosen=np.full(num_slots, -1, dtype=np.int64),
            steps=np.zeros(num_slots, dtype=np.int64),
            episodes=np.zeros(num_slots, dtype=np.int64),
            terminated=np.zeros(num_slots, dtype=np.bool_),
            truncated=np.ones(num_slots, dtype=np.bool_),
            history=History.empty(num_slots, history_length),
            days=np.zeros(num_slots),
            visit_stars=np.zeros(num_slots),
            visit_steps=np.zeros(num_slots, dtype=np.int64),
        )

    @property
    def live(self) -> BoolArray:
        """(n,) true where a session runs."""
        return ~(self.terminated | self.truncated)

    @property
    def occupants(self) -> IntArray:
        """(n,) who sits in the slot or is bound to come back to it; -1 = nobody."""
        return np.where(self.live, self.users, self.chosen)

    def start(self, rows: IntArray, users: IntArray) -> None:
        """Begin a session of ``users`` in the slots ``rows``."""
        self.stop(rows)
        self.users[rows] = users
        self.truncated[rows] = False
        self.episodes[rows] += 1

    def stop(self, rows: IntArray) -> None:
        """Empty the slots ``rows``; they are idle until started."""
        self.users[rows] = 0
        self.steps[rows] = 0
        self.terminated[rows] = False
        self.truncated[rows] = True
        self.history.clear(rows)
        self.days[rows] = 0.0
        self.visit_stars[rows] = 0.0
        self.visit_steps[rows] = 0

    def days_away(
        self, rows: IntArray, feedback: Feedback, seeds: SeedArray, life: Life | None
    ) -> FloatArray:
        """Days (m,) until the users of ``rows`` (m,) are seen again after this slate.

        0 where they stay, ``inf`` where they are gone: where an episode is one visit, whoever
        leaves is. Takes the slate into the visit's mean, which decides how soon they come back.
        """
        if life is None:
            return np.where(feedback.quits, np.inf, 0.0)
        seen = mean_answered(feedback.expected)
        self.visit_stars[rows] += np.nan_to_num(seen)
        self.visit_steps[rows] += ~np.isnan(seen)
        stars = self.visit_stars[rows] / np.maximum(self.visit_steps[rows], 1)
        return np.where(feedback.quits, life.days_away(stars, seeds), 0.0)

    def advance(
        self,
        rows: IntArray,
        items: IntArray,
        ratings: FloatArray,
        away: FloatArray,
        limits: tuple[int, float],
    ) -> IntArray:
        """One slate later: shift the histories, count step and days, end what ends.

        Args:
            rows: (m,) that were shown ``items`` (m, k) and gave ``ratings`` (m, k).
            items: what they were shown.
            ratings: what they gave.
            away: (m,) of ``days_away``.
            limits: slates and days after which an episode is truncated. Leaving for good wins
                over either when both happen at once.

        Returns:
            The rows whose users are back for another visit.
        """
        self.history.push(rows, items, ratings)
        self.steps[rows] += 1
        gone = np.isinf(away)
        self.days[rows] += np.where(gone, 0.0, away)
        over = (self.steps[rows] >= limits[0]) | (self.days[rows] >= limits[1])
        self.terminated[rows] = gone
        self.truncated[rows] = ~gone & over
        back: IntArray = rows[(away > 0) & ~gone & ~over]
        self.visit_stars[back] = 0.0
        self.visit_steps[back] = 0
        return back

    def observe(self, limit: int, lives: bool = False) -> Observation:
        """The batched observation; every array is a fresh copy."""
        days = self.days if lives else None
        return observe(self.users, self.history, self.steps / limit, days)

    def arrays(self) -> Arrays:
        """The state by name (not copied)."""
        columns = {name: values for name, values in vars(self).items() if name != "history"}
        history = {"history_items": self.history.items, "history_ratings": self.history.ratings}
        return columns | history

    def load(self, arrays: Arrays) -> None:
        """Bring back the state that ``arrays`` gave; the shapes must be ours."""
        for name, mine in self.arrays().items():
            mine[...] = arrays[name]


def draw_users(root: int, pool: IntArray, rows: IntArray, sessions: Sessions) -> IntArray:
    """Who comes next into the slots ``rows``: (len(rows),), a hash of (root, slot, episode).

    Slot i of n draws from the places i, i + n, i + 2n, … of the pool, so no user can sit in two
    slots. Only users chosen by hand can break that; whoever would then sit twice is replaced by
    the next free user of the pool. Slots that ``chosen`` binds to a user keep that user from all
    others.
    """
    num_slots = len(sessions.users)
    class_sizes = (len(pool) - rows - 1) // num_slots + 1
    draws = uniforms(row_seeds(root, rows, sessions.episodes[rows]), Channel.SLOT, 1)[:, 0]
    positions: IntArray = rows + num_slots * (draws * class_sizes).astype(np.int64)
    others = sessions.occupants
    others[rows] = -1
    busy = others[others >= 0]
    if not np.isin(pool[positions], busy).any():
        return np.asarray(pool[positions])
    return _next_free(pool, positions, set(busy.tolist()))


def _next_free(pool: IntArray, positions: IntArray, busy: set[int]) -> IntArray:
    chosen = []
    taken = busy | set(pool[positions].tolist())
    for position in positions.tolist():
        user = int(pool[position])
        while user in busy:
            position = (position + 1) % len(pool)
            candidate = int(pool[position])
            user = candidate if candidate not in taken else user
        taken.add(user)
        chosen.append(user)
    return np.array(chosen, dtype=np.int64)
