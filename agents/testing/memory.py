"""What every ``Memory`` must keep, whoever wrote it: subclass the contract and give a fixture.

class TestMine(MemoryContract):
    @pytest.fixture
    def make_memory(self):
        return MyMemory  # (vectors, num_users) → an empty memory

A memory may forget; the suite holds at most 24 decisions of a user at a time, so budgets below that
are the author's own to test.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from agents.embedding import Vectors
from agents.memory.base import MakeMemory, Memory, Recalled
from simenv.events import IntArray

NUM_USERS, NUM_ITEMS = 3, 9
Decision = tuple[int, int, int]  # user, item, stars


def item_vectors(seed: int = 0) -> Vectors:
    """(9, 5) unit vectors; items 0 and 1 look the same, so that different items can tie."""
    vectors = np.random.default_rng(seed).standard_normal((NUM_ITEMS, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[1] = vectors[0]
    return vectors


def drawn_decisions(seed: int) -> list[Decision]:
    """Up to 20 decisions at random; items repeat, and a user may have none."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 21))
    ranges = (0, NUM_USERS), (0, NUM_ITEMS), (1, 6)
    users, items, stars = (rng.integers(low, high, size).tolist() for low, high in ranges)
    return list(zip(users, items, stars, strict=True))


def add(memory: Memory, decisions: Sequence[Decision]) -> None:
    """Add decisions with the reason ``USER on ITEM``."""
    users, items, stars = np.array(decisions, dtype=np.int64).reshape(-1, 3).T
    reasons = [f"{user} on {item}" for user, item, _ in decisions]
    memory.add(users, items, stars.astype(np.float64), reasons)


def everybody() -> tuple[IntArray, IntArray]:
    """Every user is asked about every item: (3,), (3, 9)."""
    return np.arange(NUM_USERS), np.tile(np.arange(NUM_ITEMS), (NUM_USERS, 1))


def recall_by_hand(
    decisions: Sequence[Decision], vectors: Vectors, user: int, item: int, m: int
) -> list[Decision]:
    """[(item, stars, row)] that a user recalls for an item, in plain loops: the law itself."""
    own = [(i, stars) for u, i, stars in decisions if u == user]
    candidates = [(i, stars, row) for row, (i, stars) in enumerate(own) if i != item]

    def order(found: Decision) -> tuple[float, int]:
        return -round(float(vectors[found[0]] @ vectors[item]), 5), -found[2]

    return sorted(candidates, key=order)[:m]


def check_recall(memory: Memory, decisions: Sequence[Decision], vectors: Vectors, m: int) -> None:
    """The memory of these decisions recalls what the law says, to everybody for every item."""
    users, items = everybody()
    recalled = memory.recall(users, items, m)
    assert recalled.items.shape == (NUM_USERS, NUM_ITEMS, m)
    assert (recalled.items != items[:, :, None]).all()
    assert (np.diff(np.nan_to_num(recalled.similarities, neginf=-9), axis=2) <= 1e-6).all()
    for user in range(NUM_USERS):
        for item in range(NUM_ITEMS):
            wanted = recall_by_hand(decisions, vectors, user, item, m)
            _check_places(Recalled(*(part[user, item] for part in recalled)), wanted)
            for found, _, row in wanted:
                assert memory.reason(user, row) == f"{user} on {found}"
    _check_similarities(recalled, vectors)


def _check_places(found: Recalled, wanted: Sequence[Decision]) -> None:
    """Places (m,) of one recall; those beyond what is wanted are empty."""
    count = len(wanted)
    got = zip(found.items[:count], found.ratings[:count], found.rows[:count], strict=True)
    assert list(got) == list(wanted)
    assert (found.items[count:] == -1).all()
    assert (found.rows[count:] == -1).all()
    assert (found.ratings[count:] == 0).all()
    assert np.isneginf(found.similarities[count:]).all()


def _check_similarities(recalled: Recalled, vectors: Vectors) -> None:
    cosines = np.einsum("ukmd,kd->ukm", vectors[recalled.items], vectors)
    expected = np.where(recalled.items < 0, -np.inf, cosines)
    np.testing.assert_allclose(recalled.similarities, expected, atol=1e-5)


def _row(found: Recalled, row: int) -> Recalled:
    at = slice(row, row + 1)
    return Recalled(found.items[at], found.ratings[at], found.similarities[at], found.rows[at])


def assert_same(left: Recalled, right: Recalled) -> None:
    """Equal places, similarities up to rounding."""
    for name, a, b in zip(Recalled._fields, left, right, strict=True):
        atol = 1e-6 if name == "similarities" else 0.0
        np.testing.assert_allclose(a, b, rtol=0.0, atol=atol, err_msg=name)


