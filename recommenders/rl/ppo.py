"""Proximal policy optimisation over slates, top to bottom: settings, roll-out, update.

Schulman, Wolski, Dhariwal, Radford, Klimov: Proximal policy optimization algorithms (2017), in the
manner of CleanRL. What is trained, and how slates are drawn, stands in ``slate_model``.

Letters: ``n`` rows, ``t`` steps of a roll-out, ``k`` slate places.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium.vector import AutoresetMode

from simenv.values.extras import needing

with needing("PPO"):
    import torch
    from torch import Tensor, nn

from recommenders.rl.features import Features
from recommenders.rl.slate_model import LearnerView, SlateModel, draw_slates, log_chance
from simenv.env.vector_env import RecVectorEnv
from simenv.observation import Observation, as_batch, concatenate
from simenv.ranges import check_fields

OnUpdate = Callable[[int, dict[str, float], SlateModel], None]

_COUNTS = ("total_steps", "num_steps", "num_epochs", "num_minibatches", "width")
_RANGES = dict.fromkeys(_COUNTS, "whole [1, 1e12]") | {
    "learning_rate": "(0, inf)",
    "gamma": "[0, 1]",
    "gae_lambda": "[0, 1]",
    "clip": "(0, inf)",
    "entropy": "[0, inf)",
    "value": "[0, inf)",
    "max_grad_norm": "(0, inf)",
    "minutes": "[0, inf)",
    "seed": "whole [0, 1e18]",
}


@dataclass(frozen=True)
class PPOSettings:
    """Of the algorithm; the defaults suit sessions of ten slates."""

    total_steps: int = 40_000  # user-steps: slates shown
    num_steps: int = 10  # t of a roll-out
    learning_rate: float = 1e-3  # falls linearly to 0
    gamma: float = 0.7
    gae_lambda: float = 0.9
    num_epochs: int = 4
    num_minibatches: int = 4
    clip: float = 0.2
    entropy: float = 0.003
    value: float = 0.5
    max_grad_norm: float = 0.5
    width: int = 64
    minutes: float = 30.0  # wall clock after which training stops
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, _RANGES)

    def updates(self, num_envs: int) -> tuple[int, int]:
        """How many updates there are at most, and the user-steps of each."""
        steps = num_envs * self.num_steps
        return max(1, self.total_steps // steps), steps


def train(
    env: RecVectorEnv, features: Features, settings: PPOSettings, on_update: OnUpdate | None = None
) -> SlateModel:
    """Train on the sessions of ``env``; the same seed and environment give the same model.

    Args:
        env: built with ``autoreset_mode="SameStep"``; reset here.
        features: of its users and items.
        settings: of the algorithm.
        on_update: called before the first and after every update with the user-steps so far, the
            figures of the update (none before the first) and the model.

    Raises:
        ValueError: the environment restarts its rows at another time.
    """
    if env.autoreset_mode is not AutoresetMode.SAME_STEP:
        raise ValueError(
            f"train wanted autoreset_mode='SameStep', got {env.autoreset_mode.value!r};"
            " build the environment with it"
        )
    started = time.monotonic()
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    model = SlateModel(features, settings.width)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, eps=1e-5)
    observation, _ = env.reset(seed=settings.seed)
    num_updates, steps_an_update = settings.updates(env.num_envs)
    report = on_update or (lambda *_: None)
    report(0, {}, model)
    for update in range(num_updates):
        optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - update / num_updates)
        tape = _Tape()
        for _ in range(settings.num_steps):
            observation = _play(env, model, observation, tape, settings.gamma, generator)
        with torch.no_grad():
            last = model(LearnerView.of(observation))[1]
        figures = _learn(model, optimiser, tape, last, settings, generator)
        report((update + 1) * steps_an_update, figures, model)
        if time.monotonic() - started > 60 * settings.minutes:
            break
    return model


class _Tape:
    """A roll-out of t steps: lists of length t."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.slates: list[Tensor] = []
        self.log_chances: list[Tensor] = []
        self.values: list[Tensor] = []
        self.rewards: list[Tensor] = []
        self.ends: list[Tensor] = []

    def flat(self) -> tuple[LearnerView, Tensor, Tensor]:
        """Observations, slates and log chances of all t · n decisions."""
        joined = concatenate(self.observations)
        return LearnerView.of(joined), torch.cat(self.slates), torch.cat(self.log_chances)


