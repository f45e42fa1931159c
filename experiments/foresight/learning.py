"""PPO and DQN on the arena's learners; PPO with what its judges' lives are worth on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from gymnasium.vector import AutoresetMode

from experiments.foresight.arena import Arena
from experiments.reporting.progress import Announce
from recommenders.base import Recommender
from recommenders.rl import ppo
from recommenders.rl.dqn import train_dqn
from recommenders.rl.features import Features
from recommenders.rl.slate_model import SlateModel
from recommenders.rl.trained_policy import TrainedPolicy
from simenv.events import FloatArray

MakePolicy = Callable[[], Recommender]


@dataclass
class Learnt:
    """What one training ended with, and what lives were worth on the way to it."""

    seed: int
    steps: int  # slates shown in training
    lives: FloatArray  # (n,) what the life of every judge was worth at the end
    points: list[dict[str, float]] = field(default_factory=list)  # steps, worth


def learn_ppo(
    arena: Arena,
    features: Features,
    settings: ppo.PPOSettings,
    num_envs: int,
    num_checkpoints: int,
    announce: Announce,
) -> Learnt:
    """Train PPO with one seed, and play the judges at every checkpoint."""
    before = arena.users.snapshot()
    env = arena.env(arena.learners, num_envs, AutoresetMode.SAME_STEP)
    updates, steps_an_update = settings.updates(env.num_envs)
    due = {steps_an_update * round(updates * n / num_checkpoints) for n in range(num_checkpoints)}
    found = Learnt(settings.seed, 0, np.zeros(0))

    def played(steps: int, figures: dict[str, float], model: SlateModel) -> None:
        found.steps = steps
        if steps in due:
            lives = lives_of(arena, TrainedPolicy(model).fit(arena.log))
            found.points.append({"steps": float(steps), "worth": float(lives.mean())})
        announce(f"PPO, seed {settings.seed}: {steps} slates shown")

    model = ppo.train(env, features, settings, played)
    found.lives = lives_of(arena, TrainedPolicy(model).fit(arena.log))
    found.points.append({"steps": float(found.steps), "worth": float(found.lives.mean())})
    arena.users.restore(before)
    return found


def learn_dqn(
    arena: Arena, features: Features, total_steps: int, num_envs: int, seed: int, gamma: float
) -> Learnt:
    """Train DQN with one seed, and play the judges at the end."""
    before = arena.users.snapshot()
    env = arena.env(arena.learners, num_envs, AutoresetMode.SAME_STEP)
    policy = train_dqn(env, features, total_steps, seed, gamma).fit(arena.log)
    lives = lives_of(arena, policy)
    arena.users.restore(before)
    return Learnt(seed, total_steps, lives)


def lives_of(arena: Arena, policy: Recommender) -> FloatArray:
    """(n,) what the life of every judge is worth under a fitted policy."""
    return np.asarray(arena.play(lambda env: policy).rewards.sum(axis=1))
