"""Forward pass of Llama-like models for scoring: shared prefixes, last position, chosen tokens.

It computes what Hugging Face's model computes (1e-4 in float32), with less work: suffixes attend
to their prefix's keys where they lie, the last layer runs for the last position only, and the
softmax leaves out the subtraction of the maximum, which cannot change it. Where that could
overflow, ``NotFused`` is raised and the caller's other path answers.

Letters: ``n`` suffixes, ``s`` their longest, ``l`` their longest lead, ``t`` = n·s tokens, ``w``
hidden width, ``H`` query heads, ``G`` key heads, ``D`` head width, ``p`` prefix length, ``c``
choices.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.llama_weights import Layer, NotFused, Shape, Weights, shape_of

_QUERY_BLOCK = 128  # query positions whose scores are held at once
_SCORES = 2**24  # most numbers of one product with a prefix (64 MiB)
_SMALLEST_SUM, _LARGEST_SUM = 1e-30, 1e30


class Group(NamedTuple):
    """Neighbouring suffixes ``start:stop`` behind one prefix."""

    start: int
    stop: int
    states: Tensor  # (layers, 2, G, p, D) rotated keys, values


class Batch(NamedTuple):
    """Right-padded suffixes and what stands before them."""

    tokens: Tensor  # (n, s) padding may be any token
    lengths: Tensor  # (n,) > 0
    starts: Tensor  # (n,) position of the first token
    groups: list[Group]  # none = nothing stands before
    leads: Sequence[
        Tensor | None
    ] = ()  # (layers, 2, G, length, D) of each row: what stands between


class LlamaForward:
    """The pass itself; weights come with every call. Safe to call from several threads."""

    def __init__(self, model: Any) -> None:
        """``model``: a Hugging Face model for which ``why_not`` is None; shapes are read off it."""
        self.shape: Shape = shape_of(model)
        rotary = model.model.rotary_emb
        positions = torch.arange(model.config.max_position_embeddings, dtype=torch.float32)
        angles = positions[:, None] * rotary.inv_freq.float().cpu()[None, :]
        self._cos = (angles.cos() * rotary.attention_scaling).contiguous()
        self._sin = (angles.sin() * rotary.attention_scaling).contiguous()
        self._scratch = _Scratch()

    @torch.inference_mode()
    def prefill(self, weights: Weights, batch: Batch) -> list[Tensor]:
        """Keys and values of n whole texts: (layers, 2, G, length, D) each."""
        run = _Run(self, weights, batch)
        states = run.all_states()
        run.check()
        return [states[:, :, :, i, :length].clone() for i, length in enumerate(run.lengths)]

    @torch.inference_mode()
    def logits(self, weights: Weights, batch: Batch, choices: list[int]) -> Tensor:
        """Logits (n, c) of the chosen tokens after each suffix.

        Raises:
            NotFused: attention scores are too large or too small for a plain exponential.
        """
        run = _Run(self, weights, batch)
        hidden = run.last_hidden()
        run.check()
        normed = hidden * _inverse_rms(hidden, self.shape.eps) * weights.norm
        return normed @ weights.head[choices].t()


class _Run:
    """One pass over one batch."""

    def __init__(self, forward: LlamaForward, weights: Weights, batch: Batch) -> None:
        self.shape, self.weights, self.batch = forward.shape, weights, batch
        self.take = forward._scratch.take
        self.lengths: list[int] = batch.lengths.tolist()
        n, s = batch.tokens.shape
        self.n, self.s = n, s
        self.flat = batch.tokens.reshape(-1)
        positions = (batch.starts[:, None] + torch.arange(s)).clamp_max_(len(forward._cos) - 1)
        self.cos = forward._cos.index_select(0, positions.view(-1))[:, None]
        self.sin = forward._sin.index_select(0, positions.view(-1))[:, None]
        self.causal = torch.ones(s, s).tril_()
        self.leads = self._side_by_side() if any(x is not None for x in batch.leads) else None
        self.sums: list[Tensor] = []
        self.x = torch.index_select(
            weights.embedding, 0, self.flat, out=self.take("x", n * s, weights.embedding.shape[1])
        )

    def check(self) -> None:
        """Raise ``NotFused`` if an exponential overflowed or vanished somewhere."""
        if not self.sums:
            return
        sums = torch.stack(self.sums)
        if not bool(((sums > _SMALLEST_SUM) & (sums < _LARGEST_SUM)).all()):
            raise NotFused("attention scores are out of range")

    def all_states(self) -> Tensor:
        """(layers, 2, G, n, s, D) of the whole batch."""
        g, d = self.shape.key_heads, self.shape.width
        layers = self.weights.layers
        states = torch.empty(len(layers), 2, g, self.n * self.s, d)
        for i, layer in enumerate(layers[:-1]):
            q, k, v = self._project(i, layer)
            states[i, 0], states[i, 1] = k, v
            self._finish(layer, self._attend(i, q, k, v, self.causal))
        self._last_keys(layers[-1], states[-1, 0], states[-1, 1])
        return states.view(len(layers), 2, g, self.n, self.s, d)

    def last_hidden(self) -> Tensor:
        """(n, w) after the last layer, at every suffix's last token."""
        layers = self.weights.layers
        for i, layer in enumerate(layers[:-1]):
            self._finish(layer, self._attend(i, *self._project(i, layer), self.causal))
        return self._last_layer(layers[-1])

    def _project(self, index: int, layer: Layer) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated q (H, t, D), rotated k and v (G, t, D) of every token."""
        h, g, d = self.shape.heads, self.shape.key_heads, self.shape.width
        t, half = len(self.flat), (h + g) * d // 2
        qkv = self.take("qkv", t, layer.qkv.shape[1])
        if index == 0 and self.weights.first is not None:
            torch.index_select(self.weights.first, 0, self.flat, out=qkv)
        else:
            torch.mm(self._normed(), layer.qkv, out=qkv)
        qk = self.take("qk", h + g, t, d)
        _rotate(qkv[:, :half], qkv[:, half : 2 * half], self.cos, self.sin, qk)
        v = self.take("v", g, t, d).copy_(qkv[:, 2 * half :].view(t, g, d).transpose(0, 1))
        return qk[:h], qk[h:], v

    def _last_keys(self, layer: Layer, k: Tensor, v: Tensor) -> None:
        """Write the last layer's rotated k and v of every token into (G, t, D)."""
        g, d = self.shape.key_heads, self.shape.width
        t, half = len(self.flat), g * d // 2
        kv = torch.mm(self._normed(), layer.keys_values, out=self.take("qkv", t, 2 * g * d))
        _rotate(kv[:, :half], kv[:, half : 2 * half], self.cos, self.sin, k)
        v.copy_(kv[:, 2 * half :].view(t, g, d).transpose(0, 1))

    def _last_layer(self, layer: Layer) -> Tensor:
        h, g, d = self.shape.heads, self.shape.key_heads, self.shape.width
        k, v = self.take("qk", g, len(self.flat), d), self.take("v", g, len(self.flat), d)
        self._last_keys(layer, k, v)
        ends = torch.arange(self.n) * self.s + self.batch.lengths - 1
        self.x = self.x[ends]
        flat = self._normed() @ layer.queries
        q, half = torch.empty(h, self.n, d), h * d // 2
        _rotate(flat[:, :half], flat[:, half:], self.cos[ends], self.sin[ends], q)
        seen = (torch.arange(self.s) < self.batch.lengths[:, None])[:, None].float()
        self._finish(layer, self._attend(len(self.weights.layers) - 1, q, k, v, seen))
        return self.x

    def _finish(self, layer: Layer, attended: Tensor) -> None:
        """Output projection and MLP, added to the stream."""
        self.x.addmm_(attended, layer.out)
        y, t = self._normed(), len(self.x)
        gate = torch.mm(y, layer.gate, out=self.take("gate", t, layer.gate.shape[1]))
        up = torch.mm(y, layer.up, out=self.take("up", t, layer.up.shape[1]))
        torch.nn.functional.silu(gate, inplace=True).mul_(up)
        self.x.addmm_(gate, layer.down)

    def _normed(self) -> Tensor:
        """The stream with rows of root mean square 1 (the norm's weights are in the matrices)."""
        scale = _inverse_rms(self.x, self.shape.eps)
        return torch.mul(self.x, scale, out=self.take("normed", *self.x.shape))

    def _attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """Attention of q (H, n·a, D) to its own suffix's k, v (G, n·s, D) and to its prefix.

        ``mask`` is 1 where a query may look: (a, s) or (n, 1, s). Returns (n·a, H·D).
        """
        h, d, repeats = self.shape.heads, self.shape.width, self.shape.heads // len(k)
        a = q.shape[1] // self.n
        out, total = self.take("out", h, self.n * a, d), self.take("total", h, self.n * a, 1)
        self._attend_own(q, _repeated(k, repeats), _repeated(v, repeats), mask, out, total)
        if self.leads is not None:
            keys, values = (_repeated(x, repeats) for x in self.leads[layer])
            self._attend_leads(q, keys, values, out, total)
        for group in self.batch.groups:
            keys, values = (_repeated(x, repeats) for x in group.states[layer])
            for lo, hi in _ranges(group.start * a, group.stop * a, _SCORES // (h * keys.shape[1])):
                scores = self.take("scores", h, hi - lo, keys.shape[1])
                torch.bmm(q[:, lo:hi], keys.transpose(1, 2), out=scores).exp_()
                total[:, lo:hi] += scores.sum(-1, keepdim=True)
                out[:, lo:hi].baddbmm_(scores, values)
        self.sums += torch.aminmax(total)
        joined = self.take("joined", self.n * a, h, d)
        torch.div(out.transpose(0, 1), total.transpose(0, 1), out=joined)
        return joined.view(self.n * a, h * d)

    def _attend_own(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, out: Tensor, total: Tensor
    ) -> None:
        """Unnormalised attention within the suffixes, written into ``out`` and ``total``."""
        h, d = self.shape.heads, self.shape.width
        q, out = q.view(h * self.n, -1, d), out.view(h * self.n, -1, d)
        total = total.view(h * self.n, -1, 1)
        k, v = k.view(h * self.n, self.s, d), v.view(h * self.n, self.s, d)
        a = q.shape[1]
        for lo, hi in _ranges(0, a, _QUERY_BLOCK):
            keys = hi if a == self.s else self.s
            scores = self.take("scores", h * self.n, hi - lo, keys)
            torch.bmm(q[:, lo:hi], k[:, :keys].transpose(1, 2), out=scores).exp_()
            allowed = mask[..., lo:hi, :keys] if mask.dim() == 2 else mask
            scores.view(h, self.n, hi - lo, keys).mul_(allowed)
            torch.sum(scores, -1, keepdim=True, out=total[:, lo:hi])
            torch.bmm(scores, v[:, :keys], out=out[:, lo:hi])

    def _side_by_side(self) -> Tensor:
        """The leads, padded: (layers, 2, G, n, l, D); sets ``lead_seen`` (n, 1, l), 0 = padding."""
        leads = self.batch.leads
        lengths = torch.tensor([0 if lead is None else lead.shape[3] for lead in leads])
        wide, layers = int(lengths.max()), len(self.weights.layers)
        side = self.take("leads", layers, 2, self.shape.key_heads, self.n, wide, self.shape.width)
        for row, lead in enumerate(leads):
            length = int(lengths[row])
            if lead is not None:
                side[:, :, :, row, :length] = lead
            if length < wide:  # a masked value still must not be NaN
                side[:, :, :, row, length:] = 0
        self.lead_seen = (torch.arange(wide) < lengths[:, None])[:, None].float()
        return side

    def _attend_leads(self, q: Tensor, k: Tensor, v: Tensor, out: Tensor, total: Tensor) -> None:
        """Unnormalised attention to each suffix's own lead k, v (H, n, l, D), added to ``out``."""
        h, d, wide = self.shape.heads, self.shape.width, k.shape[2]
        q, out = q.view(h * self.n, -1, d), out.view(h * self.n, -1, d)
        scores = self.take("scores", h * self.n, q.shape[1], wide)
        torch.bmm(q, k.reshape(-1, wide, d).transpose(1, 2), out=scores).exp_()
        scores.view(h, self.n, -1, wide).mul_(self.lead_seen)
        total.view(h * self.n, -1, 1).add_(scores.sum(-1, keepdim=True))
        out.baddbmm_(scores, v.reshape(-1, wide, d))


class _Scratch(threading.local):
    """Buffers that are used again by every pass of a thread; each name is one buffer."""

    def __init__(self) -> None:
        self._buffers: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """A tensor of that shape with any content; the last one of the name is overwritten."""
        size = 1
        for length in shape:
            size *= length
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < size:
            buffer = self._buffers[name] = torch.empty(size)
        return buffer[:size].view(shape)


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    """(rows, 1) one over the root mean square of the rows."""
    lengths: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return lengths.square_().mul_(1 / x.shape[1]).add_(eps).rsqrt_()


def _rotate(first: Tensor, second: Tensor, cos: Tensor, sin: Tensor, out: Tensor) -> None:
    """Rotate halves (t, heads·D/2) by cos, sin (t, 1, D/2) into ``out`` (heads, t, D)."""
    half = cos.shape[2]
    one, two = first.unflatten(1, (-1, half)), second.unflatten(1, (-1, half))
    left, right = out[..., :half].transpose(0, 1), out[..., half:].transpose(0, 1)
    torch.mul(one, cos, out=left).addcmul_(two, sin, value=-1)
    torch.mul(two, cos, out=right).addcmul_(one, sin)


def _repeated(x: Tensor, times: int) -> Tensor:
    return x if times == 1 else x.repeat_interleave(times, 0)


def _ranges(start: int, stop: int, most: int) -> Iterator[tuple[int, int]]:
    """Even ranges of at most ``most`` (at least 1) that partition start:stop."""
    parts = -(-(stop - start) // max(most, 1))
    for i in range(parts):
        yield (
            start + (stop - start) * i // parts,
            start + (stop - start) * (i + 1) // parts,
        )
