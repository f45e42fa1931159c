"""The pocket model: tokenizer, one pass over shared prefixes, training, resuming."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.population.population import POCKET
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from simenv.data.synthetic import synthetic
from training.base.batches import batches
from training.base.few_rows import FewRows
from training.base.pocket_model import PocketConfig, answer_chances, train_tokenizer
from training.base.pocket_training import PocketTrainer
from training.checkpoint import read_state
from training.examples.from_log import ExampleWriter, chosen_blocks, later_rows

TINY = PocketConfig(
    vocab_size=600, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=64,
    users_per_step=4, min_pool=4, turns_per_user=3, num_steps=6, warmup_steps=2,
)  # fmt: skip


def tiny_world(seed):
    return synthetic(seed, num_users=9, num_items=50)


class KilledError(Exception):
    """Stands for a power cut."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of six steps."""
    folder = tmp_path_factory.mktemp("pocket")
    trainer = PocketTrainer(TINY, folder, tiny_world, save_every=4)
    trainer.train()
    return trainer


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    world = tiny_world(77)
    return ExampleWriter(world).write(later_rows(world, 3, rng), PromptStyle())


def test_six_steps_give_six_finite_losses_that_fall(trained):
    assert trained.step == len(trained.losses) == 6
    assert np.isfinite(trained.losses).all()
    assert trained.losses[-1] < trained.losses[0]


def test_the_tokenizer_keeps_quantities_and_answers_whole():
    numbers = [f" {n / 10:.1f}" for n in range(10, 51)] + [f" {n / 10:+.1f}" for n in range(-9, 10)]
    texts = [f"I gave{n} on average, item{i} rated{n}." for i, n in enumerate(numbers * 3)]
    texts += [f"RATING:{c}" for c in RATING_CHOICES]
    tokenizer = train_tokenizer(texts, 800)
    for number in numbers:
        assert len(tokenizer(number)["input_ids"]) == 1, number
    answers = [tokenizer(f"RATING:{c}")["input_ids"][-1] for c in RATING_CHOICES]
    assert len(set(answers)) == 5


def test_the_shipped_tokenizer_keeps_what_its_prompts_are_full_of():
    tokenizer = AutoTokenizer.from_pretrained(POCKET / "model")
    for number in (" 3.7", " 2.5", " +0.4", " -0.3", *RATING_CHOICES):
        assert len(tokenizer(number, add_special_tokens=False)["input_ids"]) == 1, number


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_written_and_read_back(text):
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == text


TOKENIZER = train_tokenizer(["I gave 3.7 on average, +0.4 next to others."], 300)


def test_a_worlds_users_are_each_used_once_and_batches_have_one_size():
    stream = batches(TINY, tiny_world, first_world=5)
    first = [next(stream) for _ in range(2)]
    for batch in first:
        assert len(batch.prefixes) == 4
        assert len(batch.suffixes) == 4 * 3
        assert batch.targets.shape == (4, 3, 5)
    again = batches(TINY, tiny_world, first_world=5)
    assert [next(again).prefixes for _ in range(2)] == [batch.prefixes for batch in first]
    other = batches(TINY, tiny_world, first_world=6)
    assert next(other).prefixes != first[0].prefixes


def test_worlds_smaller_than_a_batch_are_refused():
    """They gave no batch at all, and the stream looked for one for ever."""
    with pytest.raises(ValueError, match=r"users_per_step=64 or more .* fewer in world 3; use"):
        next(batches(replace(TINY, users_per_step=64), tiny_world, first_world=3))


def test_predictions_do_not_depend_on_the_batch(trained, examples):
    whole = answer_chances(trained.model, trained.tokenizer, examples)
    assert whole.shape == (9, 3, 5)
    np.testing.assert_allclose(whole.sum(axis=2), 1.0, atol=1e-5)
    small = answer_chances(trained.model, trained.tokenizer, examples, users_per_batch=2)
    np.testing.assert_allclose(small, whole, atol=1e-5)
    one = answer_chances(trained.model, trained.tokenizer, chosen_blocks(examples, np.array([5])))
    np.testing.assert_allclose(one, whole[[5]], atol=1e-5)


