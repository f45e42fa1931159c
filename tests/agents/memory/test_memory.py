"""Law 4, over all memories, against a reading of the law in plain loops; and their budgets."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.memory.base import ExactMemory, FaissMemory, TableMemory
from agents.testing.memory import (
    NUM_ITEMS,
    NUM_USERS,
    MemoryContract,
    add,
    assert_same,
    check_recall,
    everybody,
    item_vectors,
)
from training.examples.distractors import DistractedMemory

MEMORIES = [ExactMemory, FaissMemory, TableMemory]
DECISIONS = st.lists(
    st.tuples(st.integers(0, NUM_USERS - 1), st.integers(0, NUM_ITEMS - 1), st.integers(1, 5)),
    max_size=40,
)


class TestContract(MemoryContract):
    @pytest.fixture(
        params=[
            *MEMORIES,
            partial(TableMemory, max_bytes=10),  # asked by products
            partial(ExactMemory, budget=24),  # the smallest that the suite has room in
            partial(DistractedMemory, share=0.0, rng=np.random.default_rng(0)),
        ],
        ids=["exact", "faiss", "table", "no_table", "budget", "no_distractors"],
    )
    def make_memory(self, request):
        return request.param


def filled(kind, decisions, vectors=None, **options):
    memory = kind(item_vectors() if vectors is None else vectors, NUM_USERS, **options)
    add(memory, decisions)
    return memory


@pytest.mark.parametrize("kind", MEMORIES)
@given(decisions=DECISIONS, m=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_recall_keeps_the_law_whatever_was_decided(kind, decisions, m):
    check_recall(filled(kind, decisions), decisions, item_vectors(), m)


@given(decisions=DECISIONS, m=st.integers(1, 12), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_all_recall_what_the_exact_memory_recalls(decisions, m, seed):
    exact, *others = (filled(kind, decisions, item_vectors(seed)) for kind in MEMORIES)
    for other in others:
        assert_same(exact.recall(*everybody(), m), other.recall(*everybody(), m))


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
def test_errors_say_what_was_wanted_and_the_cure(kind, break_it, message):
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
@given(decisions=DECISIONS, budget=st.integers(1, 6), split=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_over_the_budget_the_one_most_like_the_new_one_goes(kind, decisions, budget, split):
    vectors = item_vectors()
    memory = filled(kind, decisions[:split], budget=budget)
    add(memory, decisions[split:])  # one batch or two, it is the same
    wanted = forgetting(decisions, vectors, budget)
    for user in range(NUM_USERS):
        own = memory.decisions(user)
        assert [(i, r) for i, r, _ in own] == wanted[user]
        assert [reason for _, _, reason in own] == [f"{user} on {i}" for i, _, _ in own]
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


def test_a_memory_without_room_is_refused():
    with pytest.raises(ValueError, match="memory wanted a budget of at least 1, got 0"):
        ExactMemory(item_vectors(), NUM_USERS, budget=0)
