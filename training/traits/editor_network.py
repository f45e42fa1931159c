"""MEND: a small network that turns the gradient of a few opinions into an edit of the weights.

A small version that is true to Mitchell et al. (2022, arXiv 2110.11309): the gradient of a linear
layer is a sum of outer products of its inputs and the gradients at its outputs, token by token; an
editor maps each normalised pair to another pair (an identity at the start, with a low-rank
correction; layers of one shape share it and have a scale and a shift of their own), and the edit is
the sum of their outer products times a rate that is learnt for each layer. Settings follow
PersonalityEdit's (edited: gate, up and down projections of the last three layers; rate 1e-4, weight
of the edit's loss 0.1, of locality's 1). Other than there, an edit is of a label by opinions of
training topics, so that no rival sees the answers it is judged on.

Letters: ``k`` tokens, ``i`` inputs, ``o`` outputs of a linear layer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from simenv.ranges import check_number
from simenv.seeding import Stream, generator
from training.distillation.distiller_prompts import Message
from training.opinion_qa.opinions import Label, Opinion, drawn, of_label
from training.traits.speaker import Asked, Plain, Sample, Speaker

_EDITED = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class EditorSettings:
    """How an editor is shaped and trained.

    Attributes:
        steps: of training.
        shown: opinions that one edit is made of.
        last_layers: whose projections are edited.
        rank: of the correction.
        learning_rate: of Adam, of the editor's own weights.
        edit_rate: of the edit, at the start.
        edit_weight: of the loss on other opinions of the label (cedit).
        locality_weight: of the divergence on opinions of other labels and topics (cloc).
        modules: names of the linear layers that are edited.
    """

    steps: int = 60
    shown: int = 4
    last_layers: int = 3
    rank: int = 64
    learning_rate: float = 1e-3
    edit_rate: float = 1e-4
    edit_weight: float = 0.1
    locality_weight: float = 1.0
    modules: tuple[str, ...] = _EDITED

    def __post_init__(self) -> None:
        for name in ("steps", "shown", "last_layers", "rank"):
            check_number("EditorSettings", name, getattr(self, name), "whole [1, 1e6]")
        for name in ("learning_rate", "edit_rate", "edit_weight", "locality_weight"):
            check_number("EditorSettings", name, getattr(self, name), "(0, inf)")


class Pair(NamedTuple):
    """What a linear layer was given and how its outputs should change."""

    inputs: Tensor  # (k, i)
    gradients: Tensor  # (k, o)


class Editor(nn.Module):
    """The network for layers of one shape.

    Args:
        inputs: width i.
        outputs: width o.
        layers: how many share it.
        rank: of the correction.
        rate: of the edit, at the start.
    """

    def __init__(self, inputs: int, outputs: int, layers: int, rank: int, rate: float) -> None:
        super().__init__()
        width = inputs + outputs
        self._inputs = inputs
        self.down = nn.Parameter(torch.randn(2, width, rank) / width**0.5)
        self.up = nn.Parameter(torch.zeros(2, rank, width))  # so it begins as an identity
        self.scale = nn.Parameter(torch.ones(layers, 2, width))
        self.shift = nn.Parameter(torch.zeros(layers, 2, width))
        self.log_rate = nn.Parameter(torch.full((layers,), float(np.log(rate))))

    def forward(self, layer: int, pair: Pair) -> Pair:
        """The pair of an edit: outputs are to change by ``(x · inputs) gradients``."""
        both = [_normalised(pair.inputs), _normalised(pair.gradients)]
        state = torch.cat(both, dim=-1)
        for step in range(2):
            correction = state @ self.down[step] @ self.up[step]
            state = state + relu(self.scale[layer, step] * correction + self.shift[layer, step])
        inputs, gradients = state[:, : self._inputs], state[:, self._inputs :]
        return Pair(inputs, -self.log_rate[layer].exp() * gradients)


def _normalised(rows: Tensor) -> Tensor:
    """Rows over the root mean square of all of them."""
    return rows / rows.square().mean().sqrt().clamp_min(1e-12)


class MendEditors:
    """The editors of a model's last layers, by shape.

    Args:
        speaker: whose model is edited; its weights are never changed.
        settings: see there.
        seed: of the first weights and of what is drawn in training.

    Raises:
        ValueError: the model has none of the layers.
    """

    def __init__(self, speaker: Speaker, settings: EditorSettings, seed: int = 0) -> None:
        self._speaker, self.settings, self._seed = speaker, settings, seed
        self._linears = _last_linears(speaker.model, settings)
        shapes = [(m.in_features, m.out_features) for m in self._linears]
        self._places = [(s, shapes[:n].count(s)) for n, s in enumerate(shapes)]
        torch.manual_seed(seed)
        device = speaker.model.device
        self._editors = {
            s: Editor(*s, shapes.count(s), settings.rank, settings.edit_rate).to(device)
            for s in dict.fromkeys(shapes)
        }

    def train(self, opinions: Sequence[Opinion]) -> list[float]:
        """Learn from opinions of several labels; the losses of all steps.

        In each step some opinions of a label are edited in; others of it should become likelier,
        and those of another label should stay as likely as they were.
        """
        rng = generator(self._seed, Stream.EDITOR_BATCHES)
        labels = sorted({o.label for o in opinions})
        weights = [p for editor in self._editors.values() for p in editor.parameters()]
        adam = torch.optim.Adam(weights, lr=self.settings.learning_rate)
        losses = []
        for _ in range(self.settings.steps):
            label, other = (labels[i] for i in _two_of(len(labels), rng))
            own = drawn(of_label(opinions, label), 2 * self.settings.shown, rng)
            kept = drawn(of_label(opinions, other), 2, rng)
            half = max(1, len(own) // 2)
            loss = self._loss(own[:half], own[half:] or own, kept)
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            adam.step()
            losses.append(float(loss.detach()))
        return losses

    def edit(self, opinions: Sequence[Opinion]) -> list[Pair]:
        """The edit that some opinions make: a pair for each edited layer."""
        with torch.enable_grad():
            pairs = self._gradients(self._samples(opinions))
        with torch.no_grad():
            return self._edited(pairs)

    def way(self, label: Label, opinions: Sequence[Opinion]) -> "Edited":
        """The model after an edit by some of the label's opinions, drawn by the seed."""
        rng = generator(self._seed, Stream.EDITED_OPINIONS)
        return Edited(self, self.edit(drawn(of_label(opinions, label), self.settings.shown, rng)))

    @contextmanager
    def applied(self, pairs: Sequence[Pair]) -> Iterator[None]:
        """The model with the edit on top of its weights."""

        def adding(pair: Pair) -> Any:
            def hook(linear: Any, inputs: Any, output: Tensor) -> Tensor:
                states = inputs[0].float()
                change: Tensor = states @ pair.inputs.T @ pair.gradients
                return output + change.to(output)

            return hook

        handles = [
            linear.register_forward_hook(adding(pair))
            for linear, pair in zip(self._linears, pairs, strict=True)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _loss(
        self, shown: Sequence[Opinion], others: Sequence[Opinion], kept: Sequence[Opinion]
    ) -> Tensor:
        pairs = self._edited(self._gradients(self._samples(shown)))
        local = self._samples(kept)
        with torch.no_grad():
            before = torch.cat([logs for logs, _ in self._speaker.answer_logs(local)])
        with self.applied(pairs):
            own = self._surprise(self._samples(others))
            after = torch.cat([logs for logs, _ in self._speaker.answer_logs(local)])
        apart = (before.exp() * (before - after)).sum(-1).mean()
        total: Tensor = self.settings.edit_weight * own + self.settings.locality_weight * apart
        return total

    def _surprise(self, samples: Sequence[Sample]) -> Tensor:
        """Mean negative log-likelihood of the answers' tokens."""
        costs = [
            -logs.gather(1, torch.tensor(ids, device=logs.device)[:, None]).mean()
            for logs, ids in self._speaker.answer_logs(samples)
        ]
        return torch.stack(costs).mean()

    def _gradients(self, samples: Sequence[Sample]) -> list[Pair]:
        """Inputs of the edited layers, and the gradients of the loss at their outputs."""
        inputs: dict[int, Tensor] = {}
        outputs: dict[int, Tensor] = {}

        def seeing(place: int) -> Any:
            def hook(linear: Any, given: Any, output: Tensor) -> Tensor:
                inputs[place] = given[0].detach()
                # nothing below learns, so the graph begins here
                outputs[place] = output if output.requires_grad else output.requires_grad_()
                return outputs[place]

            return hook

        handles = [m.register_forward_hook(seeing(n)) for n, m in enumerate(self._linears)]
        try:
            loss = self._surprise(samples)
        finally:
            for handle in handles:
                handle.remove()
        places = range(len(self._linears))
        found = torch.autograd.grad(loss, [outputs[n] for n in places])
        return [_told(inputs[n], found[n]) for n in places]

    def _edited(self, pairs: Sequence[Pair]) -> list[Pair]:
        return [
            self._editors[shape](number, pair)
            for (shape, number), pair in zip(self._places, pairs, strict=True)
        ]

    def _samples(self, opinions: Sequence[Opinion]) -> list[Sample]:
        return [
            self._speaker.sample(Plain().conversation(Asked(o.topic, o.question)), o.answer)
            for o in opinions
        ]


class Edited:
    """The model with one edit on top of its weights."""

    def __init__(self, editors: MendEditors, pairs: Sequence[Pair]) -> None:
        self._editors, self._pairs = editors, pairs

    def conversation(self, asked: Asked) -> list[Message]:
        """The question alone."""
        return Plain().conversation(asked)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The edit is on."""
        with self._editors.applied(self._pairs):
            yield


def _told(inputs: Tensor, gradients: Tensor) -> Pair:
    """Tokens (k, width) that the loss depends on at all: padding tells nothing."""
    flat = inputs.float().flatten(0, -2), gradients.float().flatten(0, -2)
    matter = flat[1].abs().sum(-1) > 0
    return Pair(flat[0][matter], flat[1][matter])


def _two_of(count: int, rng: np.random.Generator) -> tuple[int, int]:
    first, *rest = rng.permutation(count)
    return int(first), int(rest[0]) if rest else int(first)


def _last_linears(model: Any, settings: EditorSettings) -> list[Any]:
    named = [
        module
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in settings.modules and isinstance(module, nn.Linear)
    ]
    count = settings.last_layers * len(settings.modules)
    if not named:
        raise ValueError(
            f"an editor wanted linear layers called {', '.join(settings.modules)}, which"
            f" {type(model).__name__} has not; name its own in modules, or leave mend out"
        )
    return named[-count:]
