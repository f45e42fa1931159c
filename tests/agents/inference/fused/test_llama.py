"""The fused forward answers as Hugging Face's model does, on shapes of every kind."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from transformers import (
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from agents.inference.engine import Request
from agents.inference.fused import fused_forward as fast
from agents.inference.fused import llama
from agents.inference.fused.llama import LlamaForward, Row
from agents.inference.fused.llama_weights import NotFused, fuse, why_not
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES

CHOICES = [5, 6, 7, 8, 9]
SHAPES = {
    "plain": (LlamaForCausalLM, LlamaConfig, {"tie_word_embeddings": True}),
    "untied": (LlamaForCausalLM, LlamaConfig, {"tie_word_embeddings": False}),
    "grouped": (LlamaForCausalLM, LlamaConfig, {"num_key_value_heads": 2}),
    "one key head": (LlamaForCausalLM, LlamaConfig, {"num_key_value_heads": 1, "head_dim": 24}),
    "one layer": (LlamaForCausalLM, LlamaConfig, {"num_hidden_layers": 1}),
    "other base of the rotation": (
        LlamaForCausalLM,
        LlamaConfig,
        {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    ),
    "mistral": (MistralForCausalLM, MistralConfig, {"sliding_window": None}),
}


def small(kind, config, **fields):
    torch.manual_seed(0)
    settings = {
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 256,
        "initializer_range": 0.2,  # attention that is not flat
    }
    model = kind(config(**(settings | fields))).eval()
    for name, parameter in model.named_parameters():
        if "norm" in name:  # as trained ones are
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return model


def drawn(*lengths):
    generator = torch.Generator().manual_seed(sum(lengths))
    return [torch.randint(3, 64, (length,), generator=generator) for length in lengths]


def whole(model, prefix, suffix):
    with torch.inference_mode():
        return model(torch.cat([prefix, suffix])[None]).logits[0, -1, CHOICES]


@pytest.mark.parametrize("name", SHAPES)
def test_suffixes_behind_shared_prefixes_score_as_whole_prompts(name):
    kind, config, fields = SHAPES[name]
    model = small(kind, config, **fields)
    assert why_not(model) is None
    forward = LlamaForward(model)
    weights = fuse(model, forward.shape, None)
    prefixes, suffixes = drawn(17, 5), drawn(9, 1, 20, 3, 20)
    one, two = forward.prefill(weights, [Row(p.tolist()) for p in prefixes])
    assert one.shape[3] == 17
    assert two.shape[3] == 5
    states = [one] * 3 + [two] * 2
    rows = [Row(s.tolist(), before) for s, before in zip(suffixes, states, strict=True)]
    owners = [prefixes[0]] * 3 + [prefixes[1]] * 2
    expected = torch.stack([whole(model, p, s) for p, s in zip(owners, suffixes, strict=True)])
    got = forward.logits(weights, rows, CHOICES)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_what_stands_between_prefix_and_suffix_may_be_kept_too():
    model = small(*SHAPES["plain"][:2], **SHAPES["plain"][2])
    forward = LlamaForward(model)
    weights = fuse(model, forward.shape, None)
    (prefix,), leads, suffixes = drawn(11), drawn(6, 2), drawn(4, 1, 7)
    (states,) = forward.prefill(weights, [Row(prefix.tolist())])
    long, short = forward.prefill(weights, [Row(lead.tolist(), states) for lead in leads])
    between = [long, None, short]
    rows = [Row(s.tolist(), states, lead) for s, lead in zip(suffixes, between, strict=True)]
    before = [torch.cat([prefix, leads[0]]), prefix, torch.cat([prefix, leads[1]])]
    expected = torch.stack([whole(model, p, s) for p, s in zip(before, suffixes, strict=True)])
    got = forward.logits(weights, rows, CHOICES)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_the_first_line_of_a_slate_is_computed_once(pocket_folder, questions):
    asked = [
        r._replace(suffix=f"MEMORY: Film {i % 2} Drama. I gave 4.\n{r.suffix}")
        for i, r in enumerate(questions)
    ]
    ours, slow = LocalEngine(pocket_folder), LocalEngine(pocket_folder, fast=False)
    expected = slow.score(asked, RATING_CHOICES)
    np.testing.assert_allclose(ours.score(asked, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    assert ours.cache_stats.misses == 3 + 6, "three people, two lines each"
    assert ours.stats.run_tokens - ours.stats.padding_tokens < slow.stats.run_tokens


def test_rows_longer_than_the_lanes_are_attended_to_piece_by_piece():
    model = small(LlamaForCausalLM, LlamaConfig, num_key_value_heads=2, max_position_embeddings=900)
    forward = LlamaForward(model)
    weights = fuse(model, forward.shape, None)
    (prefix,), suffixes = drawn(300), drawn(257, 40, 520)
    (states,) = forward.prefill(weights, [Row(prefix.tolist())])
    expected = torch.stack([whole(model, prefix, s) for s in suffixes])
    got = forward.logits(weights, [Row(s.tolist(), states) for s in suffixes], CHOICES)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("tile", ["as tried", llama.TILE])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_are_the_same_bits_alone_and_among_others_in_any_order(tile, dtype, monkeypatch):
    if tile != "as tried":
        monkeypatch.setattr(llama, "tile_for", lambda *_: tile)
    model = small(LlamaForCausalLM, LlamaConfig, hidden_size=128, intermediate_size=160).to(dtype)
    forward = LlamaForward(model)
    weights = fuse(model, forward.shape, None)
    (state,) = forward.prefill(weights, [Row(drawn(21)[0].tolist())])
    lengths = (9, 30, 1, 17, *range(2, 40))
    rows = [Row(s.tolist(), None if i % 3 else state) for i, s in enumerate(drawn(*lengths))]
    together = forward.logits(weights, rows, CHOICES)
    alone = torch.cat([forward.logits(weights, [row], CHOICES) for row in rows])
    assert torch.equal(together, alone)
    assert torch.equal(forward.logits(weights, rows[::-1], CHOICES), together.flip(0))
    states = forward.prefill(weights, rows)
    for row, own in zip(rows, states, strict=True):
        assert torch.equal(forward.prefill(weights, [row])[0], own)


def test_more_tokens_than_the_model_has_places_are_refused():
    model = small(LlamaForCausalLM, LlamaConfig, max_position_embeddings=32)
    forward = LlamaForward(model)
    weights = fuse(model, forward.shape, None)
    (states,) = forward.prefill(weights, [Row(drawn(30)[0].tolist())])
    with pytest.raises(ValueError, match=r"at most 32 tokens .*, got 33; cut the prompt"):
        forward.logits(weights, [Row([5, 6, 7], states)], CHOICES)


def test_kept_states_are_what_transformers_keeps():
    model = small(LlamaForCausalLM, LlamaConfig)
    forward = LlamaForward(model)
    (row,) = drawn(11)
    (states,) = forward.prefill(fuse(model, forward.shape, None), [Row(row.tolist())])
    with torch.inference_mode():
        cache = model(row[None], use_cache=True).past_key_values
    for layer, kept in enumerate(cache.layers):
        torch.testing.assert_close(states[layer, 0], kept.keys[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(states[layer, 1], kept.values[0], rtol=0, atol=1e-5)


def test_scores_too_large_for_a_plain_exponential_are_passed_on():
    model = small(LlamaForCausalLM, LlamaConfig)
    for block in model.model.layers:
        block.self_attn.q_proj.weight.data *= 1e4
    forward = LlamaForward(model)
    (row,) = drawn(30)
    with pytest.raises(NotFused, match="attention scores are out of range"):
        forward.logits(fuse(model, forward.shape, None), [Row(row.tolist())], CHOICES)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"attention_bias": True}, "biases"),
        ({"hidden_act": "gelu"}, "activation gelu"),
        (
            {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}},
            "rope .*linear",
        ),
        ({"head_dim": 6}, "heads of width 6"),
    ],
)
def test_what_the_fast_forward_cannot_do_is_named(fields, reason):
    assert re.match(reason, why_not(small(LlamaForCausalLM, LlamaConfig, **fields)))


# -- engines --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def save(tmp_path_factory, pocket_folder):
    """Saves a model beside the pocket's tokenizer; returns the folder."""

    def save(model):
        folder = tmp_path_factory.mktemp("model")
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(pocket_folder).save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="module")
def grouped(save):
    return save(
        small(
            LlamaForCausalLM,
            LlamaConfig,
            vocab_size=2048,
            num_key_value_heads=2,
            max_position_embeddings=1024,
        )
    )


