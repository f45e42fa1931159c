"""Scores of slates by a small network, and the exact chance of every slate drawn from them.

The model scores all items; slates are drawn place by place without replacement (Plackett-Luce), so
the chance of a slate is exact for any catalogue and any k. It knows no algorithm that trains it.
Letters: ``n`` rows, ``k`` slate places, ``i`` items, ``d`` width.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from recommenders.rl.features import Features
from simenv.observation import Observation


class LearnerView(NamedTuple):
    """A batch of observations as tensors."""

    users: Tensor  # (n,)
    history: Tensor  # (n, h) items shown in this session; -1 where there is none yet
    stars: Tensor  # (n, h) 0 where nothing was taken
    progress: Tensor  # (n, 1) share of the session's steps

    @classmethod
    def of(cls, observation: Observation) -> "LearnerView":
        """The view of an environment's observation."""
        return cls(
            torch.as_tensor(observation["user"]),
            torch.as_tensor(observation["history_items"]),
            torch.as_tensor(observation["history_ratings"], dtype=torch.float32),
            torch.as_tensor(observation["progress"], dtype=torch.float32),
        )

    def rows(self, chosen: Tensor) -> "LearnerView":
        """Some rows of the batch."""
        return LearnerView(*(part[chosen] for part in self))


class SlateModel(nn.Module):
    """Scores of all items (n, i) and a value (n,) for what a session has shown."""

    items: Tensor  # (i, d)
    users: Tensor  # (num_users, e)
    met: Tensor  # (num_users, i)

    def __init__(self, features: Features, width: int) -> None:
        super().__init__()
        self.register_buffer("items", torch.as_tensor(features.items))
        self.register_buffer("users", torch.as_tensor(features.users))
        self.register_buffer("met", torch.as_tensor(features.met))
        state = self.users.shape[1] + self.items.shape[1] + 1
        last = nn.Linear(width, width)
        nn.init.orthogonal_(last.weight, 0.1)  # close to uniform at first
        self.query = nn.Sequential(nn.Linear(state, width), nn.Tanh(), last)
        self.keys = nn.Linear(self.items.shape[1], width)
        self.appeal = nn.Linear(self.items.shape[1], 1, bias=False)  # what everybody likes
        self.affinity = nn.Parameter(torch.zeros(features.num_factors))  # user · item, by factor
        self.critic = nn.Sequential(nn.Linear(state, width), nn.Tanh(), nn.Linear(width, 1))
        nn.init.zeros_(self.appeal.weight)
        self.num_factors = features.num_factors

    def forward(self, seen: LearnerView) -> tuple[Tensor, Tensor]:
        """Logits (n, i), items the user met at -1e9, and values (n,)."""
        state = self.state(seen)
        query = self.query(state)
        scores = query @ self.keys(self.items).T / query.shape[1] ** 0.5
        scores = scores + self.appeal(self.items)[:, 0]
        mine = self.users[seen.users, : self.num_factors] * self.affinity
        scores = scores + mine @ self.items[:, : self.num_factors].T
        return scores.masked_fill(self.forbidden(seen), -1e9), self.critic(state)[:, 0]

    def state(self, seen: LearnerView) -> Tensor:
        """(n, d): the user's features, what the session liked, and its progress."""
        known = seen.history >= 0
        weights = torch.where(seen.stars > 0, seen.stars - 3.0, 0.0) * known
        liked = torch.einsum("nh,nhf->nf", weights, self.items[seen.history.clamp(min=0)])
        liked = liked / known.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([self.users[seen.users], liked, seen.progress], dim=1)

    def forbidden(self, seen: LearnerView) -> Tensor:
        """(n, i) items of the user's log and of this session."""
        met = self.met[seen.users].clone()
        rows = torch.arange(len(met))[:, None].expand_as(seen.history)
        known = seen.history >= 0
        met[rows[known], seen.history[known]] = True
        return met


def draw_slates(logits: Tensor, k: int, generator: torch.Generator) -> Tensor:
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
