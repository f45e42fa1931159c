"""A day of use: a thousand episodes in every slot, and memory stays flat. Run by hand.

python -m pytest -m reliability tests/simenv/env/test_soak.py -s
"""

import gc
import time
from pathlib import Path

import numpy as np
import pytest

from simenv.env.scripted_env import make_vector_env
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects

NUM_ENVS, NUM_EPISODES, MIB = 64, 1000, 2**20
KINDS = {
    "sessions": {},
    "sessions_with_pages": {"render_mode": "ansi", "texts": True, "effects": VisitEffects()},
    "lives": {"life": Life(days=10.0, gone_after=6.0), "session_steps": 40},
}


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MIB


@pytest.mark.reliability
@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_memory_is_flat_over_a_thousand_episodes_a_slot(settings, mode):
    env = make_vector_env(NUM_ENVS, num_users=2_000, autoreset_mode=mode, **settings)
    env.reset(seed=0)
    env.action_space.seed(0)
    episodes, steps, readings = np.zeros(NUM_ENVS, np.int64), 0, []
    started = time.perf_counter()
    while episodes.min() < NUM_EPISODES:
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        episodes += terminated | truncated
        steps += 1
        if steps % 500 == 0:
            gc.collect()
            readings.append(resident_mib())
    warm, last = np.median(readings[1:4]), np.median(readings[-3:])
    print(
        f"\n{mode}: {episodes.sum()} episodes, {steps * NUM_ENVS} user-steps in"
        f" {time.perf_counter() - started:.0f} s; resident {warm:.1f} -> {last:.1f} MiB"
    )
    assert last - warm < 2
    assert len(env.snapshot()) < 5 * MIB
