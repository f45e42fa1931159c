"""TorchRL's own wrapper and spec check take the environment; skipped where it is not installed."""

import gymnasium as gym
import pytest

import simenv  # noqa: F401 (registers)

torchrl_envs = pytest.importorskip("torchrl.envs", reason="wants pip install torchrl")


def test_a_wrapped_environment_keeps_its_specs_and_rolls_out():
    made = gym.make("ScriptedRec-v0", num_users=20, num_items=30, repeats="replace")
    env = torchrl_envs.GymWrapper(made)
    env.set_seed(0)
    torchrl_envs.check_env_specs(env)
    played = env.rollout(5)
    assert played["action"].shape[:2] == (len(played), 5)
    assert played["next", "reward"].shape == (len(played), 1)
    assert played["next", "reward"].abs().sum() > 0
