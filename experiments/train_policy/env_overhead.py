"""What the environment costs: scripted users, and one native batch against one process a user.

python -m experiments.train_policy.env_overhead [NUM_ENVS [STEPS]]     (a quiet machine, minutes)

The second figure runs the shipped language model: ``RecVectorEnv`` asks it once a step for all
users, Gymnasium's ``AsyncVectorEnv`` runs one process, and so one model, for each of them: once on
our engine, once as one would write it with Hugging Face alone.
"""

import functools
import multiprocessing
import sys
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from agents.assembly import make_env, make_vector_env
from agents.inference.local.local_engine import LocalEngine
from simenv.env import scripted_env
from simenv.env.spaces import SlateSpace

_HEAVY = ("accelerate", "peft", "transformers.models.llama.modeling_llama")  # imported on use


def steps_a_second(env: Any, num_envs: int, num_items: int, num_steps: int, rounds: int) -> float:
    """User-steps a second of the best of so many rounds, after one step to warm up."""
    env.reset(seed=0)
    space = SlateSpace(num_items, (num_envs, 5), seed=0)
    env.step(space.sample())
    best = 0.0
    for _ in range(rounds):
        slates = [space.sample() for _ in range(num_steps)]
        before = time.perf_counter()
        for items in slates:
            env.step(items)
        best = max(best, num_envs * num_steps / (time.perf_counter() - before))
    return best


def one_env(reuse_prefixes: bool) -> Any:
    """A single environment for a process of its own: one thread, or 64 models would fight."""
    import torch

    torch.set_num_threads(1)
    return make_env(engine=functools.partial(LocalEngine, reuse_prefixes=reuse_prefixes))


def one_process_each(num_envs: int, reuse_prefixes: bool = True) -> Any:
    """Gymnasium's ``AsyncVectorEnv``; on our engine, or on whole prompts by Hugging Face's forward.

    Its processes are forked from a server that has imported everything and run nothing: forks of
    this one would wait for ever for threads they do not have, and fresh ones fill the memory.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["agents.inference.local.local_engine", "agents.persona_users", *_HEAVY]
    )
    return gym.vector.AsyncVectorEnv(
        [functools.partial(one_env, reuse_prefixes)] * num_envs, context="forkserver"
    )


def main(num_envs: int = 64, num_steps: int = 3) -> None:
    """Print both figures."""
    scripted = scripted_env.make_vector_env(4096, num_users=4096, num_items=600)
    fast = steps_a_second(scripted, 4096, 600, num_steps=8, rounds=8)
    print(f"scripted users, 4096 envs, slate 5: {fast:,.0f} user-steps/s", flush=True)
    build: dict[str, Callable[[], Any]] = {
        "native batch": lambda: make_vector_env(num_envs),
        "AsyncVectorEnv": lambda: one_process_each(num_envs),
        "AsyncVectorEnv, plain forward": lambda: one_process_each(num_envs, reuse_prefixes=False),
    }
    found = {}
    for name, make in build.items():
        env = make()
        num_items = int(np.asarray(env.single_action_space.nvec).flat[0])
        found[name] = steps_a_second(env, num_envs, num_items, num_steps, rounds=2)
        print(f"{name}, {num_envs} envs, slate 5: {found[name]:,.1f} user-steps/s", flush=True)
        env.close()
    for name in list(build)[1:]:
        print(f"native batch / {name}: {found['native batch'] / found[name]:.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
