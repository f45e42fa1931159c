"""Reads blocks and answers cues with a Llama of Hugging Face, on any device, gradients included.

It calls the model's own layers, so whatever peft put into them acts here too. The same sums as
Hugging Face's forward under a mask that lets each text see itself alone, and the cue the gist of
all texts of its request; a test holds the two together.

Letters: ``b`` texts, ``t`` tokens of the longest, ``L`` layers, ``G`` key heads, ``H`` query heads,
``D`` head width, ``g`` gist tokens kept of each text, ``u`` people, ``k`` items asked about, ``c``
tokens of a cue, ``s`` states of a person that all their cues see.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Behind(NamedTuple):
    """What texts are read behind."""

    states: Tensor  # (L, 2, b, G, s, D)


class Cues(NamedTuple):
    """What is asked: k cues of each of u people."""

    ids: Tensor  # (u, k, c) padded on the left
    known: Tensor  # (u, k, c) False = padding
    last_place: int
    shared: Tensor  # (L, 2, u, G, s, D) profile and memories
    seen: Tensor  # (u, k, s) which of them each cue sees
    items: Tensor  # (L, 2, u, k, G, g, D)


class BlockReader:
    """The reading of a model.

    Args:
        model: a ``LlamaForCausalLM``, with peft's layers or without.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        config = model.config
        self.heads = int(config.num_attention_heads)
        self.groups = int(config.num_key_value_heads)
        own = getattr(config, "head_dim", None)
        self.width = int(own or config.hidden_size // self.heads)

    @property
    def _base(self) -> Any:
        return self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model

    @property
    def _body(self) -> Any:
        return self._base.model

    def read(
        self, ids: Tensor, known: Tensor, places: Tensor, keep: int, behind: Behind | None = None
    ) -> Tensor:
        """Keys and values (L, 2, b, G, keep, D) of the last tokens of each text.

        Args:
            ids: (b, t) tokens, the gist tokens last; padded on the left.
            known: (b, t) False = padding.
            places: (b, t) of the tokens.
            keep: gist tokens.
            behind: states that every token sees beside those before it.
        """
        b, t = ids.shape
        body = self._body
        x = body.embed_tokens(ids)
        cos, sin = body.rotary_emb(x, places)
        cos, sin = cos[:, None], sin[:, None]
        past = 0 if behind is None else behind.states.shape[4]
        mask = torch.ones(t, t, dtype=torch.bool, device=ids.device).tril() & known[:, None, :]
        # Padding sees itself, so that no row of the softmax is empty.
        mask = mask | torch.eye(t, dtype=torch.bool, device=ids.device)
        mask = functional.pad(mask, (past, 0), value=True)[:, None]
        kept = []
        last = len(body.layers) - 1
        for number, layer in enumerate(body.layers):
            h = layer.input_layernorm(x)
            at = layer.self_attn
            k = _turned(self._split(at.k_proj(h), self.groups), cos, sin)
            v = self._split(at.v_proj(h), self.groups)
            kept.append(torch.stack([k[:, :, t - keep :], v[:, :, t - keep :]]))
            if number == last:  # nobody reads what the tokens would say
                break
            q = _turned(self._split(at.q_proj(h), self.heads), cos, sin)
            if behind is not None:
                k = torch.cat([behind.states[number, 0], k], 2)
                v = torch.cat([behind.states[number, 1], v], 2)
            seen = functional.scaled_dot_product_attention(
                q, self._spread(k), self._spread(v), attn_mask=mask
            )
            x = x + at.o_proj(seen.transpose(1, 2).reshape(b, t, self.heads * self.width))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        return torch.stack(kept)

    def answer(self, cues: Cues) -> Tensor:
        """Hidden state (u, k, w) of the last token of each cue."""
        c = cues.ids.shape[2]
        body = self._body
        x = body.embed_tokens(cues.ids)  # (u, k, c, w)
        places = torch.arange(cues.last_place + 1 - c, cues.last_place + 1, device=cues.ids.device)
        cos, sin = body.rotary_emb(x[:1, 0], places[None])
        mask = self._cue_mask(cues)
        last = len(body.layers) - 1
        for number, layer in enumerate(body.layers):
            asked = 1 if number == last else c  # of the last layer only the last token is read
            h = layer.input_layernorm(x)
            at = layer.self_attn
            own_k = _turned(self._split_cue(at.k_proj(h), self.groups), cos, sin)
            own_v = self._split_cue(at.v_proj(h), self.groups)
            x, h = x[:, :, c - asked :], h[:, :, c - asked :]
            q = self._split_cue(at.q_proj(h), self.heads)
            q = _turned(q, cos[:, c - asked :], sin[:, c - asked :])
            seen = self._looked(q, own_k, own_v, cues, number, mask[:, :, :, c - asked :])
            x = x + at.o_proj(seen)
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        hidden: Tensor = body.norm(x[:, :, -1])
        return hidden

    def logits(self, hidden: Tensor, choices: Tensor | None = None) -> Tensor:
        """Logits (…, n) of the chosen tokens (n,), or of all, after hidden states (…, w)."""
        weight = self._base.lm_head.weight
        return functional.linear(hidden, weight if choices is None else weight[choices])

    def _cue_mask(self, cues: Cues) -> Tensor:
        """(u, 1, k, c, s) what is added to the scores of shared states: 0 or -inf."""
        blind = torch.zeros(cues.seen.shape, device=cues.ids.device, dtype=cues.shared.dtype)
        blind.masked_fill_(~cues.seen, float("-inf"))
        return blind[:, None, :, None, :].expand(-1, -1, -1, cues.ids.shape[2], -1)

    def _looked(
        self, q: Tensor, own_k: Tensor, own_v: Tensor, cues: Cues, layer: int, mask: Tensor
    ) -> Tensor:
        """What queries (u, H, k, a, D) see: (u, k, a, H·D).

        Three parts, scored apart and weighed together: a person's states, the item's, the cue's.
        """
        u, _, k, a, d = q.shape
        per = self.heads // self.groups
        q = (q * d**-0.5).reshape(u, self.groups, per, k, a, d)
        shared_k, shared_v = cues.shared[layer, 0], cues.shared[layer, 1]  # (u, G, s, D)
        item_k, item_v = cues.items[layer, 0], cues.items[layer, 1]  # (u, k, G, g, D)
        flat = q.reshape(u, self.groups, per * k * a, d)
        of_shared = flat @ shared_k.transpose(2, 3)
        of_shared = of_shared.reshape(u, self.groups, per, k, a, -1) + mask[:, :, None]
        by_item = q.permute(0, 3, 1, 2, 4, 5).reshape(u, k, self.groups, per * a, d)
        of_item = by_item @ item_k.transpose(3, 4)
        cue_k = own_k.permute(0, 2, 1, 3, 4)  # (u, k, G, c, D)
        of_cue = (by_item @ cue_k.transpose(3, 4)).reshape(u, k, self.groups, per, a, -1)
        c = own_k.shape[3]
        future = torch.ones(a, c, dtype=torch.bool, device=q.device).triu(c - a + 1)
        unseen = (future | ~cues.known[:, :, None, :])[:, :, None, None]
        of_cue = of_cue.masked_fill(unseen, float("-inf"))
        of_item = of_item.reshape(u, k, self.groups, per, a, -1)
        beside = torch.cat([of_item, of_cue], -1).permute(0, 2, 3, 1, 4, 5)
        weights = torch.cat([of_shared, beside], -1).softmax(-1)
        s, g = shared_k.shape[2], item_k.shape[3]
        first = weights[..., :s].reshape(u, self.groups, per * k * a, s) @ shared_v
        first = first.reshape(u, self.groups, per, k, a, d)
        rest = weights[..., s:].permute(0, 3, 1, 2, 4, 5).reshape(u, k, self.groups, per * a, g + c)
        values = torch.cat([item_v, own_v.permute(0, 2, 1, 3, 4)], 3)
        second = (rest @ values).reshape(u, k, self.groups, per, a, d).permute(0, 2, 3, 1, 4, 5)
        out = (first + second).permute(0, 3, 4, 1, 2, 5)  # (u, k, a, G, per, D)
        return out.reshape(u, k, a, self.heads * d)

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:2], heads, self.width).transpose(1, 2)

    def _split_cue(self, x: Tensor, heads: int) -> Tensor:
        """(u, k, c, h·D) as (u, h, k, c, D)."""
        return x.view(*x.shape[:3], heads, self.width).permute(0, 3, 1, 2, 4)

    def _spread(self, x: Tensor) -> Tensor:
        """Key heads for all query heads that share them."""
        return x.repeat_interleave(self.heads // self.groups, 1)


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Queries or keys at their places."""
    half = x.shape[-1] // 2
    across = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * cos + across * sin
