"""The cache against a list that does the same the slow way."""

import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agents.inference.prefix_cache import PrefixCache

KEYS = st.tuples(st.sampled_from([None, "", "a", "b"]), st.sampled_from(["", "p", "q", "a"]))
BUDGET = 40  # bytes; a float32 takes 4


def states(size):
    return torch.zeros(size)


class CacheMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.cache = PrefixCache(BUDGET)
        self.model = []  # [(key, tensor)], least recently used first
        self.lookups = 0

    @rule(key=KEYS, size=st.integers(1, 12))
    def put(self, key, size):
        entry = states(size)
        self.cache.put(*key, entry)
        if 4 * size > BUDGET:
            return
        self.model = [(k, v) for k, v in self.model if k != key] + [(key, entry)]
        while sum(4 * v.numel() for _, v in self.model) > BUDGET:
            self.model.pop(0)

    @rule(key=KEYS)
    def get(self, key):
        self.lookups += 1
        found = self.cache.get(*key)
        expected = dict(self.model).get(key)
        assert found is expected
        if expected is not None:
            self.model = [(k, v) for k, v in self.model if k != key] + [(key, expected)]

    @rule()
    def clear(self):
        self.cache.clear()
        self.model = []

    @invariant()
    def the_budget_is_kept_and_the_books_are_right(self):
        stats = self.cache.stats
        assert stats.num_bytes <= BUDGET
        assert stats.num_bytes == sum(4 * v.numel() for _, v in self.model)
        assert len(self.cache) == len(self.model)
        assert stats.hits + stats.misses == self.lookups
        assert 0 <= stats.hit_rate <= 1


TestCacheKeepsItsLaws = CacheMachine.TestCase
TestCacheKeepsItsLaws.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_the_least_recently_used_goes_first():
    cache = PrefixCache(max_bytes=8)
    for name in ("p", "q"):
        cache.put(None, name, states(1))
    cache.get(None, "p")
    cache.put(None, "r", states(1))
    assert cache.get(None, "q") is None
    assert cache.get(None, "p") is not None
    assert cache.stats.evictions == 1


def test_the_adapter_is_part_of_the_key():
    cache, entry = PrefixCache(max_bytes=100), states(3)
    cache.put("ann", "prefix", entry)
    assert cache.get(None, "prefix") is None
    assert cache.get("bob", "prefix") is None
    assert cache.get("ann", "prefix") is entry


def test_an_entry_larger_than_the_budget_is_not_kept_and_throws_nothing_out():
    cache = PrefixCache(max_bytes=8)
    cache.put(None, "small", states(2))
    cache.put(None, "large", states(3))
    assert cache.get(None, "large") is None
    assert cache.get(None, "small") is not None


def test_a_cache_without_a_budget_keeps_nothing():
    cache = PrefixCache(max_bytes=0)
    cache.put(None, "p", states(1))
    assert len(cache) == 0
    assert cache.stats.hit_rate == 0.0
