"""Free text word by word: the faster attention says what the model's own says."""

import numpy as np
import torch

from agents.inference.engine import Sampling
from agents.inference.local.free_text import decode
from tests.agents.inference.local.tiny_models import tiny_model

SAMPLING = Sampling(temperature=0.0, max_new_tokens=12)
PROMPTS = [[5, 9, 11, 7], [3, 8], [4, 4, 4, 10, 12, 6]]


def test_one_token_a_row_is_attended_to_by_plain_products_and_says_the_same(monkeypatch):
    model = tiny_model("llama").eval()
    own = model.config._attn_implementation
    seen = []
    forward = type(model).forward

    def listening(self, *args, **told):
        seen.append((told["input_ids"].shape[1], self.config._attn_implementation))
        return forward(self, *args, **told)

    monkeypatch.setattr(type(model), "forward", listening)
    seeds = np.arange(3, dtype=np.uint64)
    faster = decode(model, PROMPTS, seeds, [], SAMPLING)
    assert seen[0] == (6, "sdpa"), "whole prompts gain nothing"
    assert set(seen[1:]) == {(1, "eager")}
    assert model.config._attn_implementation == own == "sdpa"
    monkeypatch.setattr(
        "agents.inference.local.free_text._token_by_token", lambda *_: torch.inference_mode()
    )
    assert decode(model, PROMPTS, seeds, [], SAMPLING) == faster
