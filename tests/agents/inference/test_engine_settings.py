"""Numbers of engines, caches and memories: what is none is refused before a model is loaded."""

import numpy as np
import pytest

from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.memory.exact import ExactMemory

WRONG = (np.nan, np.inf, "3", True, -1, [1])
URL = "http://localhost:9/v1"


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["token_budget", "cache_bytes", "host_cache_bytes"])
def test_the_local_engine_refuses_what_is_no_number(name, wrong):
    with pytest.raises((ValueError, TypeError), match=f"LocalEngine wanted {name} of at least 0"):
        LocalEngine("nowhere", **{name: wrong})


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "name", ["top", "concurrency", "timeout", "tries", "first_wait", "longest_wait"]
)
def test_the_server_engine_refuses_what_is_no_number(name, wrong):
    with pytest.raises((ValueError, TypeError), match=rf"wanted {name} .*got .*; "):
        ServerEngine("base", base_url=URL, **{name: wrong})


@pytest.mark.parametrize("wrong", WRONG)
def test_caches_memories_and_the_scripted_engine_refuse_what_is_no_number(wrong):
    for name in ("max_bytes", "max_disk_bytes"):
        with pytest.raises((ValueError, TypeError), match=f"engine=cached wanted {name} of at"):
            CachedEngine(ScriptedEngine(), "test", **{name: wrong})
    with pytest.raises((ValueError, TypeError), match="ScriptedEngine wanted a spread above 0"):
        ScriptedEngine(spread=wrong)
    with pytest.raises((ValueError, TypeError), match="memory wanted a budget of at least 1"):
        ExactMemory(np.eye(3), 2, budget=wrong)
