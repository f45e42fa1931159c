"""What happens between two slates: who is asked, answers, remembers, goes and comes back.

Slots, users and draws; no spaces, no infos, no autoreset: those are Gymnasium's side, in
``vector_env``. Letters: ``n`` slots, ``k`` slate places, ``m`` the rows that are asked in a step.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simenv.catalog import Catalog
from simenv.env.infos import no_feedback
from simenv.env.rewards import Outcome, Reward, pay
from simenv.env.sessions import Sessions, draw_users
from simenv.events import Feedback, FloatArray, IntArray, SeedArray, Slates
from simenv.seeding import row_seeds
from simenv.snapshots import Arrays, check_shapes
from simenv.user_model import LivesAnew, UserModel
from simenv.users.lives import Life


class Turn(NamedTuple):
    """One slate for each of the rows asked, and the answers."""

    rows: IntArray  # (m,)
    users: IntArray  # (m,) who sits there
    slates: Slates  # (m, k)
    feedback: Feedback
    away: FloatArray  # (m,) 0 = still here; days until the next visit; inf = gone for good
    rewards: FloatArray  # (m,)


@dataclass
class Dynamics:
    """The state of the world, and its two verbs a step: ``ask``, then ``take_in``."""

    user_model: UserModel
    catalog: Catalog
    pool: IntArray  # (p,) user ids that sessions are drawn from
    reward: Reward
    sessions: Sessions
    lifetime: IntArray  # (num_users,) slates each user was shown since the seeded reset
    root: int | None = None  # of every draw; None = never reset

    def seeds(self, users: IntArray) -> SeedArray:
        """(m,) the seeds of their coming answers: a hash of (root, user, lifetime step)."""
        return row_seeds(self.ready_root("seeds"), users, self.lifetime[users])

    def ready_root(self, verb: str) -> int:
        """The root, or the error of a ``verb`` that came before the first reset."""
        if self.root is None:
            raise RuntimeError(f"{verb} wanted a running environment; call reset() first")
        return self.root

    def rewind(self) -> None:
        """Everybody as new and every slot idle; memories are the user model's."""
        self.lifetime[:] = 0
        self.sessions = Sessions.idle(*self.sessions.history.items.shape)

    def set_root(self, root: int | None, rng: np.random.Generator) -> None:
        """The given root; without one it stays as it was, or is drawn if there was none."""
        if root is not None:
            self.root = int(root)
        elif self.root is None:
            self.root = int(rng.integers(2**63))

    def seat(self, rows: IntArray, users: IntArray | None, returning: bool) -> IntArray:
        """Stop the sessions in ``rows`` (m,) and begin others; returns the rows that now run.

        Args:
            rows: (m,) ascending.
            users: (n,) who sits where, -1 = nobody; None = drawn.
            returning: the same ``users`` come again whenever ``restart`` begins the next session.
        """
        self.sessions.stop(rows)
        self.sessions.chosen[rows] = -1
        if users is None:
            self.restart(rows)
            return rows
        rows = rows[users[rows] >= 0]
        if returning:
            self.sessions.chosen[rows] = users[rows]
        self._start(rows, users[rows])
        return rows

    def restart(self, rows: IntArray) -> None:
        """Begin the next session in ``rows`` (m,), of the user bound to the row or of one drawn."""
        if not len(rows):
            return
        users = self.sessions.chosen[rows]
        free = users < 0
        if free.any():
            root = self.ready_root("start")
            users[free] = draw_users(root, self.pool, rows[free], self.sessions)
        self._start(rows, users)

    def _start(self, rows: IntArray, users: IntArray) -> None:
        if len(rows):
            self.sessions.start(rows, users)
            if isinstance(self.user_model, LivesAnew):
                self.user_model.start_life(users)
            self.user_model.start_session(users)

    def ask(self, rows: IntArray, items: IntArray, life: Life | None) -> Turn:
        """Show the users of ``rows`` (m,) the slates (m, k); nobody remembers anything yet."""
        users, slates = self.sessions.users[rows], Slates.of_items(items)
        if not len(rows):  # every row restarts in this step, so nobody is asked
            nothing = np.zeros(0)
            return Turn(rows, users, slates, no_feedback(items.shape[1]), nothing, nothing)
        seeds = self.seeds(users)
        feedback = self.user_model.respond(users, slates, seeds)
        away = self.sessions.days_away(rows, feedback, seeds, life)
        outcome = Outcome(feedback, users, slates.items, self.catalog, away)
        return Turn(rows, users, slates, feedback, away, pay(self.reward, outcome))

    def take_in(self, turn: Turn, max_steps: int, life: Life | None) -> None:
        """Users remember; sessions go on or end; whoever comes back starts another visit."""
        if not len(turn.rows):
            return
        self.user_model.remember(turn.users, turn.slates, turn.feedback)
        self.lifetime[turn.users] += 1
        limits = max_steps, np.inf if life is None else life.days
        back = self.sessions.advance(
            turn.rows, turn.slates.items, turn.feedback.ratings, turn.away, limits
        )
        if len(back):
            self.user_model.start_session(self.sessions.users[back])

    def arrays(self) -> Arrays:
        """The exact state by name, users included (not copied)."""
        arrays: Arrays = {
            "user_model": np.frombuffer(self.user_model.snapshot(), dtype=np.uint8),
            "root": np.array(self.ready_root("snapshot") % 2**64, dtype=np.uint64),
            "lifetime": self.lifetime,
        }
        return arrays | self.sessions.arrays()

    def load(self, arrays: Arrays) -> None:
        """Bring back the state that ``arrays`` gave.

        Raises:
            ValueError: it is of another number of users or slots; nothing has changed then.
        """
        check_shapes(arrays, {"lifetime": self.lifetime, **self.sessions.arrays()})
        self.user_model.restore(arrays["user_model"].tobytes())
        self.root = int(arrays["root"])
        self.lifetime[:] = arrays["lifetime"]
        self.sessions.load(arrays)
