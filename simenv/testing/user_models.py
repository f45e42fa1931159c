"""The laws of a ``UserModel``, as a test class to subclass. It knows no implementation.

class TestMyUsers(UserModelContract):
    num_items = 30

    @pytest.fixture
    def make_users(self):
        return MyUsers
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from simenv.events import Feedback, IntArray, SeedArray, Slates
from simenv.seeding import row_seeds
from simenv.user_model import UserModel

MakeUsers = Callable[[], UserModel]
Questions = tuple[IntArray, Slates, SeedArray]  # users (n,), slates (n, k), seeds (n,)


class UserModelContract:
    """Subclasses give the fixture ``make_users``: a callable that builds equal users each time.

    ``atol`` loosens only the comparison of probabilities across batches: a float32 language model
    may round otherwise in another batch. At 0 the whole feedback must be equal, bit for bit.
    """

    num_items: ClassVar[int]  # item ids are [0, num_items)
    num_places: ClassVar[int] = 3
    atol: ClassVar[float] = 0.0

    def test_feedback_is_well_formed(self, make_users: MakeUsers) -> None:
        """Shapes, types, ranges; stars where taken and 0 elsewhere."""
        users = make_users()
        who, slates, seeds = self._questions(users)
        feedback = users.respond(who, slates, seeds)
        n, k = slates.items.shape
        assert feedback.ratings.shape == feedback.taken.shape == (n, k)
        assert feedback.probabilities.shape == (n, k, 5)
        assert feedback.quits.shape == (n,)
        assert feedback.taken.dtype == feedback.quits.dtype == np.bool_
        assert np.isfinite(feedback.ratings).all()
        assert np.isfinite(feedback.probabilities).all()
        assert (feedback.probabilities >= 0).all()
        np.testing.assert_allclose(feedback.probabilities.sum(axis=2), 1.0, atol=1e-6)
        assert np.isin(feedback.ratings[feedback.taken], [1, 2, 3, 4, 5]).all()
        assert (feedback.ratings[~feedback.taken] == 0).all()

    def test_to_respond_changes_nothing(self, make_users: MakeUsers) -> None:
        """The same questions twice give the same answers and leave the same state."""
        users = make_users()
        questions = self._questions(users)
        before = users.snapshot()
        _assert_same(users.respond(*questions), users.respond(*questions))
        assert users.snapshot() == before, "respond changed the state"

    def test_an_answer_does_not_depend_on_the_batch(self, make_users: MakeUsers) -> None:
        """Alone, reversed and in halves the answers are those of the whole batch."""
        users = make_users()
        questions = self._questions(users)
        whole, n = users.respond(*questions), len(questions[0])
        for rows in (np.arange(n)[::-1], np.arange(n // 2), np.array([0]), np.array([n - 1])):
            part = users.respond(*_take(questions, rows))
            _assert_same(part, Feedback(*(piece[rows] for piece in whole)), self.atol)

    def test_what_one_user_remembers_changes_no_other(self, make_users: MakeUsers) -> None:
        """Memories are each user's own."""
        users = make_users()
        questions = self._questions(users)
        first = _take(questions, np.arange(1))
        rest = _take(questions, np.arange(1, len(questions[0])))
        before = users.respond(*rest)
        users.remember(first[0], first[1], users.respond(*first))
        _assert_same(before, users.respond(*rest), self.atol)

    def test_a_snapshot_is_exact(self, make_users: MakeUsers) -> None:
        """What was restored answers as it did, and its snapshot is the same bytes."""
        users = make_users()
        who, slates, seeds = self._questions(users)
        users.start_session(who)
        before, promised = users.snapshot(), users.respond(who, slates, seeds)
        users.remember(who, slates, promised)
        moved = users.snapshot()
        assert moved != before, "remember changed nothing"
        users.restore(before)
        assert users.snapshot() == before
        _assert_same(users.respond(who, slates, seeds), promised)
        users.restore(moved)
        assert users.snapshot() == moved

    def test_a_reset_returns_to_construction(self, make_users: MakeUsers) -> None:
        """Whatever was remembered is gone."""
        users, fresh = make_users(), make_users()
        who, slates, seeds = self._questions(users)
        users.remember(who, slates, users.respond(who, slates, seeds))
        users.reset()
        assert users.snapshot() == fresh.snapshot()
        _assert_same(users.respond(who, slates, seeds), fresh.respond(who, slates, seeds))

    def _questions(self, users: UserModel) -> Questions:
        rng = np.random.default_rng(0)
        who = rng.permutation(users.num_users)[: min(6, users.num_users)]
        items = np.stack([rng.permutation(self.num_items)[: self.num_places] for _ in who])
        return who, Slates.of_items(items), row_seeds(7, who, np.arange(len(who)))


def _take(questions: Questions, rows: IntArray) -> Questions:
    who, slates, seeds = questions
    return who[rows], Slates(slates.items[rows], slates.scores[rows]), seeds[rows]


def _assert_same(left: Feedback, right: Feedback, atol: float = 0.0) -> None:
    np.testing.assert_allclose(left.probabilities, right.probabilities, rtol=0, atol=atol)
    if atol == 0.0:
        np.testing.assert_array_equal(left.ratings, right.ratings)
        np.testing.assert_array_equal(left.taken, right.taken)
        np.testing.assert_array_equal(left.quits, right.quits)
