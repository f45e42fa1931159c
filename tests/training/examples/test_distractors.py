"""Distractors: at times the least similar of what was recalled takes the first place."""

import numpy as np
import pytest

from agents.memory.base import ExactMemory
from training.examples.distractors import DistractedMemory

NUM_USERS, NUM_ITEMS, DECISIONS = 20, 60, 12


def filled(make, **options):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((NUM_ITEMS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    memory = make(vectors, NUM_USERS, **options)
    items = np.concatenate([rng.permutation(NUM_ITEMS)[:DECISIONS] for _ in range(NUM_USERS)])
    users = np.repeat(np.arange(NUM_USERS), DECISIONS)
    memory.add(users, items, 1.0 + items % 5, [f"because of {item}" for item in items])
    return memory


def recalls(share, m, seed=0):
    """What an exact memory recalls, and one that is distracted: (20, 60, m) each."""
    users, items = np.arange(NUM_USERS), np.tile(np.arange(NUM_ITEMS), (NUM_USERS, 1))
    rng = np.random.default_rng(seed)
    memories = filled(ExactMemory), filled(DistractedMemory, share=share, rng=rng)
    return [memory.recall(users, items, m) for memory in memories]


@pytest.mark.parametrize("m", [2, 3, 5])
def test_the_least_similar_memory_comes_first_and_the_others_stay(m):
    exact, distracted = recalls(1.0, m)
    for before, after in zip(exact, distracted, strict=True):
        np.testing.assert_array_equal(after[..., 0], before[..., m - 1])
        np.testing.assert_array_equal(after[..., 1:], before[..., 1:])


def test_empty_places_are_no_distractors():
    """Twelve decisions, or eleven where the item itself is one of them, for twenty places."""
    exact, distracted = recalls(1.0, 20)
    last = (exact.items >= 0).sum(axis=-1, keepdims=True) - 1
    assert set(np.unique(last)) == {10, 11}
    for before, after in zip(exact, distracted, strict=True):
        wanted = np.take_along_axis(before, last, axis=-1)[..., 0]
        np.testing.assert_array_equal(after[..., 0], wanted)


def test_where_nothing_is_remembered_nothing_is_recalled():
    vectors = np.eye(3, dtype=np.float32)
    memory = DistractedMemory(vectors, 1, share=1.0, rng=np.random.default_rng(0))
    assert memory.recall(np.array([0]), np.array([[1]]), 2).items.tolist() == [[[-1, -1]]]


def test_a_single_memory_is_its_own_distractor():
    memory = DistractedMemory(
        np.eye(3, dtype=np.float32), 1, share=1.0, rng=np.random.default_rng(0)
    )
    memory.add(np.array([0]), np.array([2]), np.array([4.0]), ["good"])
    assert memory.recall(np.array([0]), np.array([[1]]), 3).items.tolist() == [[[2, -1, -1]]]


def test_as_many_recalls_are_distracted_as_the_share_says():
    exact, distracted = recalls(0.3, 5)
    changed = exact.items[..., 0] != distracted.items[..., 0]
    assert changed.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / changed.size))
    again, other = recalls(0.3, 5)[1], recalls(0.3, 5, seed=1)[1]
    np.testing.assert_array_equal(again.items, distracted.items)
    assert (other.items != distracted.items).any()


def test_without_a_share_nothing_is_distracted():
    exact, distracted = recalls(0.0, 5)
    np.testing.assert_array_equal(exact.items, distracted.items)
