"""Two floors answer what one large floor would; which is faster is a matter of the model."""

import numpy as np
import pytest
import torch

from agents.inference.local.local_engine import LocalEngine
from agents.inference.prefix_cache import PrefixCache, PrefixCost, make_cache, offload_pays
from agents.prompts import RATING_CHOICES

CPU = torch.device("cpu")


def test_what_the_device_let_go_of_comes_back_from_the_host():
    cache = PrefixCache(max_bytes=40, host_bytes=400, device=CPU)
    entries = {name: torch.full((8,), float(i)) for i, name in enumerate("abc")}
    for name, entry in entries.items():
        cache.put("ann", name, entry)
    assert len(cache) == 1, "the device holds one entry of 32 bytes"
    for name, entry in entries.items():
        assert torch.equal(cache.get("ann", name), entry)
    assert cache.get("bob", "a") is None
    assert cache.stats.hits == 3
    assert cache.stats.misses == 1
    assert cache.stats.num_bytes <= 40


def test_both_floors_keep_to_their_budgets_and_forget():
    cache = PrefixCache(max_bytes=40, host_bytes=64, device=CPU)
    for name in "abcd":
        cache.put(None, name, torch.zeros(8))
    assert [cache.get(None, name) is None for name in "abcd"] == [True, True, False, False]
    cache.put(None, "large", torch.zeros(100))
    assert cache.get(None, "large") is None
    cache.drop(None)
    assert cache.get(None, "d") is None
    cache.put(None, "d", torch.zeros(8))
    cache.clear()
    assert cache.get(None, "d") is None


def test_a_copy_on_the_host_does_not_change_with_the_device():
    cache = PrefixCache(max_bytes=1, host_bytes=64, device=CPU)
    entry = torch.ones(8)
    cache.put(None, "a", entry)
    entry.zero_()
    assert torch.equal(cache.get(None, "a"), torch.ones(8))


def test_an_engine_with_a_second_floor_computes_no_prefix_twice(pocket_folder, engine, questions):
    tight = LocalEngine(
        pocket_folder, fast=False, cache_bytes=1, host_cache_bytes=2**28, token_budget=64
    )
    expected = engine.score(questions, RATING_CHOICES)
    for _ in range(2):
        np.testing.assert_allclose(tight.score(questions, RATING_CHOICES), expected, atol=1e-4)
    assert tight.cache_stats.misses == 3, "one a person"


def test_offload_pays_where_keys_are_few_and_weights_are_many():
    """On an H200: about 50 GB/s over the bus, and say 400 TFLOP/s reached."""
    phi_3_mini, llama_3_8b = PrefixCost(393_216, 7.2e9), PrefixCost(131_072, 14e9)
    assert offload_pays(llama_3_8b, 50e9, 400e12)  # 2.6 µs a token against 35
    assert offload_pays(phi_3_mini, 50e9, 400e12)  # 7.9 against 18
    assert not offload_pays(phi_3_mini, 12e9, 400e12)  # 33 against 18, on an older bus


@pytest.mark.parametrize(("host", "kept"), [(0, False), (64, True)])
def test_a_cache_has_a_second_floor_on_request(host, kept):
    assert make_cache("auto", host, CPU).max_bytes == 2**30
    cache = make_cache(1, host, CPU)
    cache.put(None, "p", torch.ones(8))
    assert (cache.get(None, "p") is not None) == kept
