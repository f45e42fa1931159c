"""Forward pass of Llama-like models for scoring: kept states, last position, chosen tokens.

It computes what Hugging Face's model computes (1e-4 in float32; in bfloat16 the products alone are
rounded), with less work: rows of any length
are packed without padding, attend to kept keys and values where they lie, the last layer runs for
the last position only, and the softmax leaves out the subtraction of the maximum, which cannot
change it. Where that could overflow, ``NotFused`` is raised and the caller's other path answers.

A row's bits depend on nothing but the row: ``products`` sees to it in the large products, and the
compiled loops between them go row by row or lane by lane.

Letters: ``n`` rows (suffixes), ``t`` all their tokens, ``w`` hidden width, ``H`` query heads, ``G``
key heads, ``D`` head width, ``c`` choices.
"""

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.facets.mixtures import Gate
from agents.inference.fused import attention, kernels
from agents.inference.fused.llama_weights import Layer, NotFused, Shape, Weights, shape_of
from agents.inference.fused.low_rank import LayerRanks, add_update, add_update_across
from agents.inference.fused.products import (
    TILE,
    Sizes,
    add_product,
    multiply,
    multiply_across,
    rows_computed,
    tile_for,
)

_NO_RANKS = LayerRanks(None, None, None, None, None)
_SMALLEST_SUM, _LARGEST_SUM = 1e-30, 1e30


class Row(NamedTuple):
    """Tokens, and the states that stand before them: (layers, 2, G, length, D) each."""

    tokens: Sequence[int]  # at least one
    prefix: Tensor | None = None  # neighbours with the same one share its reading
    lead: Tensor | None = None  # between the prefix and the tokens
    gate: Gate = ()  # how the weights' facets are mixed, where they have some
    place: int | None = None  # of the first token; None = behind what stands before


class LlamaForward:
    """The pass itself; weights come with every call. Safe to call from several threads."""

    def __init__(self, model: Any) -> None:
        """``model``: a Hugging Face model for which ``why_not`` is None; shapes are read off it."""
        self.shape: Shape = shape_of(model)
        rotary = model.model.rotary_emb
        positions = torch.arange(model.config.max_position_embeddings, dtype=torch.float32)
        angles = positions[:, None] * rotary.inv_freq.float().cpu()[None, :]
        turns = torch.stack([angles.cos(), angles.sin()]) * rotary.attention_scaling
        self._turns = turns.numpy()  # (2, P, D/2)
        self._across = turns.transpose(1, 2).contiguous().numpy()
        self._scratch = _Scratch()

    @torch.inference_mode()
    def prefill(self, weights: Weights, rows: Sequence[Row]) -> list[Tensor]:
        """Keys and values of the rows' tokens: (layers, 2, G, length, D) each."""
        run = _Run(self, weights, rows)
        states = run.all_states()
        run.check()
        return states

    @torch.inference_mode()
    def logits(self, weights: Weights, rows: Sequence[Row], choices: list[int]) -> Tensor:
        """Logits (n, c) of the chosen tokens after each row.

        Raises:
            NotFused: attention scores are too large or too small for a plain exponential.
        """
        run = _Run(self, weights, rows)
        hidden = run.last_hidden()
        run.check()
        chosen = weights.head[choices].float().t()
        logits = torch.empty(len(hidden.tensor), len(choices))
        multiply(run.normed(hidden).tensor * weights.norm, chosen, logits, run.tile)
        return logits[: len(rows)]


class _Buffer(NamedTuple):
    """The same numbers for torch and for the kernels."""

    tensor: Tensor
    array: kernels.Floats


