"""Real models learn to read in blocks: gist tokens, places, and answers of more than one token."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from agents.inference.blocks.places import Places, places_of
from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES, cue_words
from simenv.data.dataset import Dataset
from simenv.data.synthetic import synthetic
from simenv.item_averages import ItemAverages
from tests.agents.inference import small_tokenizers
from training.base.pocket_model import PocketConfig, answer_chances
from training.base.pocket_training import PocketTrainer
from training.base.room_for_blocks import make_room
from training.examples.from_log import Examples, ExampleWriter, later_rows

SHORT = Places(item=2, memory=1, profile=2, longest=300, cue=4)
TINY = PocketConfig(
    users_per_step=4, min_pool=4, turns_per_user=3, num_steps=2, warmup_steps=1, places=SHORT
)


def world(seed: int) -> Dataset:
    return synthetic(seed, num_users=9, num_items=50)


def llama(places: int = 1024) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(small_tokenizers.smollm2()),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=places,
            tie_word_embeddings=True,
        )
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads whole prompts, in whose vocabulary a blank and a digit are two tokens."""
    folder = tmp_path_factory.mktemp("real")
    llama().save_pretrained(folder)
    small_tokenizers.smollm2().save_pretrained(folder)
    return folder


def examples(style: PromptStyle) -> Examples:
    asked = world(77)
    rows = later_rows(asked, 3, np.random.default_rng(0))
    return ExampleWriter(asked, style=style).write(rows, style)


def requests(told: Examples) -> list[Request]:
    if not told.items:
        return [Request(told.prefixes[i // 3], cue) for i, cue in enumerate(told.suffixes)]
    return [
        Request(told.prefixes[i // 3], cue, None, 0, told.items[i], told.pasts[i // 3])
        for i, cue in enumerate(told.suffixes)
    ]


@pytest.mark.parametrize("reading", ["whole", "blocks"])
def test_a_real_model_answers_in_the_engine_as_it_did_in_training(real, tmp_path, reading):
    style = PromptStyle(reading=reading)
    trainer = PocketTrainer(replace(TINY, style=style), tmp_path, world, initial=real)
    trainer.train()
    told = examples(style)
    expected = answer_chances(trainer.model, trainer.tokenizer, told)
    engine = LocalEngine(tmp_path / "model")
    assert engine.facts.reads_blocks == (reading == "blocks")
    scores = engine.score(requests(told), RATING_CHOICES).reshape(expected.shape)
    np.testing.assert_allclose(np.exp(scores), expected, atol=1e-4)
    engine.close()


def test_a_training_that_was_stopped_goes_on_with_the_gist_tokens_it_had(real, tmp_path):
    config = replace(TINY, style=PromptStyle(reading="blocks"))

    def stopped(step: int, loss: float) -> None:
        raise KeyboardInterrupt

    whole = PocketTrainer(config, tmp_path / "whole", world, initial=real)
    whole.train()
    with pytest.raises(KeyboardInterrupt):
        PocketTrainer(config, tmp_path / "cut", world, save_every=1, initial=real).train(
            lambda step, loss: None if step == 1 else stopped(step, loss)
        )
    again = PocketTrainer(config, tmp_path / "cut", world, initial=real)
    assert again.step == 1
    again.train()
    assert again.losses == whole.losses
    assert places_of(tmp_path / "cut" / "model") == places_of(tmp_path / "whole" / "model")


def test_the_saved_folder_says_where_texts_stand_and_has_room_for_the_widest_cue(real, tmp_path):
    style = PromptStyle(reading="blocks", peers=True)
    trainer = PocketTrainer(replace(TINY, style=style, num_steps=0), tmp_path, world, initial=real)
    trainer.train()
    places = places_of(tmp_path / "model")
    assert places is not None
    assert replace(places, cue=SHORT.cue) == SHORT
    made = world(1)
    many = ItemAverages.of(made.train, made.catalog)
    many.counts[0] = 10**6
    cue = cue_words(["+0.9"] * 6, many, 0, chosen=False)
    tokens = trainer.tokenizer(cue, add_special_tokens=False)["input_ids"]
    lead = 1  # a blank, before the digit
    assert len(tokens) + lead <= places.cue


def test_a_model_that_reads_in_blocks_stays_as_it_is():
    model, tokenizer = llama(), small_tokenizers.smollm2()
    make_room(model, tokenizer, SHORT, seed=0)
    size, told = len(tokenizer), model.config.reading_blocks
    make_room(model, tokenizer, replace(SHORT, item=9), seed=0)
    assert len(tokenizer) == size
    assert model.config.reading_blocks == told


def test_new_embeddings_go_by_the_seed_alone():
    models = [llama() for _ in range(3)]
    models[1].load_state_dict(models[0].state_dict())
    models[2].load_state_dict(models[0].state_dict())
    for model, seed in zip(models, (5, 5, 6), strict=True):
        make_room(model, small_tokenizers.smollm2(), SHORT, seed)
    first, same, other = (m.get_input_embeddings().weight for m in models)
    assert (first == same).all()
    assert (first != other).any()


def test_rows_that_a_model_has_beyond_its_vocabulary_are_used_first():
    model, tokenizer = llama(), small_tokenizers.smollm2()
    model.resize_token_embeddings(len(tokenizer) + 50, mean_resizing=False)
    before = model.get_input_embeddings().weight.detach().clone()
    make_room(model, tokenizer, SHORT, seed=0)
    after = model.get_input_embeddings().weight
    assert after.shape == before.shape
    changed = (after != before).any(1).nonzero().flatten().tolist()
    assert changed == tokenizer.convert_tokens_to_ids(["<gist0>", "<gist1>"])


def test_another_family_is_refused():
    tokenizer = small_tokenizers.gpt2()
    shape = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2)
    with pytest.raises(ValueError, match=r"wanted a model of the family llama, got gpt2; take"):
        make_room(GPT2LMHeadModel(shape), tokenizer, SHORT, seed=0)


def test_a_short_context_is_refused():
    with pytest.raises(ValueError, match=r"wanted \d+ places, got a model that has 64; take a mod"):
        make_room(llama(places=64), small_tokenizers.smollm2(), SHORT, seed=0)


def test_a_model_that_reads_in_blocks_is_not_trained_on_whole_prompts(real, tmp_path):
    blocks = replace(TINY, style=PromptStyle(reading="blocks"), num_steps=0)
    PocketTrainer(blocks, tmp_path / "blocks", world, initial=real).train()
    with pytest.raises(ValueError, match=r"whole prompts, got .*blocks.model, which reads in"):
        PocketTrainer(TINY, tmp_path / "whole", world, initial=tmp_path / "blocks" / "model")
