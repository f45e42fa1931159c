"""Which neurons of the deepest layer stand behind emojis: by difference, and by ablation.

A neuron is a column of what the last layer's MLP hands to its down projection. It knows models of
Hugging Face with or without peft adapters, and no engine. Letters: ``n`` texts, ``f`` neurons,
``r`` sets of random neurons.

Source: From Text to Emoji (arXiv 2409.10245) compares activations before and after fine-tuning;
that the neurons found matter is tested here, against as many random ones.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from agents.emojis.token_guard import EmojiGuard
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator

_Row = TypeVar("_Row")
_ROWS = 8  # of a pass
_DOWN = ("mlp.down_proj", "mlp.c_proj", "mlp.dense_4h_to_h", "mlp.fc2", "fc2", "mlp.fc_out")


class Ablation(NamedTuple):
    """Probability mass of emojis, mean over the places of each text, by what was silenced."""

    intact: FloatArray  # (n,)
    found: FloatArray  # (n,) without the neurons found
    random: FloatArray  # (r, n) without as many random neurons

    @property
    def drop(self) -> float:
        """Share of the mass that goes with the neurons found; NaN where there is no mass."""
        return _share(self.intact, self.found)

    @property
    def random_drops(self) -> FloatArray:
        """(r,) the same of each random set."""
        return np.array([_share(self.intact, own) for own in self.random])

    @property
    def p_value(self) -> float:
        """Chance that random neurons take as much, one-sided: (1 + how many do) / (1 + r)."""
        as_much = int((self.random.mean(axis=1) <= self.found.mean()).sum())
        return (1 + as_much) / (1 + len(self.random))


def down_projection(model: Any) -> torch.nn.Module:
    """The last layer's down projection; its input are the neurons.

    Raises:
        ValueError: the model has no layers of a kind known here.
    """
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers = [
        part for part in bare.modules() if isinstance(part, torch.nn.ModuleList) and len(part)
    ]
    for name in _DOWN:
        for blocks in layers:
            found = _part(blocks[-1], name)
            if found is not None:
                return found
    raise ValueError(
        f"neurons wanted a model whose layers have one of {', '.join(_DOWN)}, got"
        f" {type(bare).__name__}; take a Llama-like model"
    )


@torch.inference_mode()
def mean_activations(model: Any, rows: Sequence[Sequence[int]]) -> FloatArray:
    """Mean activation (f,) of each neuron over all tokens of texts, each text counting alike.

    Args:
        model: with the adapter at work that is asked about.
        rows: token ids of n texts; padding is not counted.
    """
    sums: list[Tensor] = []
    seen: list[Tensor] = []
    handle = down_projection(model).register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    try:
        for part in _parts(rows):
            seen.clear()
            _logits(model, part)
            states = seen[-1].float().reshape(len(part), -1, seen[-1].shape[-1])
            sums += [own[: len(row)].mean(0) for own, row in zip(states, part, strict=True)]
    finally:
        handle.remove()
    return torch.stack(sums).cpu().double().mean(0).numpy()


def most_changed(before: FloatArray, after: FloatArray, most: int) -> IntArray:
    """The neurons (most,) whose activation (f,) rose or fell furthest, the furthest first.

    Raises:
        ValueError: the two are of different models, or more are wanted than there are.
    """
    if before.shape != after.shape or not 0 < most <= len(before):
        raise ValueError(
            f"most_changed wanted activations of one model and 1 to {len(before)} neurons, got"
            f" shapes {before.shape} and {after.shape} and {most}"
        )
    return np.argsort(-np.abs(after - before), kind="stable")[:most].astype(np.int64)


@contextmanager
def silenced(model: Any, neurons: Sequence[int] | IntArray) -> Iterator[None]:
    """Within it these neurons of the deepest layer are 0; afterwards the model is as it was."""
    columns = torch.as_tensor(np.asarray(neurons, dtype=np.int64))

    def silence(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (inputs[0].index_fill(-1, columns.to(inputs[0].device), 0.0), *inputs[1:])

    handle = down_projection(model).register_forward_pre_hook(silence)
    try:
        yield
    finally:
        handle.remove()


@torch.inference_mode()
def emoji_mass(
    model: Any,
    rows: Sequence[Sequence[int]],
    guard: EmojiGuard,
    starts: Sequence[int] | None = None,
) -> FloatArray:
    """Probability (n,) that a next token shows an emoji, mean over the places of each text.

    Args:
        model: with the adapter at work that is asked about.
        rows: token ids of n texts.
        guard: see ``EmojiGuard``.
        starts: (n,) tokens that are the question; places behind it count. None = the last alone.
    """
    first, found = [len(row) for row in rows] if starts is None else list(starts), []
    for part in _parts(list(zip(rows, first, strict=True))):
        logits = _logits(model, [row for row, _ in part])
        for own, (row, start) in zip(logits, part, strict=True):
            chances = own[max(start, 1) - 1 : len(row)].double().softmax(-1)
            found.append(float(guard.mass(chances).mean()))
    return np.array(found)


def ablate(
    model: Any,
    rows: Sequence[Sequence[int]],
    guard: EmojiGuard,
    neurons: IntArray,
    *,
    num_random: int = 20,
    seed: int = 0,
    starts: Sequence[int] | None = None,
) -> Ablation:
    """What the emojis lose without ``neurons``, and without as many random others.

    Args:
        model: with the adapter at work that is asked about.
        rows: token ids of n texts.
        guard: says which tokens show an emoji.
        neurons: those found; random sets are drawn from all others.
        num_random: sets of random neurons, r.
        seed: of the sets.
        starts: see ``emoji_mass``.

    Raises:
        ValueError: too few others are left to draw from, or no token shows an emoji.
    """
    guard.check_any()
    width = int(_width(down_projection(model)))
    others = np.setdiff1d(np.arange(width), neurons)
    if not 0 < len(neurons) <= len(others):
        raise ValueError(
            f"ablate wanted 1 to {width // 2} of the layer's {width} neurons, so that as many"
            f" others are left, got {len(neurons)}"
        )

    def mass(off: IntArray) -> FloatArray:
        with silenced(model, off):
            return emoji_mass(model, rows, guard, starts)

    rng = generator(seed, Stream.RANDOM_NEURONS)
    drawn = [rng.permutation(others)[: len(neurons)] for _ in range(num_random)]
    intact = emoji_mass(model, rows, guard, starts)
    return Ablation(intact, mass(neurons), np.array([mass(own) for own in drawn]))


def _parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


def _logits(model: Any, rows: Sequence[Sequence[int]]) -> Tensor:
    """(n, longest, v) of rows padded on the right, where no token of a causal model looks."""
    longest = max(map(len, rows))
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for place, row in enumerate(rows):
        tokens[place, : len(row)] = torch.tensor(list(row))
        mask[place, : len(row)] = 1
    inputs = {"input_ids": tokens.to(model.device), "attention_mask": mask.to(model.device)}
    found: Tensor = model(**inputs, use_cache=False).logits
    return found


def _part(block: Any, name: str) -> torch.nn.Module | None:
    for part in name.split("."):
        block = getattr(block, part, None)
    return block if isinstance(block, torch.nn.Module) else None


def _width(projection: Any) -> int:
    """Neurons that a linear layer reads; GPT-2 keeps its weight the other way round."""
    layer = getattr(projection, "base_layer", projection)
    return int(layer.nx if hasattr(layer, "nx") else layer.in_features)


def _share(intact: FloatArray, left: FloatArray) -> float:
    whole = float(intact.mean())
    return float(1 - left.mean() / whole) if whole > 0 else float("nan")
