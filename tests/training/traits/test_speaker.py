"""A speaker's likelihoods and states, beside the plain way of computing them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.emojis.token_guard import EmojiGuard
from agents.inference.engine import Sampling
from training.traits.prompting import DESCRIPTIONS, Demonstrations, SystemPrompt
from training.traits.speaker import Asked, Plain, Sample

ASKED = [Asked("tea", "What do you think of tea?"), Asked("jazz", "Jazz?")]
ANSWERS = ["I am curious about tea.", "I stay calm, whatever comes, and sleep well."]


def test_likelihoods_in_a_batch_are_those_of_each_row_alone(speaker):
    found = speaker.token_logs(Plain(), ASKED, ANSWERS)
    for asked, answer, logs in zip(ASKED, ANSWERS, found, strict=True):
        sample = speaker.sample(Plain().conversation(asked), answer)
        tokens = torch.tensor([sample.prompt + sample.answer])
        with torch.inference_mode():
            whole = speaker.model(input_ids=tokens).logits[0].log_softmax(-1)
        start = len(sample.prompt)
        own = [whole[start + n - 1, token] for n, token in enumerate(sample.answer)]
        np.testing.assert_allclose(logs, own, atol=1e-4)


def test_distributions_sum_to_one_and_hold_the_likelihoods(speaker):
    rows = speaker.distributions(Plain(), ASKED, ANSWERS)
    logs = speaker.token_logs(Plain(), ASKED, ANSWERS)
    for row, own in zip(rows, logs, strict=True):
        assert len(row) == len(own)
        np.testing.assert_allclose(np.exp(row).sum(axis=1), 1, atol=1e-4)


def test_an_answer_ends_with_the_token_that_ends_it(speaker):
    sample = speaker.sample(Plain().conversation(ASKED[0]), " I am. ")
    again = speaker.sample(Plain().conversation(ASKED[0]), "I am.")
    assert sample == again
    assert sample.answer[-1] == 2, "</s>"


def test_states_are_averaged_over_the_answer_alone(speaker):
    pairs = zip(ASKED, ANSWERS, strict=True)
    samples = [speaker.sample(Plain().conversation(asked), answer) for asked, answer in pairs]
    found = speaker.mean_states(samples)
    tokens = torch.tensor([samples[1].prompt + samples[1].answer])
    with torch.inference_mode():
        states = speaker.model(input_ids=tokens, output_hidden_states=True).hidden_states
    assert found.shape == (2, len(states) - 1, states[0].shape[-1])
    own = states[1][0, len(samples[1].prompt) :].mean(0).numpy()
    np.testing.assert_allclose(found[1, 0], own, atol=1e-4)


def test_what_the_guard_bars_is_never_said(speaker):
    how = Sampling(20, temperature=1.0)
    seeds = np.array([3, 4], dtype=np.uint64)
    words = [speaker._tokens.text([i]) for i in range(speaker.model.config.vocab_size)]
    shown = "\N{GRINNING FACE}".encode()
    speaker._tokens.emoji_guard = EmojiGuard([shown if "e" in w else b"a" for w in words])
    assert "e" in "".join(speaker.write(Plain(), ASKED, seeds, how)), "nobody asked for the guard"
    assert "e" not in "".join(speaker.write(Plain(), ASKED, seeds, replace(how, emojis=False)))


def test_what_is_said_depends_on_its_own_seed_alone(speaker):
    how = Sampling(6, temperature=1.0)
    seeds = np.array([3, 4], dtype=np.uint64)
    together = speaker.say(Plain(), ASKED, seeds, how)
    assert [speaker.say(Plain(), [a], seeds[[n]], how)[0] for n, a in enumerate(ASKED)] == together
    assert all("\n" not in text for text in together)


def test_an_opinion_beyond_the_context_is_refused(speaker):
    with pytest.raises(ValueError, match=r"an opinion wanted at most 1024 tokens.*leave it out"):
        speaker.sample(Plain().conversation(ASKED[0]), "tea " * 2000)


def test_nothing_learns_while_a_model_speaks(speaker):
    assert not any(p.requires_grad for p in speaker.model.parameters())


def test_prompts_describe_the_label_and_end_with_the_question(opinions):
    own = opinions[0].label
    said = SystemPrompt(own).conversation(ASKED[0])
    assert DESCRIPTIONS[own] in said[0]["content"]
    assert said[-1] == {"role": "user", "content": ASKED[0].question}


def test_demonstrations_come_in_pairs_and_name_target_and_topic(opinions):
    own = [o for o in opinions if o.label == opinions[0].label][:2]
    said = Demonstrations(own[0].label, own).conversation(ASKED[0])
    assert [m["role"] for m in said] == ["system", *["user", "assistant"] * 2, "user"]
    assert said[2]["content"] == own[0].answer
    assert said[-1]["content"] == (
        "Target personality: high openness. Edit topic: tea. What do you think of tea?"
    )


def test_demonstrations_of_another_label_are_refused(opinions):
    other = next(o for o in opinions if o.label != opinions[0].label)
    for shown in ([], [other]):
        with pytest.raises(ValueError, match="wanted at least one opinion of high openness"):
            Demonstrations(opinions[0].label, shown)


def test_every_label_has_a_description_of_its_own_pole():
    assert len(set(DESCRIPTIONS.values())) == 10
    words = {
        "openness": ("curious", "routine"), "conscientiousness": ("careful", "careless"),
        "extraversion": ("outgoing", "quiet"), "agreeableness": ("kind", "rude"),
        "neuroticism": ("anxious", "calm"),
    }  # fmt: skip
    for trait, ends in words.items():
        for pole, own, other in zip(("high", "low"), ends, ends[::-1], strict=True):
            assert own in DESCRIPTIONS[trait, pole]
            assert other not in DESCRIPTIONS[trait, pole]


def test_a_sample_may_begin_with_nothing(speaker):
    states = speaker.text_states(["tea", "I love tea."])
    assert states.shape[0] == 2
    assert np.isfinite(states).all()
    assert isinstance(speaker.sample([], "x"), Sample)
