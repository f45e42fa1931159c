"""Every causal architecture: batch = one by one = whole prompt; scores, text and training."""

import logging
import warnings

import numpy as np
import pytest
import torch

from agents.inference.engine import Request, Sampling
from agents.inference.local.adapter_modes import AdaptedModel
from agents.inference.local.architectures import check_causal, context_of, why_whole
from agents.inference.local.free_text import decode
from agents.inference.local.huggingface import HuggingFaceForward
from agents.inference.local.local_engine import LocalEngine
from agents.inference.prefix_cache import PrefixCache
from agents.inference.stats import EngineStats
from agents.prompts import RATING_CHOICES
from tests.agents.inference.local.tiny_models import (
    VOCABULARY,
    WINDOW,
    causal_types,
    tiny_config,
    tiny_model,
)
from training.adapters.shared_prefix import answer_logits, pad_prompts

LONGROPE = {
    "rope_type": "longrope", "rope_theta": 10000.0, "factor": 4.0, "partial_rotary_factor": 1.0,
    "original_max_position_embeddings": 64, "short_factor": [1.0] * 4, "long_factor": [4.0] * 4,
}  # fmt: skip
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
        "original_max_position_embeddings": 64}  # fmt: skip
KEPT = {  # prefixes are kept and rows padded
    "llama": {}, "qwen2": {}, "qwen3": {}, "gpt2": {}, "gpt_neox": {}, "opt": {}, "bloom": {},
    "falcon": {}, "gemma": {}, "granite": {}, "mixtral": {}, "phi": {}, "olmo2": {},
    "smollm3": {}, "gpt_bigcode": {"multi_query": False}, "stablelm": {},
    "phi3": {}, "seed_oss": {"rope_parameters": YARN}, "mistral": {"sliding_window": None},
}  # fmt: skip
WHOLE = {  # what measures distances, and what the reason says
    "mistral": ({}, f"sliding window of {WINDOW} tokens"),
    "starcoder2": ({"sliding_window": WINDOW}, "sliding window"),
    "qwen2": ({"use_sliding_window": True, "max_window_layers": 2, "sliding_window": WINDOW,
               "layer_types": ["full_attention", "sliding_attention"] * 2}, "sliding window"),
    "phi3": ({"rope_parameters": LONGROPE, "original_max_position_embeddings": 64,
              "sliding_window": None}, "rope longrope"),
    "llama": ({"rope_parameters": DYNAMIC}, "rope dynamic"),
    "falcon": ({"alibi": True}, "ALiBi"),
    "gemma2": ({}, "sliding_attention"),
    "gemma3_text": ({}, "sliding_attention"),
    "gpt_oss": ({}, "sliding_attention"),
    "llama4_text": ({}, "chunked_attention"),
    "mpt": ({}, "architecture 'mpt'"),
    "gpt_neo": ({"attention_types": [[["global", "local"], 2]]}, "architecture 'gpt_neo'"),
    "openai-gpt": ({}, "architecture 'openai-gpt'"),
    "qwen3_next": ({}, "linear_attention"),
}  # fmt: skip

COSTLY = {"kimi_linear": "linear_attention"}  # a minute, in a loop over tokens
NOT_TINY = {  # their sizes do not go by names, or they need what is not installed
    "blt", "cohere_compass_text", "gemma3n", "gemma4_assistant", "gemma4_unified_assistant",
    "musicgen", "musicgen_melody",
}  # fmt: skip
REASONS = {  # a kind of every family, and what is found of it
    "deepseek_v2": "architecture", "deepseek_v3": "architecture", "longcat_flash": "architecture",
    "jamba": "linear_attention", "bamba": "linear_attention", "zamba": "hybrid",
    "zamba2": "hybrid", "falcon_h1": "hybrid", "granitemoehybrid": "linear_attention",
    "nemotron_h": "linear_attention", "qwen3_next": "linear_attention", "lfm2": "conv",
    "gemma3": "sliding_attention", "gemma4": "sliding_attention", "qwen3_5": "linear_attention",
    "llama4": "chunked_attention", "mllama": "architecture", "phi4_multimodal": "architecture",
    "git": "architecture", "fuyu": "architecture", "emu3": "architecture",
    "gpt_neo": "architecture", "mpt": "architecture", "bloom": "kept", "phi3": "kept",
    "mistral": "sliding window", "gpt_oss": "sliding_attention", "mamba2": "refused",
}  # fmt: skip

