"""Law 4, over all memories, against a reading of the law in plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.memory.base import ExactMemory, FaissMemory, Recalled, TableMemory

NUM_USERS, NUM_ITEMS = 3, 9
MEMORIES = [ExactMemory, FaissMemory, TableMemory]
DECISIONS = st.lists(
    st.tuples(st.integers(0, NUM_USERS - 1), st.integers(0, NUM_ITEMS - 1), st.integers(1, 5)),
    max_size=40,
)


def item_vectors(seed=0):
    """Items 0 and 1 look the same, so that ties occur between different items too."""
    vectors = np.random.default_rng(seed).standard_normal((NUM_ITEMS, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[1] = vectors[0]
    return vectors


def filled(kind, decisions, vectors=None, **options):
    memory = kind(item_vectors() if vectors is None else vectors, NUM_USERS, **options)
    if decisions:
        add(memory, decisions)
    return memory


def add(memory, decisions):
    users, items, ratings = np.array(decisions).T
    memory.add(users, items, ratings.astype(float), [f"{u} on {i}" for u, i, _ in decisions])


def everybody():
    """Every user is asked about every item: (3,), (3, 9)."""
    return np.arange(NUM_USERS), np.tile(np.arange(NUM_ITEMS), (NUM_USERS, 1))


def by_hand(decisions, vectors, user, item, m):
    """[(item, rating, row)] of the law, in loops: most similar first, then most recent."""
    own = [(i, r) for u, i, r in decisions if u == user]
    candidates = [(i, r, row) for row, (i, r) in enumerate(own) if i != item]
    return sorted(candidates, key=lambda c: (-round(vectors[c[0]] @ vectors[item], 5), -c[2]))[:m]


@pytest.mark.parametrize("kind", MEMORIES)
@given(decisions=DECISIONS, m=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_recall_is_own_similar_and_never_of_the_item_asked_about(kind, decisions, m):
    memory, vectors = filled(kind, decisions), item_vectors()
    users, items = everybody()
    recalled = memory.recall(users, items, m)
    assert recalled.items.shape == (NUM_USERS, NUM_ITEMS, m)
    assert (recalled.items != items[:, :, None]).all()
    assert (np.diff(np.nan_to_num(recalled.similarities, neginf=-9), axis=2) <= 1e-6).all()
    for user in users:
        for item in range(NUM_ITEMS):
            wanted = by_hand(decisions, vectors, user, item, m)
            got = [piece[user, item] for piece in recalled]
            count = int((got[0] >= 0).sum())
            assert count == len(wanted)
            assert list(zip(got[0], got[1], got[3], strict=True))[:count] == wanted
            assert_empty_from(Recalled(*got), count)
            for found, row in zip(got[0][:count], got[3][:count], strict=True):
                assert memory.reason(user, row) == f"{user} on {found}"


def assert_empty_from(recalled, place):
    assert (recalled.items[place:] == -1).all()
    assert (recalled.rows[place:] == -1).all()
    assert (recalled.ratings[place:] == 0).all()
    assert np.isneginf(recalled.similarities[place:]).all()


@given(decisions=DECISIONS, m=st.integers(1, 12), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_all_recall_what_the_exact_memory_recalls(decisions, m, seed):
    exact, *others = (filled(kind, decisions, item_vectors(seed)) for kind in MEMORIES)
    for other in others:
        assert_same(exact.recall(*everybody(), m), other.recall(*everybody(), m))


@pytest.mark.parametrize("kind", MEMORIES)
@pytest.mark.parametrize("m", [1, 2, 3])
def test_the_most_recent_of_equals_come_first_where_m_cuts_a_tie(kind, m):
    """Both FAISS and argpartition keep any of equals; the most recent were lost at the edge."""
    decisions = [(0, 2, 1 + n % 5) for n in range(23)]
    recalled = filled(kind, decisions).recall(np.array([0]), np.array([[5]]), m)
    assert recalled.rows[0, 0].tolist() == [22, 21, 20][:m]
    assert recalled.ratings[0, 0].tolist() == [1 + 22 % 5, 1 + 21 % 5, 1 + 20 % 5][:m]


def test_recall_takes_repeated_users_in_any_order():
    decisions = [(u, i, 1 + (u + i) % 5) for u in range(3) for i in range(9)]
    for kind in MEMORIES:
        memory = filled(kind, decisions)
        users, items = np.array([2, 0, 2]), np.array([[3, 1], [4, 4], [0, 8]])
        whole = memory.recall(users, items, 3)
        for row in range(3):
            assert_same(
                Recalled(*(piece[[row]] for piece in whole)),
                memory.recall(users[[row]], items[[row]], 3),
            )


@pytest.mark.parametrize("kind", MEMORIES)
@given(first=DECISIONS, later=DECISIONS.filter(len))
@settings(max_examples=25, deadline=None)
def test_restore_of_a_snapshot_is_the_identity(kind, first, later):
    memory = filled(kind, first)
    taken, recalled = memory.snapshot(), memory.recall(*everybody(), 4)
    add(memory, later)
    assert memory.snapshot() != taken
    grown = memory.recall(*everybody(), 4)
    memory.restore(taken)
    assert memory.snapshot() == taken
    assert len(memory) == len(first)
    assert_same(memory.recall(*everybody(), 4), recalled)
    add(memory, later)  # a restored memory goes on as the original would have
    assert_same(memory.recall(*everybody(), 4), grown)
    twin = kind(item_vectors(), NUM_USERS)
    twin.restore(taken)
    assert twin.snapshot() == taken


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_snapshot_keeps_every_reason_letter_by_letter(kind):
    """Reasons were joined by zero bytes, so one that held such a byte moved all that followed."""
    memory, reasons = kind(item_vectors(), NUM_USERS), ["a\x00b", "", "Amélie, naïve 🎬"]
    memory.add(np.array([2, 0, 2]), np.array([1, 2, 3]), np.ones(3), reasons)
    memory.restore(memory.snapshot())
    assert memory.decisions(2) == [(1, 1.0, "a\x00b"), (3, 1.0, "Amélie, naïve 🎬")]
    assert memory.decisions(0) == [(2, 1.0, "")]
    assert memory.decisions(1) == []


@pytest.mark.parametrize("kind", MEMORIES)
def test_reset_goes_back_to_the_seal_or_to_nothing(kind):
    memory = filled(kind, [(0, 1, 5)])
    memory.reset()
    assert len(memory) == 0
    assert (memory.recall(*everybody(), 2).items == -1).all()
    add(memory, [(0, 2, 4), (1, 3, 2)])
    memory.seal()
    sealed = memory.snapshot()
    add(memory, [(0, 4, 1)] * 20)
    assert memory.count(np.array([0, 1, 2])).tolist() == [21, 1, 0]
    memory.reset()
    assert memory.snapshot() == sealed
    assert memory.recall(np.array([0]), np.array([[5]]), 3).items.tolist() == [[[2, -1, -1]]]


@pytest.mark.parametrize("kind", MEMORIES)
def test_growth_in_many_small_steps_is_growth_in_one(kind):
    decisions = [(n % 2, n % NUM_ITEMS, 1 + n % 5) for n in range(70)]
    slow, quick = filled(kind, []), filled(kind, decisions)
    for decision in decisions:
        add(slow, [decision])
    assert len(slow) == len(quick) == 70
    assert slow.snapshot() == quick.snapshot()
    assert_same(slow.recall(*everybody(), 6), quick.recall(*everybody(), 6))


@pytest.mark.parametrize("kind", MEMORIES)
def test_adding_no_decision_changes_nothing(kind):
    """A slate of which nobody takes anything raised from within the FAISS memory."""
    memory, nothing = filled(kind, [(0, 1, 5)]), np.zeros(0, dtype=np.int64)
    before = memory.snapshot()
    memory.add(nothing, nothing, np.zeros(0), [])
    assert memory.snapshot() == before


@pytest.mark.parametrize("kind", MEMORIES)
def test_recalling_changes_nothing(kind):
    memory = filled(kind, [(0, 1, 5), (1, 1, 2)])
    before = memory.snapshot()
    memory.recall(*everybody(), 3)
    assert memory.snapshot() == before


@pytest.mark.parametrize("kind", MEMORIES)
@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (
            lambda m: m.add(np.array([0, 1]), np.array([1]), np.ones(2), ["a", "b"]),
            "wanted columns of one length, got 2, 1, 2, 2",
        ),
        (
            lambda m: m.restore(filled(type(m), [(0, 1, 5)] * 5000, budget=5000).snapshot()),
            "wanted a memory with a budget of at least 5000 decisions a user, this one has 4096",
        ),
        (lambda m: m.recall(*everybody(), 0), "recall wanted at least 1 memory, got m=0"),
        (lambda m: m.restore(b"nonsense"), r"wanted bytes that snapshot\(\) returned, got 8"),
        (
            lambda m: m.restore(type(m)(item_vectors(), 7).snapshot()),
            "snapshot holds memories of 7 users, this memory has 3; restore it into",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(kind, break_it, message):
    memory = filled(kind, [(0, 1, 5)])
    before = memory.snapshot()
    with pytest.raises(ValueError, match=message):
        break_it(memory)
    assert memory.snapshot() == before


def forgetting(decisions, vectors, budget):
    """Each user's [(item, rating)] by the stated policy, in loops."""
    kept = {user: [] for user in range(NUM_USERS)}
    for user, item, rating in decisions:
        own = kept[user]
        if len(own) == budget:
            alike = [round(float(vectors[i] @ vectors[item]), 5) for i, _ in own]
            del own[alike.index(max(alike))]  # of equals the oldest
        own.append((item, float(rating)))
    return kept


