"""Environments of personas in forked and spawned processes, at two threads each."""

import os
import subprocess
import sys

import pytest

ASYNC = """
import gymnasium as gym, numpy as np, simenv, torch
if __name__ == "__main__":
    assert torch.get_num_threads() == 2
    slates = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
    alone = []
    for row in range(2):  # before the fork, so that torch's threads are at work in the parent
        one = gym.make("PersonaRec-v0")
        one.reset(seed=row)
        alone.append(one.step(slates[row])[1])
    how = dict(vectorization_mode="async", vector_kwargs=dict(context="{context}"))
    env = gym.make_vec("PersonaRec-v0", 2, **how)
    env.reset(seed=0)
    together = env.step(slates)[1]
    env.close()
    assert np.allclose(together, alone, atol=1e-5), (together, alone)
    print("played")
"""

INHERITED = """
import multiprocessing, gymnasium as gym, simenv
env = gym.make("PersonaRec-v0")
env.reset(seed=0)
kept = env.unwrapped.snapshot()
here = env.step([1, 2, 3, 4, 5])[1]
env.unwrapped.restore(kept)
def there(queue):
    queue.put(env.step([1, 2, 3, 4, 5])[1])
context = multiprocessing.get_context("fork")
queue = context.Queue()
child = context.Process(target=there, args=(queue,))
child.start()
assert abs(queue.get(timeout=60) - here) < 1e-5
child.join()
print("played")
"""


def run_at_two_threads(*program):
    done = subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, timeout=100, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    assert done.stdout.endswith("played\n"), done.stderr


@pytest.mark.slow
def test_an_async_batch_of_personas_answers_in_forked_processes():
    run_at_two_threads("-c", ASYNC.format(context="fork"))


@pytest.mark.slow
def test_an_engine_that_a_fork_inherits_goes_on_answering():
    run_at_two_threads("-c", INHERITED)


@pytest.mark.slow
def test_an_async_batch_of_personas_answers_in_spawned_processes(tmp_path):
    program = tmp_path / "play.py"  # a spawned process reads its program from a file
    program.write_text(ASYNC.format(context="spawn"))
    run_at_two_threads(str(program))