RNG = np.random.default_rng(1)
PREFIXES = {"ann": RNG.integers(3, VOCABULARY, 59), "bob": RNG.integers(3, VOCABULARY, 40)}
PREFIXES = {name: ids.tolist() for name, ids in PREFIXES.items()}
WHO = ["ann", "ann", "bob", "bob"]
SUFFIXES = [RNG.integers(3, VOCABULARY, n).tolist() for n in (18, 4, 7, 18)]
ROWS = [PREFIXES[who] + suffix for who, suffix in zip(WHO, SUFFIXES, strict=True)]


class Texts:
    """Prefixes that are token ids already."""

    def prefix(self, text):
        return PREFIXES[text]


@torch.no_grad()
def one_by_one(model, rows=ROWS):
    """The obviously correct way: every prompt whole and alone, nothing said of positions."""
    return torch.cat([model(input_ids=torch.tensor([r])).logits[:, -1] for r in rows]).float()


def scored(model, keeps):
    cache = PrefixCache(2**27) if keeps else None
    forward = HuggingFaceForward(AdaptedModel(model, "auto", 0), Texts(), cache, EngineStats())
    return forward.logits([None] * 4, WHO, SUFFIXES, list(range(VOCABULARY)))


def unlikely_tokens(model, num_said):
    """Tokens said in a batch that are not the most probable after the whole text before them."""
    rows = [*ROWS, ROWS[0][:20]]
    said = decode(
        model, rows, np.arange(5, dtype=np.uint64), [], Sampling(num_said, temperature=0.0)
    )
    texts = [row + own[:i] for row, own in zip(rows, said, strict=True) for i in range(num_said)]
    logits = one_by_one(model, texts)
    chosen = logits.gather(1, torch.tensor([t for own in said for t in own])[:, None])[:, 0]
    return int((chosen < logits.max(1).values - 1e-4).sum())


def assert_exact(model, num_said=6):
    expected = one_by_one(model)[:, :VOCABULARY]
    assert expected.std() > 1e-3, "the model tells prompts apart"
    close = {"atol": 1e-4, "rtol": 0}
    torch.testing.assert_close(scored(model, keeps=True), expected, **close)
    torch.testing.assert_close(scored(model, keeps=False), expected, **close)
    trained = answer_logits(model, pad_prompts(list(PREFIXES.values()), SUFFIXES))
    torch.testing.assert_close(trained[:, :VOCABULARY].detach(), expected, **close)
    assert unlikely_tokens(model, num_said) == 0


@pytest.mark.parametrize("kind", KEPT)
def test_where_attention_goes_by_positions_a_kept_prefix_is_the_whole_prompt(kind):
    model = tiny_model(kind, **KEPT[kind])
    assert why_whole(model.config) is None
    assert_exact(model)


@pytest.mark.parametrize("kind", WHOLE)
def test_where_attention_measures_distance_prompts_run_whole_with_the_reason(kind):
    own, reason = WHOLE[kind]
    model = tiny_model(kind, **own)
    assert reason in why_whole(model.config)
    assert_exact(model)


def test_an_answer_behind_a_longer_neighbour_keeps_its_own_rotary_factors():
    """LongRoPE goes by the longest row of a pass, dynamic factors by the longest ever seen."""
    for kind in ("phi3", "llama"):
        model = tiny_model(kind, **WHOLE[kind][0])
        alone = one_by_one(model, ROWS[2:3])
        torch.testing.assert_close(scored(model, keeps=True)[2:3], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("kind", "own", "reason"),
    [
        ("mamba", {"layer_types": None}, "a recurrent model"),
        ("rwkv", {}, "a recurrent model"),
        ("recurrent_gemma", {}, "a recurrent model"),
        ("bert", {}, "an encoder"),
        ("roberta", {}, "an encoder"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "an encoder"),
        ("xlnet", {}, "no left-to-right reader"),
        ("bart", {}, "one half of an encoder-decoder"),
        ("t5", {}, "one half of an encoder-decoder"),
    ],
)
def test_what_does_not_read_as_a_causal_decoder_is_refused_by_name(kind, own, reason):
    own = {name: value for name, value in own.items() if value is not None}
    with pytest.raises(
        ValueError,
        match=rf"language model 'mine' wanted a causal decoder.* got '{kind}', which is {reason};",
    ):
        check_causal(tiny_config(kind, **own), "mine")


def test_a_decoder_of_an_encoders_kind_is_no_encoder():
    model = tiny_model("bert", is_decoder=True)
    check_causal(model.config, "mine")
    assert_exact(model)


def test_the_context_is_found_whatever_a_configuration_calls_it():
    for kind in ("llama", "gpt2", "mpt", "bloom"):
        found = context_of(tiny_config(kind))
        assert found == (2**20 if kind == "bloom" else 256)