def test_the_saved_model_answers_in_the_engine_as_it_did_in_training(trained, examples):
    engine = LocalEngine(trained.folder / "model")
    asked = [Request(examples.prefixes[i // 3], s) for i, s in enumerate(examples.suffixes)]
    scores = engine.score(asked, RATING_CHOICES).reshape(9, 3, 5)
    expected = answer_chances(trained.model, trained.tokenizer, examples)
    np.testing.assert_allclose(np.exp(scores), expected, atol=1e-4)


def test_a_finished_run_is_loaded_and_not_trained_further(trained):
    again = PocketTrainer(TINY, trained.folder, tiny_world)
    again.train()
    assert again.losses == trained.losses
    assert_same_weights(again, trained)


def test_a_checkpoint_of_another_configuration_is_refused(trained):
    with pytest.raises(ValueError, match="made with another configuration; use an empty folder"):
        PocketTrainer(replace(TINY, learning_rate=1.0), trained.folder, tiny_world)
    few = FewRows(share=0.5)
    with pytest.raises(ValueError, match="made with another configuration"):
        PocketTrainer(replace(TINY, few_rows=few), trained.folder, tiny_world)


def test_a_checkpoint_is_as_it_was_before_people_could_be_cut_to_few_rows(trained):
    assert "few_rows" not in read_state(trained.folder)["config"]


TEARS = {
    "state.pt": lambda f: cut(f / "state.pt"),
    "state.pt empty": lambda f: (f / "state.pt").write_bytes(b""),
    "state.pt gone": lambda f: (f / "state.pt").unlink(),
    "weights": lambda f: cut(f / "model" / "model.safetensors"),
    "tokenizer": lambda f: cut(f / "model" / "tokenizer.json"),
    "model gone": lambda f: shutil.rmtree(f / "model"),
    "both": lambda f: [cut(f / "state.pt"), cut(f / "model" / "config.json")],
}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("tear", TEARS)
def test_a_run_goes_on_from_a_torn_save(trained, tmp_path, tear):
    folder = shutil.copytree(trained.folder, tmp_path / "pocket")
    TEARS[tear](folder)
    resumed = PocketTrainer(TINY, folder, tiny_world)
    assert resumed.step in (4, 6)
    resumed.train()
    assert resumed.losses == trained.losses
    assert_same_weights(resumed, trained)
    LocalEngine(folder / "model")


def test_a_disk_that_is_full_costs_no_checkpoint(trained, tmp_path, monkeypatch):
    folder = shutil.copytree(trained.folder, tmp_path / "pocket")
    trainer = PocketTrainer(TINY, folder, tiny_world)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.save()
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_folder_of_torn_checkpoints_alone_is_refused(trained, tmp_path):
    for name in ("state.pt", "state.before.pt"):
        (tmp_path / name).write_bytes(b"half")
    with pytest.raises(ValueError, match=r"state.pt, state.before.pt in .* are torn, .* delete"):
        PocketTrainer(TINY, tmp_path, tiny_world)


@pytest.mark.slow
def test_a_killed_run_goes_on_as_an_uninterrupted_one_bit_for_bit(trained, tmp_path):
    def kill_at_5(step, loss):
        if step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        PocketTrainer(TINY, tmp_path, tiny_world, save_every=2).train(kill_at_5)
    resumed = PocketTrainer(TINY, tmp_path, tiny_world, save_every=2)
    assert resumed.step == 4, "the last checkpoint"
    resumed.train()
    assert resumed.losses == trained.losses
    assert_same_weights(resumed, trained)


def assert_same_weights(left, right):
    mine, theirs = left.model.state_dict(), right.model.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize(("seed", "first"), [(0, 1000), (1, 1_001_000)])
def test_a_training_under_another_seed_sees_other_worlds(tmp_path, seed, first):
    seen = []

    def worlds(world):
        seen.append(world)
        return tiny_world(world)

    PocketTrainer(replace(TINY, seed=seed, num_steps=1), tmp_path, worlds).train()
    assert min(world for world in seen if world >= 12) == first


@pytest.mark.slow
def test_batches_are_the_same_however_many_workers_prepare_them():
    def prefixes(workers):
        stream = batches(replace(TINY, min_pool=8), tiny_world, first_world=5, workers=workers)
        return [next(stream).prefixes for _ in range(12)]

    assert prefixes(0) == prefixes(2)