class _Run:
    """One pass over some rows."""

    def __init__(self, forward: LlamaForward, weights: Weights, rows: Sequence[Row]) -> None:
        self.shape, self.weights = forward.shape, weights
        self.take = forward._scratch.take
        lengths = np.array([len(row.tokens) for row in rows])
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        before, self.kept = _addresses(rows)
        self.rows = attention.Rows(bounds, before, attention.pieces_of(bounds))
        starts = before[:, :, 1].sum(1) - bounds[:-1]
        for i, row in enumerate(rows):
            if row.place is not None:
                starts[i] = row.place - bounds[i]
        positions = np.arange(bounds[-1]) + np.repeat(starts, lengths)
        self.tile = _tile_of(weights)
        fill = rows_computed(len(positions), self.tile) - len(positions)
        positions = np.pad(positions, (0, fill))
        cos, sin = forward._turns
        _check_lengths(positions, forward._turns.shape[1])
        self.rotation = attention.Rotation(cos, sin, forward._across, positions)
        tokens = np.concatenate([row.tokens for row in rows])
        self.tokens = torch.from_numpy(np.pad(tokens, (0, fill)))
        self.t = len(positions)
        self.of_rows, self.of_tokens = _gates(weights, rows, lengths, self.tile)
        self.sums: list[tuple[float, float]] = []
        self.x = self.take("x", self.t, weights.embedding.shape[1])
        self.x.tensor.copy_(weights.embedding[self.tokens])

    def check(self) -> None:
        """Raise ``NotFused`` if an exponential overflowed or vanished somewhere."""
        if not all(a > _SMALLEST_SUM and b < _LARGEST_SUM for a, b in self.sums):
            raise NotFused("attention scores are out of range")

    def all_states(self) -> list[Tensor]:
        """(layers, 2, G, length, D) of every row."""
        layers, g, d = self.weights.layers, self.shape.key_heads, self.shape.width
        lengths = np.diff(self.rows.bounds).tolist()
        states = [torch.empty(len(layers), 2, g, length, d) for length in lengths]
        places = [(x.data_ptr(), length) for x, length in zip(states, lengths, strict=True)]
        for i, layer in enumerate(layers):
            normed = self.normed(self.x)
            keys_values = self._keys_values(i, layer, normed)
            attention.keep(i, keys_values.array, self.rows, d, np.array(places))
            if i + 1 < len(layers):
                self._attend_all(i, layer, normed, keys_values)
        return states

    def last_hidden(self) -> _Buffer:
        """(n, w) after the last layer, at every row's last token."""
        *layers, last = self.weights.layers
        for i, layer in enumerate(layers):
            normed = self.normed(self.x)
            self._attend_all(i, layer, normed, self._keys_values(i, layer, normed))
        keys_values = self._keys_values(len(layers), last, self.normed(self.x))
        n = len(self.rows.bounds) - 1
        fill = rows_computed(n, self.tile) - n
        places = np.pad(self.rows.bounds[1:] - 1, (0, fill))
        ends = self.x.tensor[torch.from_numpy(places)]
        self.x = _Buffer(ends, ends.numpy())
        queries = self.take("queries", len(ends), len(last.queries))
        inputs, ranks = self.normed(self.x).tensor, self._ranks(len(layers))
        multiply(inputs, last.queries.t(), queries.tensor, self.tile)
        add_update(ranks.queries, inputs, self.of_rows, queries.tensor, self.tile)
        attended = self.take("attended", len(ends), len(last.queries))
        attended.array[n:] = 0
        self._attend(attention.attend_ends, len(layers), queries, keys_values, attended)
        self._finish(last, ranks, attended.tensor, self.of_rows)
        return self.x

    def _ranks(self, index: int) -> LayerRanks:
        """The facets' updates of a layer."""
        return _NO_RANKS if self.weights.ranks is None else self.weights.ranks[index]

    def normed(self, x: _Buffer) -> _Buffer:
        """Rows of root mean square 1 (the norm's weights are in the matrices)."""
        out = self.take("normed", *x.array.shape)
        kernels.normalise(x.array, self.shape.eps, out.array)
        return out

    def _keys_values(self, index: int, layer: Layer, normed: _Buffer) -> _Buffer:
        """Rotated keys, then values (t, 2·G·D) of every token."""
        out = self.take("keys_values", self.t, layer.keys_values.shape[1])
        if index == 0 and self.weights.first is not None:
            torch.index_select(self.weights.first, 0, self.tokens, out=out.tensor)
        else:
            multiply(normed.tensor, layer.keys_values, out.tensor, self.tile)
        low = self._ranks(index).keys_values
        add_update(low, normed.tensor, self.of_tokens, out.tensor, self.tile)
        attention.rotate(out.array, self.rotation)
        return out

    def _attend_all(self, index: int, layer: Layer, normed: _Buffer, keys_values: _Buffer) -> None:
        """The rest of a layer, for every token: tokens lie side by side while they attend."""
        queries = self.take("queries", len(layer.queries), self.t)
        multiply_across(layer.queries, normed.tensor, queries.tensor, self.tile)
        ranks = self._ranks(index)
        add_update_across(ranks.queries, normed.tensor, self.of_tokens, queries.tensor, self.tile)
        attended = self.take("attended", len(layer.queries), self.t)
        attended.array[:, self.rows.bounds[-1] :] = 0
        self._attend(attention.attend, index, queries, keys_values, attended)
        self._finish(layer, ranks, attended.tensor.t(), self.of_tokens)

    def _attend(
        self, kernel: Callable[..., Any], index: int, queries: _Buffer, keys: _Buffer, out: _Buffer
    ) -> None:
        sums = kernel(index, queries.array, self.rotation, self.rows, keys.array, out.array)
        self.sums.append(sums)

    def _finish(
        self, layer: Layer, ranks: LayerRanks, attended: Tensor, gates: Tensor | None
    ) -> None:
        """Output projection and MLP, added to the stream."""
        add_product(self.x.tensor, attended, layer.out, self.tile)
        add_update(ranks.out, attended, gates, self.x.tensor, self.tile)
        t, f = len(self.x.array), layer.down.shape[0]
        gate_up, gated = self.take("gate_up", t, 2 * f), self.take("gated", t, f)
        normed = self.normed(self.x).tensor
        multiply(normed, layer.gate_up, gate_up.tensor, self.tile)
        add_update(ranks.gate_up, normed, gates, gate_up.tensor, self.tile)
        kernels.gate(gate_up.array, gated.array)
        add_product(self.x.tensor, gated.tensor, layer.down, self.tile)
        add_update(ranks.down, gated.tensor, gates, self.x.tensor, self.tile)


