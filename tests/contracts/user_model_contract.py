"""What every ``UserModel`` must keep; run over each implementation.

def test_scripted_users_keep_the_contract():
    check_user_model(make_users, num_items=30)
"""

from collections.abc import Callable

import numpy as np

from simenv.events import Feedback, IntArray, SeedArray, Slates
from simenv.seeding import row_seeds
from simenv.user_model import UserModel

MakeUsers = Callable[[], UserModel]


def check_user_model(
    make_users: MakeUsers, num_items: int, *, num_places: int = 3, atol: float = 0.0
) -> None:
    """All of the contract. ``make_users`` builds equal users each time it is called.

    ``atol`` loosens only the comparison of probabilities across batches: a float32 language model
    may round otherwise in another batch. At 0 the whole feedback must be equal, bit for bit.
    """
    users = make_users()
    batch = _questions(users, num_items, num_places)
    check_feedback_is_well_formed(users, *batch)
    check_respond_is_pure(users, *batch)
    check_batch_invariance(users, *batch, atol=atol)
    check_remember_leaves_the_others_alone(users, *batch, atol=atol)
    check_snapshot_is_exact(users, *batch)
    check_reset_returns_to_construction(users, make_users(), *batch)


def check_feedback_is_well_formed(
    users: UserModel, who: IntArray, slates: Slates, seeds: SeedArray
) -> None:
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


def check_respond_is_pure(
    users: UserModel, who: IntArray, slates: Slates, seeds: SeedArray
) -> None:
    before = users.snapshot()
    first = users.respond(who, slates, seeds)
    second = users.respond(who, slates, seeds)
    _assert_same(first, second)
    assert users.snapshot() == before, "respond changed the state"


def check_batch_invariance(
    users: UserModel, who: IntArray, slates: Slates, seeds: SeedArray, atol: float = 0.0
) -> None:
    """Alone, reversed and in halves the answers are those of the whole batch."""
    whole = users.respond(who, slates, seeds)
    n = len(who)
    for rows in (np.arange(n)[::-1], np.arange(n // 2), np.array([0]), np.array([n - 1])):
        part = users.respond(who[rows], _take(slates, rows), seeds[rows])
        _assert_same(part, Feedback(*(piece[rows] for piece in whole)), atol)


def check_remember_leaves_the_others_alone(
    users: UserModel, who: IntArray, slates: Slates, seeds: SeedArray, atol: float = 0.0
) -> None:
    start = users.snapshot()
    first, rest = np.arange(1), np.arange(1, len(who))
    before = users.respond(who[rest], _take(slates, rest), seeds[rest])
    feedback = users.respond(who[first], _take(slates, first), seeds[first])
    users.remember(who[first], _take(slates, first), feedback)
    after = users.respond(who[rest], _take(slates, rest), seeds[rest])
    _assert_same(before, after, atol)
    users.restore(start)


def check_snapshot_is_exact(
    users: UserModel, who: IntArray, slates: Slates, seeds: SeedArray
) -> None:
    users.start_session(who)
    before = users.snapshot()
    promised = users.respond(who, slates, seeds)
    users.remember(who, slates, promised)
    moved = users.snapshot()
    assert moved != before, "remember changed nothing"
    users.restore(before)
    assert users.snapshot() == before
    _assert_same(users.respond(who, slates, seeds), promised)
    users.restore(moved)
    assert users.snapshot() == moved


def check_reset_returns_to_construction(
    users: UserModel, fresh: UserModel, who: IntArray, slates: Slates, seeds: SeedArray
) -> None:
    users.remember(who, slates, users.respond(who, slates, seeds))
    users.reset()
    assert users.snapshot() == fresh.snapshot()
    _assert_same(users.respond(who, slates, seeds), fresh.respond(who, slates, seeds))


def _questions(
    users: UserModel, num_items: int, num_places: int
) -> tuple[IntArray, Slates, SeedArray]:
    rng = np.random.default_rng(0)
    who = rng.permutation(users.num_users)[: min(6, users.num_users)]
    items = np.stack([rng.permutation(num_items)[:num_places] for _ in who])
    return who, Slates.of_items(items), row_seeds(7, who, np.arange(len(who)))


def _take(slates: Slates, rows: IntArray) -> Slates:
    return Slates(slates.items[rows], slates.scores[rows])


def _assert_same(left: Feedback, right: Feedback, atol: float = 0.0) -> None:
    np.testing.assert_allclose(left.probabilities, right.probabilities, rtol=0, atol=atol)
    if atol == 0.0:
        np.testing.assert_array_equal(left.ratings, right.ratings)
        np.testing.assert_array_equal(left.taken, right.taken)
        np.testing.assert_array_equal(left.quits, right.quits)
