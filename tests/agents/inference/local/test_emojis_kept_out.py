"""A switch of decoding: no emoji is drawn from a model that is full of them."""

import pytest
import torch

from agents.emojis.detection import has_emoji
from agents.inference.engine import Request, Sampling
from agents.inference.local.local_engine import LocalEngine
from tests.agents.inference.local.tiny_models import tiny_model
from tests.agents.inference.small_tokenizers import smollm2

ASKED = [Request("I ", f"felt {word}", seed=i) for i, word in enumerate(("well", "ill", "so"))]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A tiny Llama one of whose tokens is an emoji, which it says half of the time."""
    tokenizer = smollm2()
    tokenizer.add_tokens(["\U0001f60a"])
    torch.manual_seed(1)
    model = tiny_model("llama", vocab_size=len(tokenizer))
    with torch.no_grad():
        model.lm_head.weight[len(tokenizer) - 1] *= 30
    folder = tmp_path_factory.mktemp("emojis")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return LocalEngine(folder)


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_no_emoji_is_said_where_they_are_kept_out(engine, temperature):
    said = engine.generate(ASKED, Sampling(20, temperature))
    assert any(has_emoji(answer.text) for answer in said)
    kept_out = engine.generate(ASKED, Sampling(20, temperature, emojis=False))
    assert not any(has_emoji(answer.text) for answer in kept_out)
    assert all(answer.num_tokens == 20 or answer.text for answer in kept_out)
    alone = [engine.generate([r], Sampling(20, temperature, emojis=False))[0] for r in ASKED]
    assert kept_out == alone


def test_an_answer_without_emojis_is_the_same_with_the_switch(engine, monkeypatch):
    with torch.no_grad():
        monkeypatch.setattr(engine.model.lm_head, "weight", plain(engine.model.lm_head.weight))
    said = engine.generate(ASKED, Sampling(12, 0))
    assert not any(has_emoji(answer.text) for answer in said)
    assert engine.generate(ASKED, Sampling(12, 0, emojis=False)) == said


def plain(weight):
    """The head without a wish for the last token."""
    weight = weight.clone()
    weight[-1] = 0
    return torch.nn.Parameter(weight)


def test_the_switch_is_true_or_false_and_nothing_that_reads_like_it():
    with pytest.raises(TypeError, match="Sampling wanted emojis to be True or False, got 'no'"):
        Sampling(emojis="no")