def full_adapters(folder, root, **fields):
    """Two LoRAs on every projection."""
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    folders = {}
    for seed, name in enumerate(("ann", "bob")):
        torch.manual_seed(seed)
        settings = {"r": 4 + seed, "lora_alpha": 7, "init_lora_weights": False} | fields
        base = LlamaForCausalLM.from_pretrained(folder)
        config = LoraConfig(target_modules=targets, task_type="CAUSAL_LM", **settings)
        get_peft_model(base, config).save_pretrained(root / name)
        folders[name] = root / name
    return folders


def on_adapters(questions):
    names = (None, "ann", "bob")
    return [r._replace(adapter=names[i % 3]) for i, r in enumerate(questions)]


@pytest.mark.parametrize("fields", [{}, {"use_rslora": True}], ids=["lora", "rslora"])
def test_merged_adapters_score_as_peft_does(grouped, tmp_path, questions, fields):
    folders = full_adapters(grouped, tmp_path, **fields)
    ours = LocalEngine(grouped, folders)
    assert ours.is_fast
    twin = LocalEngine(grouped, folders, reuse_prefixes=False)
    asked = on_adapters(questions)
    expected = twin.score(asked, RATING_CHOICES)
    np.testing.assert_allclose(ours.score(asked, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    assert ours.stats.fallbacks == 0


def test_an_adapter_that_is_more_than_a_lora_is_left_to_peft(grouped, tmp_path, questions):
    folders = full_adapters(grouped, tmp_path, use_dora=True)
    ours = LocalEngine(grouped, folders)
    twin = LocalEngine(grouped, folders, reuse_prefixes=False)
    asked = on_adapters(questions)
    expected = twin.score(asked, RATING_CHOICES)
    np.testing.assert_allclose(ours.score(asked, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    assert ours.stats.fallbacks == 2, "ann's and bob's; the base runs fast"


def test_only_so_many_merged_adapters_are_kept(grouped, tmp_path, questions, monkeypatch):
    monkeypatch.setattr(fast, "_MERGED_BYTES", 1)
    folders = full_adapters(grouped, tmp_path)
    ours = LocalEngine(grouped, folders)
    twin = LocalEngine(grouped, folders, fast=False)
    asked = on_adapters(questions)
    expected = twin.score(asked, RATING_CHOICES)
    for _ in range(2):
        np.testing.assert_allclose(ours.score(asked, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    assert len(ours._fast._merged) == 1


def test_fast_equals_slow_on_the_pocket_model_and_counts_what_it_did(pocket_folder, questions):
    ours, slow = LocalEngine(pocket_folder), LocalEngine(pocket_folder, fast=False)
    assert ours.is_fast
    assert not slow.is_fast
    expected = slow.score(questions, RATING_CHOICES)
    np.testing.assert_allclose(ours.score(questions, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    assert ours.score(questions[:1], RATING_CHOICES).shape == (1, 5)
    assert ours.score([], RATING_CHOICES).shape == (0, 5)
    stats = ours.stats
    assert stats.requests == 13
    assert 0 < stats.cached_tokens < stats.prompt_tokens
    assert 0 <= stats.padding_waste < 0.5
    assert stats.flops > 0
    assert stats.model_seconds > 0


def test_what_is_asked_twice_is_computed_once(pocket_folder, questions):
    once, often = LocalEngine(pocket_folder), LocalEngine(pocket_folder)
    expected = once.score(questions, RATING_CHOICES)
    again = [r._replace(seed=r.seed + 1) for r in questions]
    got = often.score([*questions, *again[::-1]], RATING_CHOICES)
    np.testing.assert_array_equal(got, np.concatenate([expected, expected[::-1]]))
    assert often.stats.run_tokens == once.stats.run_tokens


def crowd_of(questions):
    """Slates of five for 32 people on the base and on two adapters; each recalls two films."""
    names = (None, "ann", "bob")
    return [
        questions[i % len(questions)]._replace(
            prefix=f"{questions[0].prefix}I am the {user}th.\n",
            suffix=f"MEMORY: Film {i % 2}.\nMOVIE: Film {user + i}.\n{questions[0].suffix}",
            adapter=names[user % 3],
        )
        for user in range(32)
        for i in range(5)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_four_people_get_the_same_bits_alone_and_among_32(
    grouped, tmp_path, questions, threads, request
):
    request.addfinalizer(partial(torch.set_num_threads, torch.get_num_threads()))
    torch.set_num_threads(threads)
    folders = full_adapters(grouped, tmp_path)
    asked = crowd_of(questions)
    among = LocalEngine(grouped, folders).score(asked, RATING_CHOICES)
    alone = LocalEngine(grouped, folders)
    for first in range(0, len(asked), 20):
        got = alone.score(asked[first : first + 20], RATING_CHOICES)
        np.testing.assert_array_equal(got, among[first : first + 20])
    one_by_one = [alone.score([r], RATING_CHOICES) for r in asked[:20]]
    np.testing.assert_array_equal(np.concatenate(one_by_one), among[:20])
    assert alone.stats.fallbacks == 0


def test_a_repeatable_engine_gives_the_same_bits_whatever_was_asked_before(
    pocket_folder, questions
):
    asked = [
        r._replace(suffix=f"MEMORY: Film {i % 2}.\n{r.suffix}") for i, r in enumerate(questions)
    ]
    fresh, used = (LocalEngine(pocket_folder, repeatable=True, fast=False) for _ in range(2))
    used.score(asked[5:7], RATING_CHOICES)
    used.score(asked[::-1], RATING_CHOICES)
    np.testing.assert_array_equal(
        used.score(asked, RATING_CHOICES), fresh.score(asked, RATING_CHOICES)
    )


def test_another_architecture_falls_back_to_hugging_face(save, questions):
    torch.manual_seed(0)
    folder = save(
        GPT2LMHeadModel(
            GPT2Config(
                vocab_size=2048, n_embd=32, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2
            )
        )
    )
    engine, twin = LocalEngine(folder), LocalEngine(folder, reuse_prefixes=False)
    assert not engine.is_fast
    expected = twin.score(questions, RATING_CHOICES)
    np.testing.assert_allclose(engine.score(questions, RATING_CHOICES), expected, rtol=0, atol=1e-4)
    with pytest.raises(
        ValueError, match=r"fast=True wanted a Llama-like model .* got architecture"
    ):
        LocalEngine(folder, fast=True)


def test_large_attention_scores_are_answered_by_hugging_face(save, questions):
    model = small(LlamaForCausalLM, LlamaConfig, vocab_size=2048, max_position_embeddings=1024)
    for block in model.model.layers:
        block.self_attn.q_proj.weight.data *= 1e4
    folder = save(model)
    engine, slow = LocalEngine(folder), LocalEngine(folder, fast=False)
    expected = slow.score(questions, RATING_CHOICES)
    np.testing.assert_allclose(engine.score(questions, RATING_CHOICES), expected, rtol=0, atol=1e-6)
    assert engine.stats.fallbacks > 0


def test_answers_and_torch_settings_do_not_depend_on_the_number_of_threads(
    pocket_folder, questions, monkeypatch
):
    before = torch.get_num_threads()
    monkeypatch.setattr(fast, "CHUNK_TOKENS", 64)
    alone = LocalEngine(pocket_folder)
    alone._fast._crew = None
    try:
        torch.set_num_threads(3)
        engine = LocalEngine(pocket_folder)
        assert engine._fast._crew is not None
        assert torch.get_num_threads() == 3
        got = engine.score(questions, RATING_CHOICES)
        np.testing.assert_array_equal(got, alone.score(questions, RATING_CHOICES))
        # or three threads would each start three more for every product
        assert set(engine._fast._map(_threads_after_work, range(12))) == {1}
        engine.close()
    finally:
        torch.set_num_threads(before)


def _threads_after_work(_):
    torch.randn(200, 200).exp_()
    return torch.get_num_threads()


# -- memory runs out ------------------------------------------------------------------------------


def narrow(folder, most, message="CUDA out of memory. Tried to allocate 20.00 GiB"):
    """An engine that holds so many rows at once, as a small GPU would."""
    engine = LocalEngine(folder)
    logits = engine._scorer._logits

    def held(rows, asked):
        if len(rows) > most:
            raise RuntimeError(message)
        return logits(rows, asked)

    engine._scorer._logits = held
    return engine


def test_a_batch_that_memory_does_not_hold_is_halved_until_it_does(
    pocket_folder, engine, questions
):
    small = narrow(pocket_folder, most=2)
    got = small.score(questions, RATING_CHOICES)
    np.testing.assert_allclose(got, engine.score(questions, RATING_CHOICES), rtol=0, atol=1e-5)
    assert small.stats.splits > 0


def test_a_single_request_that_memory_does_not_hold_is_named(pocket_folder, questions):
    with pytest.raises(
        MemoryError, match=r"request \d+ alone .* is more than the memory holds; recall fewer"
    ):
        narrow(pocket_folder, most=0).score(questions, RATING_CHOICES)


def test_other_errors_are_not_taken_for_a_lack_of_memory(pocket_folder):
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        narrow(pocket_folder, 0, "shapes do not fit").score([Request("a", "b")] * 3, RATING_CHOICES)


@pytest.mark.parametrize("shape", ["plain", "untied", "grouped", "one key head", "mistral"])
def test_bfloat16_weights_answer_as_their_float32_copy_but_for_the_rounding_of_products(shape):
    kind, config, fields = SHAPES[shape]
    model = small(kind, config, **fields).to(torch.bfloat16)
    assert why_not(model) is None
    exact = small(kind, config, **fields)
    exact.load_state_dict({k: v.float() for k, v in model.state_dict().items()})
    rows = [Row(ids) for ids in drawn(9, 4, 17)]
    ours, wide = (
        LlamaForward(m).logits(fuse(m, LlamaForward(m).shape, None), rows, CHOICES)
        for m in (model, exact)
    )
    assert ours.dtype == torch.float32
    assert (ours - wide).abs().max() < 0.05 * wide.abs().max()
    assert not torch.equal(ours, wide), "the products were not rounded"


def test_a_fused_layer_keeps_the_number_format_of_the_model():
    kind, config, fields = SHAPES["plain"]
    model = small(kind, config, **fields).to(torch.bfloat16)
    weights = fuse(model, LlamaForward(model).shape, None)
    assert {t.dtype for layer in weights.layers for t in layer} == {torch.bfloat16}
    assert weights.embedding.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert weights.head.data_ptr() == model.lm_head.weight.data_ptr()