def _gates(
    weights: Weights, rows: Sequence[Row], lengths: Any, tile: int | None
) -> tuple[Tensor | None, Tensor | None]:
    """How facets are mixed in every row and for every token (rows of a product, K)."""
    if weights.ranks is None:
        return None, None
    gates = np.array([row.gate for row in rows], dtype=np.float32)
    both = gates, gates.repeat(lengths, axis=0)
    fills = [rows_computed(len(own), tile) - len(own) for own in both]
    of_rows, of_tokens = (
        torch.from_numpy(np.pad(own, ((0, fill), (0, 0))))
        for own, fill in zip(both, fills, strict=True)
    )
    return of_rows, of_tokens


def _tile_of(weights: Weights) -> int | None:
    """How products with these weights are cut; those with facets always are."""
    if weights.ranks is not None:
        return TILE
    layer = weights.layers[0]
    across = layer.queries.shape[1], layer.queries.shape[0]
    matrices = (layer.keys_values, layer.out, layer.gate_up, layer.down)
    sizes: Sizes = (across, *((m.shape[0], m.shape[1]) for m in matrices))
    return tile_for(sizes, layer.out.dtype, torch.get_num_threads())


def _addresses(rows: Sequence[Row]) -> tuple[kernels.Integers, list[Tensor]]:
    """``Rows.before``, and the tensors that must live as long as it is used."""
    kept, before = [], []
    for row in rows:
        for states in (row.prefix, row.lead):
            if states is None:
                before.append((0, 0))
            else:
                kept.append(states.contiguous())
                before.append((kept[-1].data_ptr(), states.shape[3]))
    return np.array(before, dtype=np.int64).reshape(-1, 2, 2), kept


class _Scratch(threading.local):
    """Buffers that are used again by every pass of a thread; each name is one buffer."""

    def __init__(self) -> None:
        self._rooms: dict[str, Tensor] = {}
        self._taken: dict[str, tuple[tuple[int, ...], _Buffer]] = {}

    def __reduce__(self) -> tuple[type["_Scratch"], tuple[()]]:
        """A copy begins with no buffers: what they hold means nothing between two passes."""
        return _Scratch, ()

    def take(self, name: str, *shape: int) -> _Buffer:
        """Room of that shape with any content; the last one of the name is overwritten."""
        last, buffer = self._taken.get(name, (None, None))
        if buffer is None or last != shape:
            size = math.prod(shape)
            room = self._rooms.get(name)
            if room is None or len(room) < size:
                room = self._rooms[name] = torch.empty(size)
            tensor = room[:size].view(shape)
            buffer = _Buffer(tensor, tensor.numpy())
            self._taken[name] = (shape, buffer)
        return buffer


def _check_lengths(positions: Any, limit: int) -> None:
    if positions.max() >= limit:
        raise ValueError(
            f"rows wanted at most {limit} tokens with what stands before them, got"
            f" {positions.max() + 1}; cut the prompt"
        )