@pytest.mark.parametrize("kind", MEMORIES)
@given(decisions=DECISIONS, budget=st.integers(1, 6), cut=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_over_the_budget_the_one_most_like_the_new_one_goes(kind, decisions, budget, cut):
    vectors = item_vectors()
    memory = filled(kind, decisions[:cut], budget=budget)
    if decisions[cut:]:
        add(memory, decisions[cut:])  # one batch or two, it is the same
    wanted = forgetting(decisions, vectors, budget)
    for user in range(NUM_USERS):
        own = memory.decisions(user)
        assert [(i, r) for i, r, _ in own] == wanted[user]
        assert [said for _, _, said in own] == [f"{user} on {i}" for i, _, _ in own]
    exact = filled(ExactMemory, decisions, budget=budget)
    assert_same(memory.recall(*everybody(), 4), exact.recall(*everybody(), 4))


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_memory_stays_flat_over_a_thousand_steps(kind):
    """Until the budget Ml grows by exactly the ratings, then not at all."""
    rng, budget = np.random.default_rng(0), 20
    memory, sizes = kind(item_vectors(), NUM_USERS, budget=budget), []
    for step in range(1000):
        items = rng.integers(0, NUM_ITEMS, NUM_USERS)
        add(memory, [(user, items[user], 1 + step % 5) for user in range(NUM_USERS)])
        assert len(memory) == NUM_USERS * min(step + 1, budget)
        sizes.append(memory.num_bytes)
        newest = [memory.decisions(user)[-1][0] for user in range(NUM_USERS)]
        assert newest == items.tolist()
    assert len(set(sizes[2 * budget :])) == 1


def test_a_catalogue_too_large_for_the_table_is_asked_by_products():
    decisions = [(n % 3, n % NUM_ITEMS, 1 + n % 5) for n in range(40)]
    small, large = filled(TableMemory, decisions), filled(TableMemory, decisions, max_bytes=10)
    assert_same(small.recall(*everybody(), 5), large.recall(*everybody(), 5))


def test_a_memory_without_room_is_refused():
    with pytest.raises(ValueError, match="wanted a budget of at least 1 decision a user, got 0"):
        ExactMemory(item_vectors(), NUM_USERS, budget=0)


def assert_same(left, right):
    for name, a, b in zip(Recalled._fields, left, right, strict=True):
        if name == "similarities":
            np.testing.assert_allclose(a, b, atol=1e-6)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)