def _play(
    env: RecVectorEnv,
    model: SlateModel,
    observation: Observation,
    tape: _Tape,
    gamma: float,
    generator: torch.Generator,
) -> Observation:
    """One slate for every row; what a truncated session was still worth joins its reward."""
    with torch.no_grad():
        logits, values = model(LearnerView.of(observation))
        slates = draw_slates(logits, env.slate_size, generator)
        chances = log_chance(logits, slates)
    after, rewards, terminated, truncated, info = env.step(slates.numpy())
    paid = torch.as_tensor(rewards, dtype=torch.float32)
    rows = np.flatnonzero(truncated)
    if len(rows):
        finals = concatenate([as_batch(info["final_obs"][row]) for row in rows])
        with torch.no_grad():
            worth = model(LearnerView.of(finals))[1]
        paid[rows] += gamma * worth
    tape.observations.append(observation)
    tape.slates.append(slates)
    tape.log_chances.append(chances)
    tape.values.append(values)
    tape.rewards.append(paid)
    tape.ends.append(torch.as_tensor(terminated | truncated, dtype=torch.float32))
    return after


def advantages(
    rewards: Tensor, values: Tensor, ends: Tensor, last: Tensor, gamma: float, lam: float
) -> Tensor:
    """Generalised advantages (t, n) of rewards, values and ends (t, n) and the last value (n,)."""
    found, running, after = torch.zeros_like(rewards), torch.zeros_like(last), last
    for step in range(len(rewards) - 1, -1, -1):
        goes_on = 1 - ends[step]
        surprise = rewards[step] + gamma * goes_on * after - values[step]
        running = surprise + gamma * lam * goes_on * running
        found[step], after = running, values[step]
    return found


def _learn(
    model: SlateModel,
    optimiser: torch.optim.Optimizer,
    tape: _Tape,
    last: Tensor,
    settings: PPOSettings,
    generator: torch.Generator,
) -> dict[str, float]:
    seen, slates, old = tape.flat()
    values = torch.stack(tape.values)
    gains = advantages(
        torch.stack(tape.rewards), values, torch.stack(tape.ends), last,
        settings.gamma, settings.gae_lambda,
    )  # fmt: skip
    targets, gains = (gains + values).flatten(), gains.flatten()
    sums: dict[str, float] = {}
    size = max(1, len(slates) // settings.num_minibatches)
    for _ in range(settings.num_epochs):
        order = torch.randperm(len(slates), generator=generator)
        for rows in order.split(size):
            loss, figures = _loss(
                model, seen.rows(rows), slates[rows], old[rows], gains[rows], targets[rows],
                settings,
            )  # fmt: skip
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
            optimiser.step()
            for name, value in figures.items():
                sums[name] = sums.get(name, 0.0) + value * len(rows)
    total = settings.num_epochs * len(slates)
    means = {name: value / total for name, value in sums.items()}
    return means | {"reward": float(torch.stack(tape.rewards).mean())}


def _loss(
    model: SlateModel,
    seen: LearnerView,
    slates: Tensor,
    old: Tensor,
    gains: Tensor,
    targets: Tensor,
    settings: PPOSettings,
) -> tuple[Tensor, dict[str, float]]:
    logits, values = model(seen)
    ratio = (log_chance(logits, slates) - old).exp()
    gains = (gains - gains.mean()) / (gains.std() + 1e-8)
    clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
    policy_loss = -torch.minimum(gains * ratio, gains * clipped).mean()
    value_loss = 0.5 * (values - targets).square().mean()
    chances = logits.softmax(dim=1)
    entropy = -(chances * logits.log_softmax(dim=1).clamp(min=-30)).sum(dim=1).mean()
    loss = policy_loss + settings.value * value_loss - settings.entropy * entropy
    clip_share = ((ratio - 1).abs() > settings.clip).float().mean()
    figures = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy,
               "clip_share": clip_share}  # fmt: skip
    return loss, {name: float(value.detach()) for name, value in figures.items()}
