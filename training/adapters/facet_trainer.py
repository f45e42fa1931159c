"""The loop that trains facets and their gate together; checkpoints, from which it goes on.

It knows no folder of an adapter and no card; ``facets.py`` does. torch's own loop, since a gate
that decides row by row has no place in transformers' Trainer.

Letters: ``b`` blocks, ``n`` blocks of a step, ``K`` facets, ``d`` numbers of a person's vector.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.facets.gate import FacetGate
from agents.inference.facets.rank_scaling import scaled_ranks
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator
from training.adapters.lora_presets import LoraPreset
from training.adapters.losses import AnswerLoss
from training.adapters.turns import Turns
from training.checkpoint import read_state, write_state

_SHARPNESS = 4.0  # of the first gate, in mean squared distances to the nearest centre
_ADAPTER = "default"  # peft's name of what is trained


class FacetBlocks(NamedTuple):
    """What is learnt from."""

    turns: Turns
    vectors: FloatArray  # (b, d) of the person of each block, as far as its prompt knows them
    groups: IntArray  # (b,) cluster of that vector, sampled alike


class FacetTrainer:
    """One training run of facets on a peft model.

    Args:
        model: with a fresh LoRA of rank K·r, whose rank ``i`` belongs to facet ``i // r``.
        data: see there.
        centres: (K, d) of the vectors; the first gate prefers the facet of the nearest one.
        preset: of one facet.
        loss: of the answers.
        folder: of checkpoints.
        key: of all that decides the run; a checkpoint of another key is refused.
        seed: of the order of blocks and of dropout.
        save_every: steps between checkpoints.
    """

    def __init__(
        self,
        model: Any,
        data: FacetBlocks,
        centres: FloatArray,
        preset: LoraPreset,
        loss: AnswerLoss,
        folder: Path,
        *,
        key: str,
        seed: int,
        save_every: int,
    ) -> None:
        from transformers import get_scheduler

        self.model, self._data, self._loss = model, data, loss
        self._folder, self._key, self._seed, self._save_every = folder, key, seed, save_every
        self._scale = _Scale.of(data.vectors)
        self._gate = _first_gate(self._scale.of_vectors(data.vectors), centres)
        self._gate.to(model.device)
        self._orders = list(_orders(data.groups, preset, generator(seed, Stream.FACET_BLOCKS)))
        self._trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        parameters = [*self._trained.values(), *self._gate.parameters()]
        self._optimizer = torch.optim.AdamW(
            parameters, lr=preset.learning_rate, weight_decay=preset.weight_decay
        )
        steps = len(self._orders)
        self._schedule = get_scheduler(
            preset.schedule, self._optimizer, int(preset.warmup * steps), steps
        )
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []
        folder.mkdir(parents=True, exist_ok=True)
        if (state := read_state(folder)) is not None:
            self._resume(state)

    @property
    def gate(self) -> FacetGate:
        """The gate of vectors as they come."""
        weight = self._gate.weight.detach().double().cpu().numpy()
        bias = self._gate.bias.detach().double().cpu().numpy()
        own = weight / self._scale.spread
        return FacetGate(own, bias - own @ self._scale.middle)

    def train(self, on_step: Callable[[int, float], None] | None = None) -> None:
        """Run to the end; ``on_step`` gets the step and its loss."""
        self.model.train()
        for rows in self._orders[self.step :]:
            started = time.perf_counter()
            torch.manual_seed((self._seed << 20) + self.step)  # dropout, the same after a resume
            self.losses.append(self._update(rows))
            self.seconds += time.perf_counter() - started
            self.step += 1
            if on_step:
                on_step(self.step, self.losses[-1])
            if self.step % self._save_every == 0:
                self._save()

    def _update(self, rows: IntArray) -> float:
        device = self.model.device
        inputs = self._data.turns.collate(rows.tolist())
        inputs = {name: tensor.to(device) for name, tensor in inputs.items()}
        vectors = self._scale.of_vectors(self._data.vectors[rows])
        gates = self._gate(torch.as_tensor(vectors, dtype=torch.float32, device=device)).softmax(-1)
        answers = torch.tensor(self._data.turns.answers, device=device)
        with scaled_ranks(self.model, _ADAPTER, lambda low: _weights(gates, low)):
            logits = self._data.turns.logits(self.model, inputs)
            loss = self._loss(logits, answers, inputs["targets"], inputs["weights"])
            self._optimizer.zero_grad()
            loss.backward()
        torch.nn.utils.clip_grad_norm_([*self._trained.values(), *self._gate.parameters()], 1.0)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())

    def _save(self) -> None:
        state = {
            "config": self._key,
            "model": {name: p.detach() for name, p in self._trained.items()},
            "gate": self._gate.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        write_state(self._folder, state)

    def _resume(self, state: dict[str, Any]) -> None:
        if state["config"] != self._key:
            raise ValueError(
                f"checkpoint {self._folder} was made by another training; use an empty folder"
            )
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(state["model"][name])
        self._gate.load_state_dict(state["gate"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.step, self.seconds, self.losses = state["step"], state["seconds"], state["losses"]


class _Scale(NamedTuple):
    """Brings every number of the vectors to mean 0 and spread 1."""

    middle: FloatArray  # (d,)
    spread: FloatArray  # (d,)

    @classmethod
    def of(cls, vectors: FloatArray) -> "_Scale":
        return cls(vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6))

    def of_vectors(self, vectors: FloatArray) -> FloatArray:
        return np.asarray((vectors - self.middle) / self.spread)


def _first_gate(scaled: FloatArray, centres: FloatArray) -> torch.nn.Linear:
    """-|vector - centre|² of every facet, in mean squared distances, as a linear layer."""
    apart = ((scaled[:, None] - centres[None]) ** 2).sum(axis=-1)
    unit = max(float(apart.min(axis=1).mean()), 1e-6) / _SHARPNESS
    gate = torch.nn.Linear(centres.shape[1], len(centres))
    with torch.no_grad():
        gate.weight.copy_(torch.as_tensor(2 * centres / unit))
        gate.bias.copy_(torch.as_tensor(-(centres**2).sum(axis=1) / unit))
    return gate


def _weights(gates: Tensor, low: Tensor) -> Tensor:
    """What the low ranks (rows, …, K·r) count for, of n prefixes or of their n·t turns."""
    rows = gates.repeat_interleave(len(low) // len(gates), dim=0)
    return rows.repeat_interleave(low.shape[-1] // gates.shape[1], dim=1).to(low.dtype)


def _orders(groups: IntArray, preset: LoraPreset, rng: np.random.Generator) -> Iterator[IntArray]:
    """Blocks (n,) of every step: groups take turns, each with its blocks in an order by lot.

    A small group's blocks come more often than a large one's; without the turns the facets of small
    groups would hardly be trained (cluster-based sampling).
    """
    size, epochs = preset.blocks_per_step, preset.epochs
    steps = -(-len(groups) // size) * epochs
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    queues = [_endless(own, rng) for own in members]
    turns = _endless(np.arange(len(queues)), rng)
    for _ in range(steps):
        yield np.array([next(queues[next(turns)]) for _ in range(size)], dtype=np.int64)


def _endless(values: IntArray, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(values).tolist()
