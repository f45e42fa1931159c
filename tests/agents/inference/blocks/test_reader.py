"""Blocks are read exactly as Hugging Face reads them under one explicit mask."""

from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from agents.inference.blocks.places import CONFIG_KEY, Places
from agents.inference.blocks.reader import Behind, BlockReader, Cues

PLACES = Places(item=2, memory=1, profile=3, longest=12, cue=5)
ITEM, MEMORY, PROFILE, CUE = range(4)


def llama(groups: int, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50,
            hidden_size=24,
            intermediate_size=40,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=groups,
            head_dim=8,
            max_position_embeddings=PLACES.context,
            tie_word_embeddings=True,
            initializer_range=0.2,
            **{CONFIG_KEY: asdict(PLACES)},
        )
    ).eval()


def numbered(length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, 50, (length,), generator=generator)


class Request:
    """Two memories, of items 0 and 1, a profile, and a question about item 2."""

    def __init__(self) -> None:
        self.items = [numbered(n + PLACES.item, n) for n in (7, 4, 9)]
        self.memories = [numbered(n + PLACES.memory, 20 + n) for n in (5, 8)]
        self.profile = numbered(10 + PLACES.profile, 40)
        self.cue = numbered(PLACES.cue, 41)


def by_one_mask(model: Any, request: Request) -> Tensor:
    """Logits after the cue, from one row of all texts and a mask that says who sees whom."""
    parts: list[tuple[int, int, Tensor, int, int]] = []  # kind, leans on, ids, gist, first place
    for item in request.items:
        parts.append((ITEM, -1, item, PLACES.item, PLACES.item_gist))
    for owner, memory in enumerate(request.memories):
        parts.append((MEMORY, owner, memory, PLACES.memory, PLACES.memory_gist))
    parts.append((PROFILE, -1, request.profile, PLACES.profile, PLACES.profile_gist))
    places, spans, start = [], [], 0
    for _, _, ids, gist, first in parts:
        text = len(ids) - gist
        places += [*range(text), *range(first, first + gist)]
        spans.append((start, start + text, start + len(ids)))
        start += len(ids)
    cue = len(request.cue)
    places += range(PLACES.last_cue + 1 - cue, PLACES.last_cue + 1)
    total = start + cue
    sees = torch.zeros(total, total, dtype=torch.bool)
    for (kind, leans_on, ids, _, _), (begin, _, end) in zip(parts, spans, strict=True):
        sees[begin:end, begin:end] = torch.ones(len(ids), len(ids)).tril().bool()
        if kind == MEMORY:
            sees[begin:end, slice(*spans[leans_on][1:])] = True
    sees[start:, start:] = torch.ones(cue, cue).tril().bool()
    asked = spans[len(request.items) - 1]
    for span in [asked, *spans[len(request.items) :]]:
        sees[start:, span[1] : span[2]] = True
    mask = torch.where(sees, 0.0, torch.finfo(torch.float32).min)[None, None]
    row = torch.cat([ids for _, _, ids, _, _ in parts] + [request.cue])[None]
    logits: Tensor = model(row, attention_mask=mask, position_ids=torch.tensor([places])).logits
    return logits[0, -1]


def read(reader: BlockReader, ids: Tensor, gist: int, first: int, padding: int = 0) -> Any:
    text = len(ids) - gist
    row = torch.cat([torch.zeros(padding, dtype=torch.long), ids])[None]
    places = torch.tensor([[0] * padding + [*range(text), *range(first, first + gist)]])
    known = torch.tensor([[False] * padding + [True] * len(ids)])
    return row, known, places, gist


def in_blocks(model: Any, request: Request, padding: int = 0) -> Tensor:
    reader = BlockReader(model)
    items = [
        reader.read(*read(reader, ids, PLACES.item, PLACES.item_gist, padding))
        for ids in request.items
    ]
    memories = [
        reader.read(
            *read(reader, ids, PLACES.memory, PLACES.memory_gist, padding), Behind(items[owner])
        )
        for owner, ids in enumerate(request.memories)
    ]
    profile = reader.read(*read(reader, request.profile, PLACES.profile, PLACES.profile_gist))
    unseen = torch.full_like(memories[0], 9.0)  # another's memory, which the cue must not see
    shared = torch.cat([profile, *memories, unseen], 4)
    seen = torch.ones(1, 1, shared.shape[4], dtype=torch.bool)
    seen[..., -PLACES.memory :] = False
    cue = torch.cat([torch.zeros(padding, dtype=torch.long), request.cue])[None, None]
    known = torch.tensor([False] * padding + [True] * len(request.cue))[None, None]
    asked = Cues(cue, known, PLACES.last_cue, shared, seen, items[-1][:, :, :, None])
    return reader.logits(reader.answer(asked))[0, 0]


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 3])
def test_blocks_are_read_as_under_one_mask(groups: int, padding: int) -> None:
    model, request = llama(groups), Request()
    with torch.inference_mode():
        expected = by_one_mask(model, request)
        found = in_blocks(model, request, padding)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_every_part_of_a_request_is_seen() -> None:
    model, request = llama(2), Request()
    with torch.inference_mode():
        before = in_blocks(model, request)
        for part in (*request.items, *request.memories, request.profile, request.cue):
            kept = part[0].clone()
            part[0] = (part[0] + 7) % 50
            assert (in_blocks(model, request) - before).abs().max() > 1e-4
            part[0] = kept


def test_gradients_reach_every_weight_through_what_was_read() -> None:
    model = llama(2)
    in_blocks(model, Request()).log_softmax(-1)[3].backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())
