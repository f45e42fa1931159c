"""The recommender's side of a society: what may be shown, what was shown, and when it learns anew.

Letters: ``U`` all users, ``I`` all items, ``n`` users awake, ``k`` slate places, ``h`` history.
"""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from simenv.catalog import Catalog
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, InteractionLog, Slates
from simenv.observation import History, Observation, observe, take_rows
from simenv.policy import LearningPolicy
from simenv.snapshots import Arrays


class Refit(NamedTuple):
    """One fit and what it cost."""

    tick: int
    seconds: float
    rows: int


class Shown(NamedTuple):
    """What the platform shows to those it still has something for."""

    users: IntArray  # (n,)
    slates: Slates  # (n, k)
    allowed: BoolArray  # (n, I) items available and new to the user
    observation: Observation
    saturated: IntArray  # users awake who have seen nearly everything


class ItemSets:
    """One set of items a user, a bit an item."""

    def __init__(self, num_users: int, num_items: int) -> None:
        self.num_items = num_items
        self.bits = np.zeros((num_users, (num_items + 7) // 8), dtype=np.uint8)

    def add(self, users: IntArray, items: IntArray) -> None:
        """Put items (r,) into the sets of users (r,)."""
        values = (128 >> (items % 8)).astype(np.uint8)
        np.bitwise_or.at(self.bits, (users, items // 8), values)

    def of(self, users: IntArray) -> BoolArray:
        """(n, I) true where the item is in the user's set."""
        rows = np.unpackbits(self.bits[users], axis=1, count=self.num_items)
        return rows.view(np.bool_)


class Platform:
    """A policy, its log and the catalogue as it is on sale now.

    Args:
        policy: fitted here, and again every ``refit_every`` ticks.
        catalog: of all items, those not yet released included.
        log: what is known before the first tick; not changed.
        slate_size: k.
        history_length: h shown items that an observation reaches back.
        refit_every: ticks; 0 = never again.
        log_budget: simulated ratings the policy learns from, the latest ones.
        seconds_per_tick: on the clock of ``log``.
        fit: False where a checkpoint is about to be loaded.
    """

    def __init__(
        self,
        policy: LearningPolicy,
        catalog: Catalog,
        log: InteractionLog,
        *,
        slate_size: int,
        history_length: int,
        refit_every: int,
        log_budget: int,
        seconds_per_tick: float,
        fit: bool = True,
    ) -> None:
        met: LearningPolicy | None = policy.meet_catalog(catalog)
        self.policy = policy if met is None else met  # a policy need not return itself
        self.catalog, self.log = catalog, log
        self.slate_size, self.refit_every = slate_size, refit_every
        self._seconds_per_tick = seconds_per_tick
        self.available = np.ones(len(catalog), dtype=np.bool_)
        self.refits: list[Refit] = []
        self._history = History.empty(log.num_users, history_length)
        self._seen = ItemSets(log.num_users, len(catalog))
        self._seen.add(log.users, log.items)
        self._new_rows = np.zeros((log_budget, 4), dtype=np.int64)  # user, item, stars, tick
        self.num_new_rows = 0  # ever given
        self.seconds = 0.0  # spent in the policy, fits included
        self._fitted = ItemSets(log.num_users, len(catalog))
        if fit:
            self.fit(0)

    def fit(self, tick: int) -> None:
        """Learn anew from the log so far, and keep what that cost."""
        started = perf_counter()
        log = self.known_log()
        self.policy.fit(log)
        self.refits.append(Refit(tick, perf_counter() - started, len(log)))
        self.seconds += self.refits[-1].seconds
        # What the log holds the policy leaves out by itself.
        self._fitted = ItemSets(log.num_users, len(self.catalog))
        self._fitted.add(log.users, log.items)

    def known_log(self) -> InteractionLog:
        """The first log and the latest simulated ratings after it, on the first log's clock."""
        count = min(self.num_new_rows, len(self._new_rows))
        start = self.num_new_rows - count
        rows = self._new_rows[np.arange(start, start + count) % max(1, len(self._new_rows))]
        last = self.log.timestamps.max(initial=0)
        return InteractionLog.from_columns(
            np.concatenate([self.log.users, rows[:, 0]]),
            np.concatenate([self.log.items, rows[:, 1]]),
            np.concatenate([self.log.ratings, rows[:, 2].astype(np.float64)]),
            np.concatenate([self.log.timestamps, last + rows[:, 3] * self._seconds_per_tick]),
            num_users=self.log.num_users,
            num_items=self.log.num_items,
        )

    def show(self, users: IntArray, rng: np.random.Generator) -> Shown:
        """Slates for users (n,), best first, of items that are available and new to them.

        Policies know nothing of releases and withdrawals, so they are asked for as many more items
        as they could waste, and what may not be shown is dropped.
        """
        allowed = self.available & ~self._seen.of(users)
        able = allowed.sum(axis=1) >= self.slate_size
        saturated, users, allowed = users[~able], users[able], allowed[able]
        observation = observe(users, self._history.of(users), np.zeros(len(users)))
        slates = self._ask(users, allowed, observation, rng)
        return Shown(users, slates, allowed, observation, saturated)

    def _ask(
        self,
        users: IntArray,
        allowed: BoolArray,
        observation: Observation,
        rng: np.random.Generator,
    ) -> Slates:
        k = self.slate_size
        items, scores = np.zeros((len(users), k), dtype=np.int64), np.zeros((len(users), k))
        offered = self._offered(users, observation)
        waste = (offered & ~allowed).sum(axis=1)
        wanted = k + int(waste.max(initial=0))
        room = offered.sum(axis=1)
        for rows, count in _groups(room, k + waste, wanted):
            seen = take_rows(observation, rows)
            started = perf_counter()
            found = self.policy.recommend(seen, count, rng)
            self.seconds += perf_counter() - started
            fits = np.take_along_axis(allowed[rows], found.items, axis=1)
            first = np.argsort(~fits, axis=1, kind="stable")[:, :k] if count > k else None
            if first is None:
                items[rows], scores[rows] = found.items, found.scores
            else:
                items[rows] = np.take_along_axis(found.items, first, axis=1)
                scores[rows] = np.take_along_axis(found.scores, first, axis=1)
        return Slates(items, scores)

    def _offered(self, users: IntArray, observation: Observation) -> BoolArray:
        """(n, I) what the policy may come up with: neither in its log nor in the history."""
        offered = ~self._fitted.of(users)
        rows, places = np.nonzero(observation["history_items"] >= 0)
        offered[rows, observation["history_items"][rows, places]] = False
        return offered

    def take_in(
        self,
        tick: int,
        users: IntArray,
        observation: Observation,
        slates: Slates,
        feedback: Feedback,
    ) -> None:
        """What users (n,) did with their slates goes into histories, log and policy."""
        k = slates.items.shape[1]
        started = perf_counter()
        self.policy.update(observation, slates, feedback)
        self.seconds += perf_counter() - started
        self._history.push(users, slates.items, feedback.ratings)
        self._seen.add(np.repeat(users, k), slates.items.ravel())
        rows, places = np.nonzero(feedback.taken)
        self.add_rows(users[rows], slates.items[rows, places], feedback.ratings[rows, places],
                      np.full(len(rows), tick))  # fmt: skip
        if self.refit_every and tick % self.refit_every == 0:
            self.fit(tick)

    def add_rows(
        self, users: IntArray, items: IntArray, ratings: FloatArray, ticks: IntArray
    ) -> None:
        """Ratings (r,) given in the society; the oldest give way where the budget is spent."""
        size = len(self._new_rows)
        if size:
            rows = np.column_stack([users, items, ratings.astype(np.int64), ticks])[-size:]
            skipped = len(users) - len(rows)
            places = (self.num_new_rows + skipped + np.arange(len(rows))) % size
            self._new_rows[places] = rows
        self.num_new_rows += len(users)

    def arrays(self) -> Arrays:
        """Histories and sets; the simulated ratings are in the society's own log."""
        return {
            "history_items": self._history.items,
            "history_ratings": self._history.ratings,
            "seen": self._seen.bits,
            "fitted": self._fitted.bits,
        }

    def load(self, arrays: Arrays) -> None:
        """Bring back the state that ``arrays`` gave."""
        self._history.items[:] = arrays["history_items"]
        self._history.ratings[:] = arrays["history_ratings"]
        self._seen.bits[:] = arrays["seen"]
        self._fitted.bits[:] = arrays["fitted"]


def _groups(room: IntArray, needed: IntArray, wanted: int) -> list[tuple[IntArray, int]]:
    """Rows to ask together and for how many items: nearly always one group.

    A row with less room than the others want is asked alone, for all that it may get.
    """
    easy = np.flatnonzero(room >= wanted)
    tight = np.flatnonzero(room < wanted)
    groups = [(easy, int(needed[easy].max()))] if len(easy) else []
    return groups + [(np.array([row]), int(min(room[row], needed[row]))) for row in tight]
