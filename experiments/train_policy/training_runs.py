"""Trains a policy and shows every checkpoint to users it has never met, simulated and true."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode

from experiments.reporting.progress import Announce
from experiments.tournament.sessions import mean_ratings
from experiments.tournament.setting import Setting
from recommenders.base import Recommender
from recommenders.rl import ppo
from recommenders.rl.features import Features
from recommenders.rl.slate_model import SlateModel
from recommenders.rl.trained_policy import TrainedPolicy
from simenv.env.rewards import RewardChoice
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import IntArray
from simenv.user_model import UserModel

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@dataclass(frozen=True)
class Arm:
    """One training: a reward and the settings, seed included."""

    label: str
    reward: RewardChoice
    settings: ppo.PPOSettings

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.settings.seed


@dataclass
class Curve:
    """What an arm learnt. Points hold steps, reward, simulated and true (stars, held-out users)."""

    label: str
    seed: int
    policy: Recommender
    points: list[dict[str, float]] = field(default_factory=list)


def learning_env(
    setting: Setting, learners: IntArray, reward: RewardChoice, num_envs: int, **more: Any
) -> RecVectorEnv:
    """Sessions of the users to learn from, in the environment of the evaluation."""
    return setting.make_env(
        setting.simulated,
        setting.dataset.catalog,
        num_envs=min(num_envs, len(learners)),
        users=learners,
        reward=reward,
        max_episode_steps=setting.max_steps,
        autoreset_mode=AutoresetMode.SAME_STEP,
        **more,
    )


def train_curve(
    arm: Arm,
    setting: Setting,
    env: RecVectorEnv,
    features: Features,
    num_checkpoints: int,
    log_dir: Path,
    announce: Announce,
) -> Curve:
    """Train PPO in ``env``; its checkpoints meet ``setting.users``, whose state is restored.

    Args:
        arm: the reward and the settings.
        setting: who is evaluated, and where.
        env: of ``learning_env``.
        features: of users and items.
        num_checkpoints: evaluations, beside that of the untrained policy.
        log_dir: of TensorBoard's files.
        announce: gets a short text after every update.
    """
    start = setting.simulated.snapshot()
    updates, steps_an_update = arm.settings.updates(env.num_envs)
    due = {
        steps_an_update * round(updates * number / num_checkpoints)
        for number in range(num_checkpoints + 1)
    }
    with closing(_writer(log_dir)) as writer:
        record = _Record(arm, setting, due, start, writer, announce)
        ppo.train(env, features, arm.settings, record)
    setting.simulated.restore(start)
    assert record.curve is not None
    return record.curve


@dataclass
class _Record:
    """Called after every update: logs its figures, and evaluates the policy where that is due."""

    arm: Arm
    setting: Setting
    due: set[int]  # steps after which held-out users are asked
    start: bytes  # the users' state before training
    writer: "SummaryWriter"
    announce: Announce
    curve: Curve | None = None

    def __call__(self, steps: int, figures: dict[str, float], model: SlateModel) -> None:
        if self.curve is None:
            policy = TrainedPolicy(model).fit(self.setting.dataset.train)
            self.curve = Curve(self.arm.label, self.arm.seed, policy)
        point = {"steps": float(steps), "reward": figures.get("reward", np.nan)}
        if steps in self.due:
            point |= _evaluate(self.curve.policy, self.setting, self.start)
            self.curve.points.append(point)
        for name, value in (figures | point).items():
            self.writer.add_scalar(name, value, steps)
        self.announce(f"{self.arm.label}, seed {self.arm.seed}: {steps} slates shown")


def _evaluate(policy: Recommender, setting: Setting, start: bytes) -> dict[str, float]:
    """Mean stars of held-out users; their state is as before afterwards."""
    running = setting.simulated.snapshot()
    setting.simulated.restore(start)
    found = {"simulated": _stars(policy, setting, setting.simulated)}
    if setting.true is not None:
        found["true"] = _stars(policy, setting, setting.true)
    setting.simulated.restore(running)
    return found


def _stars(policy: Recommender, setting: Setting, users: UserModel) -> float:
    env = setting.make_env(
        users,
        setting.dataset.catalog,
        num_envs=len(setting.users),
        max_episode_steps=setting.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    played = rollout(env, policy, seed=setting.seed, users=setting.users)
    return float(mean_ratings(played).mean())


def _writer(log_dir: Path) -> "SummaryWriter":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError("train_policy logs to TensorBoard: pip install personarec[rl]") from error
    return SummaryWriter(str(log_dir))
