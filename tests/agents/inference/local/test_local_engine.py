"""Law 6 and the promises of ``Engine``, on the shipped pocket model in float32."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.inference.engine import Request, Sampling
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES


@pytest.fixture(scope="module")
def adapted(pocket_folder, adapter_folders):
    """The pocket model with two random adapters."""
    return LocalEngine(pocket_folder, adapter_folders)


@pytest.fixture(scope="module")
def whole(pocket_folder, adapter_folders):
    """The same, but every prompt runs whole: the obviously correct twin."""
    return LocalEngine(pocket_folder, adapter_folders, reuse_prefixes=False)


@pytest.fixture
def copied(pocket_folder, tmp_path):
    """A copy of the model's folder that a test may break."""
    return Path(shutil.copytree(pocket_folder, tmp_path / "model"))


@pytest.fixture
def copied_adapter(adapter_folders, tmp_path):
    return Path(shutil.copytree(adapter_folders["ann"], tmp_path / "adapter"))


def on_adapters(questions):
    names = (None, "ann", "bob")
    return [r._replace(adapter=names[(i // 2) % 3]) for i, r in enumerate(questions)]


def stars(engine, questions):
    return engine.score(questions, RATING_CHOICES)


# -- law 6 --------------------------------------------------------------------------------------


def test_scores_are_distributions_over_the_choices(engine, questions):
    scores = stars(engine, questions)
    assert scores.shape == (12, 5)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-6)
    assert len(np.unique(scores[:, 0].round(6))) > 6, "different questions, different answers"


@pytest.mark.parametrize("choose", [list, on_adapters], ids=["base", "adapters"])
def test_a_reused_prefix_gives_what_the_whole_prompt_gives(adapted, whole, questions, choose):
    asked = choose(questions)
    expected = stars(whole, asked)
    for _ in range(2):  # the second time from the cache
        np.testing.assert_allclose(stars(adapted, asked), expected, rtol=0, atol=1e-4)


def test_words_are_as_likely_as_transformers_says(adapted, whole, questions):
    """Token by token, by hand; and the same with kept prefixes, whole, and under an adapter."""
    asked = on_adapters(questions)
    words = [" 4. I liked it very much.", " 2", " Drama is not for me."] * 4
    found = adapted.token_logs(asked, words)
    for row, expected in enumerate(whole.token_logs(asked, words)):
        np.testing.assert_allclose(found[row], expected, rtol=0, atol=2e-4)
    first = asked[0]
    assert first.adapter is None
    ids = adapted.tokens.whole([first])[0]
    said = adapted.tokenizer(words[0], add_special_tokens=False)["input_ids"]
    with torch.inference_mode(), adapted.model.disable_adapter():
        logits = adapted.model(input_ids=torch.tensor([ids + said])).logits[0]
    logs = logits.double().log_softmax(-1)[len(ids) - 1 : -1]
    expected = [float(logs[place, token]) for place, token in enumerate(said)]
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=2e-4)
    assert len(found[0]) == len(said) > 3


def test_no_words_and_words_beyond_the_context_are_refused(engine, questions):
    with pytest.raises(ValueError, match="wanted words behind every prompt, got none in row 1"):
        engine.token_logs(questions[:2], [" 4", ""])
    with pytest.raises(ValueError, match="but the model's context is"):
        engine.token_logs(questions[:1], [" 4" * 5000])


def test_the_whole_prompt_is_what_transformers_says(engine, questions):
    """The score of one request, by hand: no padding, no cache, no plan."""
    request = questions[5]
    ids = engine.tokenizer(request.prefix)["input_ids"]
    ids = ids + engine.tokenizer(request.suffix, add_special_tokens=False)["input_ids"]
    choices = [
        engine.tokenizer(c, add_special_tokens=False)["input_ids"][-1] for c in RATING_CHOICES
    ]
    with torch.inference_mode():
        logits = engine.model(input_ids=torch.tensor([ids])).logits[0, -1]
    expected = logits[choices].double().log_softmax(-1).numpy()
    np.testing.assert_allclose(stars(engine, [request])[0], expected, rtol=0, atol=1e-4)


def test_the_cache_is_used_within_a_call_and_across_calls(pocket_folder, questions):
    engine = LocalEngine(pocket_folder)
    stars(engine, questions)
    first = engine.cache_stats
    assert first.misses == 3 + len(questions), "one prefill a person, one a first line"
    stars(engine, questions)
    assert engine.cache_stats.misses == first.misses
    assert engine.cache_stats.hits >= first.hits + 3


def test_a_tiny_cache_and_a_tiny_token_budget_change_no_answer(pocket_folder, engine, questions):
    small = LocalEngine(pocket_folder, cache_bytes=1, token_budget=64)
    np.testing.assert_allclose(stars(small, questions), stars(engine, questions), atol=1e-5)
    assert small.cache_stats.num_bytes == 0


# -- adapters -----------------------------------------------------------------------------------


def test_an_adapter_changes_the_answer_and_the_base_stays_the_base(adapted, engine, questions):
    base, ann, bob = (
        stars(adapted, [r._replace(adapter=name) for r in questions])
        for name in (None, "ann", "bob")
    )
    np.testing.assert_allclose(base, stars(engine, questions), rtol=0, atol=1e-5)
    assert abs(ann - base).max() > 1e-2
    assert abs(bob - base).max() > 1e-2
    assert abs(ann - bob).max() > 1e-2


def test_adapters_in_one_batch_answer_as_they_do_alone(adapted, questions):
    asked = on_adapters(questions)
    alone = np.concatenate([stars(adapted, [r]) for r in asked])
    np.testing.assert_allclose(stars(adapted, asked), alone, rtol=0, atol=1e-5)


def test_one_person_on_two_adapters_shares_no_cached_prefix(pocket_folder, adapter_folders):
    """A prefix computed under another adapter is silently wrong: logits off by 0.8."""
    question = Request("You are one person.", " RATING:")
    orders = []
    for names in (("ann", "bob"), ("bob", "ann")):
        engine = LocalEngine(pocket_folder, adapter_folders)
        orders.append({n: stars(engine, [question._replace(adapter=n)]) for n in names})
    for name in ("ann", "bob"):
        np.testing.assert_allclose(orders[0][name], orders[1][name], rtol=0, atol=1e-6)


# -- the batch ----------------------------------------------------------------------------------


def test_an_answer_is_the_same_alone_and_among_many_in_the_callers_order(engine, questions):
    alone = np.concatenate([stars(engine, [r]) for r in questions])
    np.testing.assert_allclose(stars(engine, questions), alone, rtol=0, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(questions))
    shuffled = stars(engine, [questions[i] for i in order])
    np.testing.assert_allclose(shuffled, alone[order], rtol=0, atol=1e-5)


def test_no_question_is_no_answer(engine):
    assert stars(engine, []).shape == (0, 5)
    assert engine.generate([], Sampling()) == []


def test_choices_may_be_more_or_fewer_than_five(engine, questions):
    five = stars(engine, questions)
    two = engine.score(questions, (" 5", " 1"))
    expected = five[:, [4, 0]] - np.logaddexp(five[:, 4], five[:, 0])[:, None]
    np.testing.assert_allclose(two, expected, atol=1e-5)


# -- generate -----------------------------------------------------------------------------------

FREE = Sampling(max_new_tokens=6, temperature=1.5, top_k=50)


def test_the_same_seed_says_the_same_alone_in_a_batch_and_in_any_order(engine, questions):
    together = engine.generate(questions, FREE)
    assert together == engine.generate(questions, FREE)
    assert together == [engine.generate([r], FREE)[0] for r in questions]
    assert together[::-1] == engine.generate(questions[::-1], FREE)
    assert all(1 <= c.num_tokens <= FREE.max_new_tokens for c in together)


def test_another_seed_says_something_else(engine, questions):
    question = questions[0]
    said = {c.text for c in engine.generate([question._replace(seed=s) for s in range(12)], FREE)}
    assert len(said) > 1


def test_temperature_0_says_the_most_probable_whatever_the_seed(engine, questions):
    greedy = Sampling(max_new_tokens=1, temperature=0.0)
    said = engine.generate(questions, greedy)
    assert said == engine.generate([r._replace(seed=r.seed + 1) for r in questions], greedy)
    ids = engine.tokenizer(questions[0].prefix)["input_ids"]
    ids = ids + engine.tokenizer(questions[0].suffix, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        best = engine.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()
    assert said[0].text == engine.tokenizer.decode([int(best)], skip_special_tokens=True)


def test_draws_follow_the_models_probabilities(engine, questions):
    """Of 300 draws of one token the share of each star is what ``score`` promises, within 4 sd."""
    one = Sampling(max_new_tokens=1, temperature=1.0, top_k=len(engine.tokenizer))
    said = engine.generate([questions[0]._replace(seed=s) for s in range(300)], one)
    counts = np.array([sum(c.text == choice for c in said) for choice in RATING_CHOICES])
    assert counts.sum() >= 100, "the shipped model answers a rating with a star"
    share, chance = counts / counts.sum(), np.exp(stars(engine, [questions[0]])[0])
    assert (abs(share - chance) <= 4 * np.sqrt(chance * (1 - chance) / counts.sum()) + 1e-3).all()


def test_no_limit_of_tokens_is_the_whole_vocabulary(engine, questions):
    every = Sampling(max_new_tokens=2, temperature=1.0, top_k=len(engine.tokenizer))
    assert engine.generate(questions, Sampling(2, 1.0, 0)) == engine.generate(questions, every)


@pytest.mark.parametrize("settings", ["generation_config", "config"])
def test_every_end_token_of_the_model_ends_an_answer(engine, questions, settings, monkeypatch):
    greedy = Sampling(max_new_tokens=6, temperature=0.0)
    [said] = engine.generate(questions[:1], greedy)
    first = engine.tokenizer(said.text, add_special_tokens=False)["input_ids"][0]
    assert said.num_tokens > 1
    ends = [engine.tokenizer.eos_token_id, first]  # as models of chats list a second one
    monkeypatch.setattr(getattr(engine.model, settings), "eos_token_id", ends)
    assert engine.generate(questions[:1], greedy)[0].num_tokens == 1


# -- errors -------------------------------------------------------------------------------------


def test_an_unknown_adapter_is_named_with_those_that_are_loaded(adapted, engine, questions):
    stranger = [questions[0]._replace(adapter="eve")]
    with pytest.raises(KeyError, match=r"no adapter 'eve' is loaded \(loaded: ann, bob\); load it"):
        stars(adapted, stranger)
    with pytest.raises(KeyError, match=r"no adapter 'eve' is loaded \(loaded: none\)"):
        engine.generate(stranger, Sampling())


def test_a_prompt_longer_than_the_context_is_refused_with_the_cure(engine, questions):
    long = questions[0]._replace(prefix="Yes. " * 3000)
    message = r"request 1 has \d+ tokens but the model's context is \d+; recall fewer memories"
    with pytest.raises(ValueError, match=message):
        stars(engine, [questions[0], long])
    with pytest.raises(ValueError, match=message):
        engine.generate([questions[0], long], Sampling())


def test_choices_that_share_a_token_are_refused(engine, questions):
    with pytest.raises(ValueError, match=r"choices must differ in one token, got \[' 1', ' 1'\]"):
        engine.score(questions, (" 1", " 1"))


def test_weights_too_large_to_run_are_noticed_and_the_request_named(copied, questions):
    weights = load_file(copied / "model.safetensors")
    name = next(n for n in weights if n.endswith("norm.weight"))
    weights[name][:] = 3e38
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        FloatingPointError, match=r"not a number for request \d+ .*check the weights"
    ):
        stars(LocalEngine(copied), questions)


def test_a_model_with_pickled_weights_only_is_refused(copied):
    weights = load_file(copied / "model.safetensors")
    torch.save(weights, copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    with pytest.raises(OSError, match="causal model with safetensors weights"):
        LocalEngine(copied)


def test_a_model_that_is_not_there_is_an_error_with_its_name(tmp_path):
    with pytest.raises(OSError, match="nowhere' cannot be loaded: wanted a folder or hub name"):
        LocalEngine(tmp_path / "nowhere")


def test_an_adapter_folder_without_safetensors_is_refused(pocket_folder, copied_adapter):
    (copied_adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"adapter 'ann': wanted .*adapter_model.safetensors"
    ):
        LocalEngine(pocket_folder, {"ann": copied_adapter})


def test_an_adapter_for_another_base_is_refused(pocket_folder, copied_adapter):
    file = copied_adapter / "adapter_model.safetensors"
    wide = {n: torch.zeros(t.shape[0], t.shape[1] + 8) for n, t in load_file(file).items()}
    save_file(wide, file)
    with pytest.raises(ValueError, match="adapter 'ann' does not fit the base model"):
        LocalEngine(pocket_folder, {"ann": copied_adapter})


def test_an_adapter_for_layers_the_base_does_not_have_is_refused(pocket_folder, copied_adapter):
    config = copied_adapter / "adapter_config.json"
    text = json.loads(config.read_text())
    config.write_text(json.dumps({**text, "target_modules": ["c_attn"]}))
    with pytest.raises(ValueError, match="adapter 'ann' does not fit the base model"):
        LocalEngine(pocket_folder, {"ann": copied_adapter})


def test_a_corrupt_adapter_is_refused(pocket_folder, copied_adapter):
    (copied_adapter / "adapter_model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="adapter 'ann'"):
        LocalEngine(pocket_folder, {"ann": copied_adapter})


def test_after_a_refused_adapter_the_engine_goes_on(pocket_folder, copied_adapter, questions):
    engine = LocalEngine(pocket_folder)
    before = stars(engine, questions)
    (copied_adapter / "adapter_model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="adapter 'ann'"):
        engine.load_adapter("ann", copied_adapter)
    assert engine.adapters == ()
    np.testing.assert_allclose(stars(engine, questions), before, rtol=0, atol=1e-5)


# -- real models --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stories260K", "babyllama-105"])
def test_real_tiny_models_load_score_and_speak(name):
    root = os.environ.get("PERSONAREC_DATA")
    if not root or not (Path(root) / "tiny-lms" / name).is_dir():
        pytest.skip(f"real data: set PERSONAREC_DATA to a folder with tiny-lms/{name}")
    folder = Path(root) / "tiny-lms" / name
    engine, twin = LocalEngine(folder), LocalEngine(folder, reuse_prefixes=False)
    asked = [Request("Once upon a time", f" there was {who}. RATING:") for who in ("a cat", "me")]
    scores = stars(engine, asked)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(scores, stars(twin, asked), rtol=0, atol=1e-4)
    (story,) = engine.generate([asked[0]], Sampling(max_new_tokens=12, temperature=0.0))
    assert 1 <= story.num_tokens <= 12
    assert story.text
