"""Steering vectors: a direction in each layer that parts a trait's poles, added while answering.

A direction is the mean state over high answers minus that over low ones (contrastive). Those of
several traits are made orthogonal in each layer, so that one is moved without the others. Nothing
is trained.

Letters: ``k`` traits, ``l`` layers, ``d`` width.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simenv.events import FloatArray
from training.distillation.distiller_prompts import Message
from training.opinion_qa.opinions import Label, Opinion
from training.traits.speaker import Asked, Plain, Speaker

_SIGN = {"high": 1.0, "low": -1.0}


def directions(
    speaker: Speaker, opinions: Sequence[Opinion], traits: Sequence[str]
) -> dict[str, FloatArray]:
    """Trait → (l, d) orthogonal unit directions of its high pole.

    Args:
        speaker: whose states are read; nothing is changed.
        opinions: of both poles of every trait, of training topics.
        traits: whose directions.

    Raises:
        ValueError: a trait has no opinion of one of its poles.
    """
    found = []
    for trait in traits:
        high, low = (_mean_state(speaker, opinions, Label(trait, pole)) for pole in _SIGN)
        found.append(high - low)
    return dict(zip(traits, orthogonal(np.stack(found)), strict=True))


def _mean_state(speaker: Speaker, opinions: Sequence[Opinion], label: Label) -> FloatArray:
    """(l, d) mean over the answers of a label."""
    own = [o for o in opinions if o.label == label]
    if not own:
        raise ValueError(
            f"a direction of {label.trait} wanted opinions of both poles, got none of"
            f" {label.pole}; contrast needs both: take experiment.poles=[high,low], or leave"
            " steering out"
        )
    asked = (Plain().conversation(Asked(o.topic, o.question)) for o in own)
    samples = [speaker.sample(a, o.answer) for a, o in zip(asked, own, strict=True)]
    return np.asarray(speaker.mean_states(samples).mean(axis=0))


def orthogonal(vectors: FloatArray) -> FloatArray:
    """Unit vectors (k, l, d), orthogonal within each layer, nearest to those given.

    Symmetric (Löwdin) orthogonalisation: no trait goes first. One vector is only normalised.
    """
    by_layer = np.moveaxis(np.asarray(vectors, dtype=np.float64), 0, 1)  # (l, k, d)
    lengths = np.linalg.norm(by_layer, axis=-1, keepdims=True)
    left, _, right = np.linalg.svd(by_layer / np.maximum(lengths, 1e-12), full_matrices=False)
    return np.asarray(np.moveaxis(left @ right, 1, 0))


class Steered:
    """A model whose states are moved along directions in one layer.

    Args:
        speaker: who answers.
        moves: trait → (l, d) unit direction, with the label's sign and strength: see ``moved``.
        layer: whose output is moved, counted from 0.

    Raises:
        ValueError: the model has no such layer.
    """

    def __init__(self, speaker: Speaker, move: FloatArray, layer: int) -> None:
        layers = _layers(speaker.model)
        if not 0 <= layer < len(layers):
            raise ValueError(
                f"steering wanted a layer from 0 to {len(layers) - 1}, got {layer}; the model has"
                f" {len(layers)}"
            )
        self._speaker, self._layer = speaker, layer
        self._move = torch.tensor(move[layer], dtype=torch.float32)

    def conversation(self, asked: Asked) -> list[Message]:
        """The question alone."""
        return Plain().conversation(asked)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Every state that leaves the layer is moved by a share of its own length."""
        handle = _layers(self._speaker.model)[self._layer].register_forward_hook(self._moved)
        try:
            yield
        finally:
            handle.remove()

    def _moved(self, layer: Any, inputs: Any, output: Any) -> Any:
        states: Tensor = output[0] if isinstance(output, tuple) else output
        move = self._move.to(states)
        moved = states + move * states.norm(dim=-1, keepdim=True)
        return (moved, *output[1:]) if isinstance(output, tuple) else moved


def moved(found: Mapping[str, FloatArray], labels: Sequence[Label], strength: float) -> FloatArray:
    """(l, d) the sum of some labels' directions, each by ``strength`` of a state's length.

    Raises:
        ValueError: a label's trait has no direction.
    """
    unknown = [label for label in labels if label.trait not in found]
    if unknown or not labels:
        raise ValueError(
            f"steering wanted traits with a direction ({', '.join(found)}), got"
            f" {unknown[0].trait if unknown else 'none'!r}; compute its direction first"
        )
    return np.asarray(strength * sum(_SIGN[own.pole] * found[own.trait] for own in labels))


def num_layers(speaker: Speaker) -> int:
    """Layers whose output may be moved."""
    return len(_layers(speaker.model))


def _layers(model: Any) -> Any:
    """The list of a decoder's layers: the longest list of modules of one kind."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    lists = [m for m in inner.modules() if isinstance(m, torch.nn.ModuleList) and len(m)]
    return max(lists, key=len)
