"""Proximal policy optimisation over slates, in one file: model, roll-out, update.

Schulman et al. (2017), in the manner of CleanRL: everything that matters can be read here from top
to bottom. The policy scores all items and draws slates place by place without replacement
(Plackett-Luce), so its chance of a slate is exact for any catalogue and any k.

Letters: ``n`` rows, ``t`` steps of a roll-out, ``k`` slate places, ``i`` items, ``d`` width.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn

from recommenders.rl.features import Features
from simenv.env.vector_env import RecVectorEnv
from simenv.observation import Observation, as_batch, concatenate

OnUpdate = Callable[[int, dict[str, float], "SlateModel"], None]


@dataclass(frozen=True)
class Settings:
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


class SlateModel(nn.Module):
    """Scores of all items (n, i) and a value (n,) for what a session has shown."""

    items: Tensor  # (i, d)
    people: Tensor  # (users, e)
    met: Tensor  # (users, i)

    def __init__(self, features: Features, width: int) -> None:
        super().__init__()
        self.register_buffer("items", torch.as_tensor(features.items))
        self.register_buffer("people", torch.as_tensor(features.users))
        self.register_buffer("met", torch.as_tensor(features.met))
        state = self.people.shape[1] + self.items.shape[1] + 1
        last = nn.Linear(width, width)
        nn.init.orthogonal_(last.weight, 0.1)  # close to uniform at first
        self.query = nn.Sequential(nn.Linear(state, width), nn.Tanh(), last)
        self.keys = nn.Linear(self.items.shape[1], width)
        self.appeal = nn.Linear(self.items.shape[1], 1, bias=False)  # what everybody likes
        self.affinity = nn.Parameter(torch.zeros(features.num_factors))  # user · item, by factor
        self.critic = nn.Sequential(nn.Linear(state, width), nn.Tanh(), nn.Linear(width, 1))
        nn.init.zeros_(self.appeal.weight)
        self.num_factors = features.num_factors

    def forward(self, seen: "Seen") -> tuple[Tensor, Tensor]:
        """Logits (n, i), items the user met at -1e9, and values (n,)."""
        state = self.state(seen)
        query = self.query(state)
        scores = query @ self.keys(self.items).T / query.shape[1] ** 0.5
        scores = scores + self.appeal(self.items)[:, 0]
        mine = self.people[seen.users, : self.num_factors] * self.affinity
        scores = scores + mine @ self.items[:, : self.num_factors].T
        return scores.masked_fill(self.forbidden(seen), -1e9), self.critic(state)[:, 0]

    def state(self, seen: "Seen") -> Tensor:
        """(n, d): the user's features, what the session liked, and its progress."""
        known = seen.history >= 0
        weights = torch.where(seen.stars > 0, seen.stars - 3.0, 0.0) * known
        liked = torch.einsum("nh,nhf->nf", weights, self.items[seen.history.clamp(min=0)])
        liked = liked / known.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([self.people[seen.users], liked, seen.progress], dim=1)

    def forbidden(self, seen: "Seen") -> Tensor:
        """(n, i) items of the user's log and of this session."""
        met = self.met[seen.users].clone()
        rows = torch.arange(len(met))[:, None].expand_as(seen.history)
        known = seen.history >= 0
        met[rows[known], seen.history[known]] = True
        return met


class Seen:
    """A batch of observations as tensors."""

    def __init__(self, observation: Observation) -> None:
        self.users = torch.as_tensor(observation["user"])
        self.history = torch.as_tensor(observation["history_items"])
        self.stars = torch.as_tensor(observation["history_ratings"], dtype=torch.float32)
        self.progress = torch.as_tensor(observation["progress"], dtype=torch.float32)


def draw(logits: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Slates (n, k): the k largest of logits plus Gumbel noise are Plackett-Luce draws."""
    uniform = torch.rand(logits.shape, generator=generator).clamp(1e-9, 1 - 1e-7)
    return (logits - torch.log(-torch.log(uniform))).topk(k, dim=1).indices


def log_chance(logits: Tensor, slates: Tensor) -> Tensor:
    """Log chance (n,) of ordered slates (n, k): each place among what is left."""
    total, left = torch.zeros(len(logits)), logits
    for place in range(slates.shape[1]):
        chosen = slates[:, place, None]
        total = total + left.gather(1, chosen)[:, 0] - left.logsumexp(dim=1)
        left = left.scatter(1, chosen, -1e9)
    return total


def train(
    env: RecVectorEnv, features: Features, settings: Settings, on_update: OnUpdate | None = None
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
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    model = SlateModel(features, settings.width)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, eps=1e-5)
    observation, _ = env.reset(seed=settings.seed)
    started, steps_a_update = time.monotonic(), env.num_envs * settings.num_steps
    num_updates = max(1, settings.total_steps // steps_a_update)
    report = on_update or (lambda *_: None)
    report(0, {}, model)
    for update in range(num_updates):
        optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - update / num_updates)
        tape = _Tape()
        for _ in range(settings.num_steps):
            observation = _play(env, model, observation, tape, settings.gamma, generator)
        with torch.no_grad():
            last = model(Seen(observation))[1]
        figures = _learn(model, optimiser, tape, last, settings, generator)
        report((update + 1) * steps_a_update, figures, model)
        if time.monotonic() - started > 60 * settings.minutes:
            break
    return model


class _Tape:
    """What a roll-out of t steps leaves: lists of length t."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.slates: list[Tensor] = []
        self.log_chances: list[Tensor] = []
        self.values: list[Tensor] = []
        self.rewards: list[Tensor] = []
        self.ends: list[Tensor] = []

    def flat(self) -> tuple[Seen, Tensor, Tensor]:
        """Observations, slates and log chances of all t · n decisions."""
        joined = concatenate(self.observations)
        return Seen(joined), torch.cat(self.slates), torch.cat(self.log_chances)


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
        logits, values = model(Seen(observation))
        slates = draw(logits, env.slate_size, generator)
        chances = log_chance(logits, slates)
    after, rewards, terminated, truncated, info = env.step(slates.numpy())
    paid = torch.as_tensor(rewards, dtype=torch.float32)
    cut = np.flatnonzero(truncated)
    if len(cut):
        finals = concatenate([as_batch(info["final_obs"][row]) for row in cut])
        with torch.no_grad():
            worth = model(Seen(finals))[1]
        paid[cut] += gamma * worth
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
    settings: Settings,
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
                model, _rows(seen, rows), slates[rows], old[rows], gains[rows], targets[rows],
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
    seen: Seen,
    slates: Tensor,
    old: Tensor,
    gains: Tensor,
    targets: Tensor,
    settings: Settings,
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


def _rows(seen: Seen, rows: Tensor) -> Seen:
    part: Any = object.__new__(Seen)
    for name, values in vars(seen).items():
        setattr(part, name, values[rows])
    return part  # type: ignore[no-any-return]