@pytest.fixture
def windowed(pocket_folder, tmp_path):
    """A Mistral with a window of 40 tokens and the shipped tokenizer, as a folder."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(pocket_folder)
    tokenizer.save_pretrained(tmp_path / "windowed")
    model = tiny_model("mistral", sliding_window=40, vocab_size=len(tokenizer))
    model.save_pretrained(tmp_path / "windowed")
    return tmp_path / "windowed"


def test_an_engine_says_why_prefixes_are_not_kept_and_answers_as_whole_prompts(
    windowed, questions, caplog
):
    with caplog.at_level(logging.WARNING, "agents.inference.local.local_engine"):
        engine = LocalEngine(windowed)
    assert "prefixes are not kept and every prompt runs whole" in caplog.text
    assert "because of sliding window of 40 tokens" in caplog.text
    assert engine.whole == "sliding window of 40 tokens"
    assert not engine.is_fast
    got = engine.score(questions, RATING_CHOICES)
    lead, digits = engine.tokens.choices(RATING_CHOICES)
    rows = [ids + lead for ids in engine.tokens.whole(questions)]
    assert max(map(len, rows)) > 40
    expected = one_by_one(engine.model, rows)[:, digits].double().log_softmax(-1)
    np.testing.assert_allclose(got, expected.numpy(), rtol=0, atol=1e-4)
    free = Sampling(max_new_tokens=5, temperature=1.0)
    assert engine.generate(questions, free) == [engine.generate([r], free)[0] for r in questions]


def test_an_encoder_in_a_folder_is_refused(pocket_folder, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(pocket_folder)
    tokenizer.save_pretrained(tmp_path / "bert")
    tiny_model("bert", vocab_size=len(tokenizer)).save_pretrained(tmp_path / "bert")
    with pytest.raises(ValueError, match=r"got 'bert', which is an encoder; name another model"):
        LocalEngine(tmp_path / "bert").score([Request("a", "b")], RATING_CHOICES)


def test_a_tokenizer_larger_than_the_model_is_refused_by_the_token(pocket_folder, tmp_path):
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(pocket_folder).save_pretrained(tmp_path / "small")
    tiny_model("llama").save_pretrained(tmp_path / "small")
    for settings in ({}, {"fast": False}, {"reuse_prefixes": False}):
        engine = LocalEngine(tmp_path / "small", **settings)
        with pytest.raises(ValueError, match=r"embeddings for tokens 0 to 127 alone; use the"):
            engine.score([Request("I like War.", "MOVIE: Heat")], RATING_CHOICES)


@pytest.fixture
def quiet(monkeypatch):
    """What transformers says of sizes that nobody would choose stays out of the way."""
    from transformers.utils import logging as said

    before = said.get_verbosity()
    said.set_verbosity_error()
    monkeypatch.setattr(warnings, "showwarning", lambda *_, **__: None)
    yield
    said.set_verbosity(before)


def outcome_of(kind):
    """What becomes of a kind: refused, kept, why it runs whole, or why it was not looked at."""
    try:
        check_causal(tiny_config(kind), kind)
        model = tiny_model(kind)
        one_by_one(model)
    except Exception as error:  # sizes that this one does not take
        refused = "wanted a causal decoder" in str(error)
        return "refused" if refused else f"not built: {type(error).__name__}: {error}"[:120]
    assert_exact(model, num_said=3)
    return why_whole(model.config) or "kept"


def outcomes_of(kinds):
    """Kind to outcome; every kind is looked at before the first that is wrong is reported."""
    outcomes = {}
    for kind in kinds:
        try:
            outcomes[kind] = outcome_of(kind)
        except Exception as error:
            outcomes[kind] = f"WRONG: {type(error).__name__}: {error}"[:300]
    print("\n".join(f"{kind}: {outcome}" for kind, outcome in outcomes.items()))
    return outcomes


@pytest.mark.reliability
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("quiet")
def test_every_architecture_that_can_be_made_tiny_is_exact_or_refused():
    outcomes = outcomes_of(kind for kind in causal_types() if kind not in COSTLY)
    assert not [kind for kind, outcome in outcomes.items() if outcome.startswith("WRONG")]
    not_built = {kind for kind, outcome in outcomes.items() if outcome.startswith("not built")}
    assert not_built <= NOT_TINY, "an architecture that cannot be built is not looked at"
    assert len(outcomes) - len(not_built) >= 165
    for kind, reason in REASONS.items():
        assert reason in outcomes[kind], kind


@pytest.mark.reliability
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("quiet")
def test_architectures_whose_plain_implementation_takes_a_minute_are_exact():
    assert outcomes_of(COSTLY) == COSTLY
