"""Adapters learn as the engine asks, in whole prompts and in blocks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.inference.engine import Request
from agents.inference.local.loading import load_model
from agents.inference.local.local_engine import LocalEngine
from agents.persona_users import PersonaUsers
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from simenv.data.dataset import Dataset
from simenv.data.worlds.reading_world import reading_world
from training.adapters.facets import train_facets
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import LoraPreset
from training.adapters.turns import turns_of
from training.base.pocket_model import PocketConfig
from training.base.pocket_training import PocketTrainer
from training.examples.from_log import Examples, chosen_blocks
from training.examples.raft import RaftSettings, raft_set
from training.populate import population_on

STYLE = PromptStyle(told="words", summary_words=20, cast=2, reading="blocks")
PRESET = LoraPreset(
    ("q_proj", "v_proj"), 2, 4, dropout=0.0, learning_rate=0.01, epochs=1, blocks_per_step=4
)


def small_world(seed: int) -> Dataset:
    return reading_world(seed, num_users=16, num_items=60)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = replace(PocketConfig.tiny(), style=STYLE, users_per_step=8, num_key_heads=1)
    folder = tmp_path_factory.mktemp("base")
    PocketTrainer(config, folder, small_world).train()
    return folder / "model"


@pytest.fixture(scope="module")
def examples() -> Examples:
    return raft_set(small_world(3), STYLE, RaftSettings(cuts=(0.5,), turns=3)).examples


def test_the_key_of_a_training_holds_what_is_read(base: Path, examples: Examples) -> None:
    key = training_key(base, examples, PRESET, 0)
    other = examples._replace(items=[*examples.items[:-1], "another"])
    fewer = examples._replace(pasts=[*examples.pasts[:-1], ()])
    assert (
        len({key, training_key(base, other, PRESET, 0), training_key(base, fewer, PRESET, 0)}) == 3
    )


def test_questions_to_some_people_are_those_of_all(base: Path, examples: Examples) -> None:
    tokenizer, model = load_model(base, torch.device("cpu"), "float32")
    turns = turns_of(examples, tokenizer, model)
    rows = [5, 2, 7]
    with torch.no_grad():
        some = turns.logits(model, turns.collate(rows))
        own = turns_of(chosen_blocks(examples, np.array(rows)), tokenizer, model)
        alone = own.logits(model, own.collate([0, 1, 2]))
    torch.testing.assert_close(some, alone, atol=1e-5, rtol=1e-4)


def test_a_training_reads_what_the_engine_reads_and_no_memory_of_the_item_asked_about(
    base: Path, examples: Examples
) -> None:
    person = next(i for i, past in enumerate(examples.pasts) if len(past) > 1)
    one = chosen_blocks(examples, np.array([person]))
    one = one._replace(items=[one.pasts[0][0].item, *one.items[1:]])
    fewer = one._replace(pasts=[one.pasts[0][1:]])
    tokenizer, model = load_model(base, torch.device("cpu"), "float32")

    def logs(told: Examples) -> torch.Tensor:
        turns = turns_of(told, tokenizer, model)
        with torch.no_grad():
            return turns.logits(model, turns.collate([0]))[:, turns.answers].log_softmax(-1)

    torch.testing.assert_close(logs(one)[0], logs(fewer)[0], atol=1e-5, rtol=1e-4)
    assert (logs(one)[1] - logs(fewer)[1]).abs().max() > 0
    asked = [
        Request(one.prefixes[0], cue, None, 0, item, one.pasts[0])
        for cue, item in zip(one.suffixes, one.items, strict=True)
    ]
    answers = LocalEngine(base).score(asked, RATING_CHOICES)
    np.testing.assert_allclose(logs(one).numpy(), answers, atol=1e-4)


def test_an_adapter_answers_as_it_was_trained(base: Path, tmp_path: Path) -> None:
    world = small_world(4)
    examples = raft_set(world, STYLE, RaftSettings(cuts=(0.5,), turns=3)).examples
    card = train_lora(base, examples, PRESET, tmp_path / "ann", device="cpu")
    assert card["steps"] == -(-len(examples.prefixes) // PRESET.blocks_per_step)
    people = population_on(world, str(base), STYLE)
    personas = [replace(p, adapter="ann") for p in people.personas]
    adapted = replace(people, personas=personas, adapters={"ann": str(tmp_path / "ann")})
    users, items = np.arange(6), np.arange(12).reshape(6, 2)
    plain = PersonaUsers(people, LocalEngine(base)).probabilities(users, items)
    engine = LocalEngine(base, adapted.adapters)
    told = PersonaUsers(adapted, engine).probabilities(users, items)
    beside = LocalEngine(base, adapted.adapters, adapter_mode="switch")
    again = PersonaUsers(adapted, beside).probabilities(users, items)
    np.testing.assert_allclose(told, again, atol=1e-5)
    assert np.abs(told - plain).max() > 0


def test_facets_are_mixed_for_each_person(base: Path, examples: Examples, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(len(examples.prefixes), 3))
    facets = train_facets(
        base, examples, vectors, PRESET, tmp_path / "facets", num_facets=2, device="cpu"
    )
    engine = LocalEngine(base, {"facets": str(tmp_path / "facets")})
    people = population_on(small_world(3), str(base), STYLE)
    gates = facets.gate(np.random.default_rng(1).normal(size=(len(people.personas), 3)))
    personas = [
        replace(p, adapter="facets", gate=tuple(gate))
        for p, gate in zip(people.personas, gates.tolist(), strict=True)
    ]
    mixed = PersonaUsers(
        replace(people, personas=personas, adapters={"facets": str(tmp_path / "facets")}), engine
    )
    users, items = np.arange(5), np.arange(10).reshape(5, 2)
    together = mixed.probabilities(users, items)
    alone = np.concatenate(
        [mixed.probabilities(users[i : i + 1], items[i : i + 1]) for i in range(5)]
    )
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_examples_told_otherwise_than_the_base_reads_are_refused(base: Path) -> None:
    whole = raft_set(
        small_world(3), replace(STYLE, reading="whole"), RaftSettings(cuts=(0.5,), turns=3)
    ).examples
    tokenizer, model = load_model(base, torch.device("cpu"), "float32")
    with pytest.raises(ValueError, match=r"reading='blocks', got reading='whole'"):
        turns_of(whole, tokenizer, model)
