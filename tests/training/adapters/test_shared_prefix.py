"""One pass over a shared prefix is the whole prompt: for several architectures, with gradients."""

import numpy as np
import pytest
import torch

from agents.inference.engine import Request
from agents.inference.local.huggingface import left_padded
from agents.inference.local.loading import load_model
from agents.inference.local.local_engine import LocalEngine
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES
from training.adapters.lora_model import with_lora
from training.adapters.lora_presets import LoraPreset
from training.adapters.shared_prefix import answer_logits, encode_prompts, pad_prompts

RNG = np.random.default_rng(0)
PREFIXES = [RNG.integers(3, 90, n).tolist() for n in (7, 12, 1)]
SUFFIXES = [RNG.integers(3, 90, n).tolist() for n in (4, 9, 1, 5, 5, 6)]  # two of each prefix


def small_model(name):
    import transformers as tf

    shape = {"vocab_size": 90, "pad_token_id": 0}
    wide = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip
    torch.manual_seed(0)
    made = {
        "llama": lambda: tf.LlamaForCausalLM(tf.LlamaConfig(**shape, **wide)),
        "qwen3": lambda: tf.Qwen3ForCausalLM(tf.Qwen3Config(**shape, **wide, head_dim=8)),
        "gpt2": lambda: tf.GPT2LMHeadModel(tf.GPT2Config(**shape, n_embd=16, n_layer=2, n_head=2)),
        "gemma2": lambda: tf.Gemma2ForCausalLM(tf.Gemma2Config(**shape, **wide, head_dim=8)),
    }
    return made[name]().eval()


def whole_prompt_logits(model, prefixes, suffixes):
    """The obviously correct twin: every prompt whole."""
    turns = len(suffixes) // len(prefixes)
    rows = [prefixes[i // turns] + suffix for i, suffix in enumerate(suffixes)]
    tokens, mask = left_padded(rows, torch.device("cpu"))
    positions = (mask.cumsum(1) - 1).clamp_min(0)
    return model(input_ids=tokens, attention_mask=mask, position_ids=positions).logits[:, -1]


def gradients(model, logits):
    model.zero_grad()
    logits.log_softmax(-1)[:, :5].mean().backward()
    return [p.grad for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2", "gemma2"])
def test_one_pass_over_a_shared_prefix_equals_whole_prompts(name):
    model = small_model(name)
    shared = answer_logits(model, pad_prompts(PREFIXES, SUFFIXES))
    whole = whole_prompt_logits(model, PREFIXES, SUFFIXES)
    assert shared.shape == (6, 90)
    torch.testing.assert_close(shared, whole, atol=1e-4, rtol=0)
    pairs = zip(gradients(model, shared), gradients(model, whole), strict=True)
    for own, expected in pairs:
        torch.testing.assert_close(own, expected, atol=1e-4, rtol=0)


def test_a_peft_model_answers_with_its_adapter():
    preset = LoraPreset(("q_proj", "v_proj"), 4, 8, 0.0, 1e-3, 1, 1)
    model = with_lora(small_model("llama"), preset, seed=1)
    plain = answer_logits(model, pad_prompts(PREFIXES, SUFFIXES))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    shared = answer_logits(model, pad_prompts(PREFIXES, SUFFIXES))
    torch.testing.assert_close(
        shared, whole_prompt_logits(model, PREFIXES, SUFFIXES), atol=1e-4, rtol=0
    )
    assert not torch.allclose(shared, plain, atol=1e-2)


def test_no_turn_sees_another():
    model = small_model("llama")
    together = answer_logits(model, pad_prompts(PREFIXES, SUFFIXES))
    alone = answer_logits(model, pad_prompts(PREFIXES[1:2], SUFFIXES[3:4]))
    torch.testing.assert_close(alone, together[3:4], atol=1e-5, rtol=0)


def test_prompts_are_cut_into_tokens_as_the_engine_cuts_them(tiny_base, blocks):
    tokenizer, model = load_model(tiny_base, torch.device("cpu"), "float32")
    prompts = encode_prompts(Tokens(tokenizer), blocks.prefixes, blocks.suffixes)
    logits = answer_logits(model, pad_prompts(prompts.prefixes, prompts.suffixes))
    engine = LocalEngine(tiny_base, reuse_prefixes=False)
    asked = [Request(blocks.prefixes[i // 3], s) for i, s in enumerate(blocks.suffixes)]
    chosen = logits[:, prompts.answers].log_softmax(-1).detach().numpy()
    np.testing.assert_allclose(chosen, engine.score(asked, RATING_CHOICES), atol=1e-4)


def test_answers_that_begin_with_a_space_of_its_own_have_it_in_the_suffix():
    class Letters:
        """Every character is a token, as in tokenizers that know no words."""

        bos_token_id = 1

        def __call__(self, text, **_):
            if isinstance(text, str):
                return {"input_ids": [ord(c) for c in text]}
            return {"input_ids": [[ord(c) for c in t] for t in text]}

    prompts = encode_prompts(Tokens(Letters()), ["me"], ["RATING:"])
    assert prompts.suffixes == [[ord(c) for c in "RATING: "]]
    assert prompts.answers == [ord(c) for c in "12345"]


def test_a_model_that_keeps_no_cache_is_refused():
    model = small_model("llama")
    model.gradient_checkpointing_enable()
    with pytest.raises(ValueError, match="got one that keeps none; switch gradient checkpointing"):
        answer_logits(model.train(), pad_prompts(PREFIXES, SUFFIXES))