class MemoryContract:
    """Law 4 and what callers rely on; see the module."""

    @pytest.fixture
    def memory(self, make_memory: MakeMemory) -> Memory:
        """An empty memory of three users over nine items."""
        return make_memory(item_vectors(), NUM_USERS)

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("m", [1, 3, 12])
    def test_recall_is_own_similar_and_never_of_the_item_asked_about(
        self, memory: Memory, seed: int, m: int
    ) -> None:
        decisions = drawn_decisions(seed)
        add(memory, decisions)
        check_recall(memory, decisions, item_vectors(), m)

    @pytest.mark.parametrize("m", [1, 2, 3])
    def test_the_most_recent_of_equals_come_first_where_m_cuts_a_tie(
        self, memory: Memory, m: int
    ) -> None:
        add(memory, [(0, 2, 1 + n % 5) for n in range(23)])
        recalled = memory.recall(np.array([0]), np.array([[5]]), m)
        assert recalled.rows[0, 0].tolist() == [22, 21, 20][:m]
        assert recalled.ratings[0, 0].tolist() == [1 + 22 % 5, 1 + 21 % 5, 1 + 20 % 5][:m]

    def test_recall_takes_repeated_users_in_any_order(self, memory: Memory) -> None:
        add(memory, [(u, i, 1 + (u + i) % 5) for u in range(3) for i in range(9)])
        users, items = np.array([2, 0, 2]), np.array([[3, 1], [4, 4], [0, 8]])
        whole = memory.recall(users, items, 3)
        for row in range(3):
            alone = memory.recall(users[[row]], items[[row]], 3)
            assert_same(_row(whole, row), alone)

    def test_an_empty_memory_recalls_nothing(self, memory: Memory) -> None:
        check_recall(memory, [], item_vectors(), 2)
        assert len(memory) == 0

    def test_recalling_and_asking_changes_nothing(self, memory: Memory) -> None:
        add(memory, drawn_decisions(1))
        before = memory.snapshot()
        memory.recall(*everybody(), 3)
        memory.decisions(0)
        memory.count(np.arange(NUM_USERS))
        assert memory.num_bytes > 0
        assert memory.snapshot() == before

    def test_a_memory_grows_by_exactly_the_decisions(self, memory: Memory) -> None:
        decisions = drawn_decisions(2)
        add(memory, decisions)
        own = [[(i, float(s), f"{u} on {i}") for u, i, s in decisions if u == user]
               for user in range(NUM_USERS)]  # fmt: skip
        assert [memory.decisions(user) for user in range(NUM_USERS)] == own
        assert memory.count(np.array([2, 0])).tolist() == [len(own[2]), len(own[0])]
        assert len(memory) == len(decisions)

    def test_growth_in_many_small_steps_is_growth_in_one(self, make_memory: MakeMemory) -> None:
        decisions = drawn_decisions(3)
        slow, quick = (make_memory(item_vectors(), NUM_USERS) for _ in range(2))
        for decision in decisions:
            add(slow, [decision])
        add(quick, decisions)
        assert slow.snapshot() == quick.snapshot()
        assert_same(slow.recall(*everybody(), 6), quick.recall(*everybody(), 6))

    def test_adding_no_decision_changes_nothing(self, memory: Memory) -> None:
        add(memory, [(0, 1, 5)])
        before = memory.snapshot()
        add(memory, [])
        assert memory.snapshot() == before

    @pytest.mark.parametrize("seed", range(4))
    def test_restore_of_a_snapshot_is_the_identity(
        self, make_memory: MakeMemory, seed: int
    ) -> None:
        memory, twin = (make_memory(item_vectors(), NUM_USERS) for _ in range(2))
        first, later = drawn_decisions(seed), drawn_decisions(seed + 50)
        add(memory, first)
        taken, recalled = memory.snapshot(), memory.recall(*everybody(), 4)
        add(memory, later)
        grown = memory.recall(*everybody(), 4)
        assert memory.snapshot() != taken
        for restored in (memory, twin):
            restored.restore(taken)
            assert restored.snapshot() == taken
            assert len(restored) == len(first)
            assert_same(restored.recall(*everybody(), 4), recalled)
            add(restored, later)  # it goes on as the original did
            assert_same(restored.recall(*everybody(), 4), grown)

    def test_a_snapshot_keeps_every_reason_letter_by_letter(self, memory: Memory) -> None:
        reasons = ["a\x00b", "", "Amélie, naïve 🎬"]
        memory.add(np.array([2, 0, 2]), np.array([1, 2, 3]), np.ones(3), reasons)
        memory.restore(memory.snapshot())
        assert memory.decisions(2) == [(1, 1.0, "a\x00b"), (3, 1.0, "Amélie, naïve 🎬")]
        assert memory.decisions(0) == [(2, 1.0, "")]
        assert memory.decisions(1) == []

    def test_reset_goes_back_to_the_seal_or_to_nothing(self, memory: Memory) -> None:
        add(memory, [(0, 1, 5)])
        memory.reset()
        assert len(memory) == 0
        assert (memory.recall(*everybody(), 2).items == -1).all()
        add(memory, [(0, 2, 4), (1, 3, 2)])
        memory.seal()
        sealed = memory.snapshot()
        add(memory, [(0, 4, 1)] * 20)
        assert memory.count(np.arange(NUM_USERS)).tolist() == [21, 1, 0]
        memory.reset()
        assert memory.snapshot() == sealed
        assert memory.recall(np.array([0]), np.array([[5]]), 3).items.tolist() == [[[2, -1, -1]]]

    def test_restoring_leaves_the_seal_as_it_was(self, memory: Memory) -> None:
        empty = memory.snapshot()
        add(memory, [(0, 2, 4)])
        memory.seal()
        memory.restore(empty)
        assert len(memory) == 0
        memory.reset()
        assert memory.decisions(0) == [(2, 4.0, "0 on 2")]

    @pytest.mark.parametrize("fault", ["columns", "no memory wanted", "bytes", "other users"])
    def test_what_makes_no_sense_is_refused_and_changes_nothing(
        self, make_memory: MakeMemory, fault: str
    ) -> None:
        memory = make_memory(item_vectors(), NUM_USERS)
        faults: dict[str, Callable[[], object]] = {
            "columns": lambda: memory.add(np.array([0, 1]), np.array([1]), np.ones(2), ["a", "b"]),
            "no memory wanted": lambda: memory.recall(*everybody(), 0),
            "bytes": lambda: memory.restore(b"nonsense"),
            "other users": lambda: memory.restore(make_memory(item_vectors(), 7).snapshot()),
        }
        add(memory, [(0, 1, 5)])
        before = memory.snapshot()
        with pytest.raises(ValueError):  # noqa: PT011 (the words are the author's own)
            faults[fault]()
        assert memory.snapshot() == before
