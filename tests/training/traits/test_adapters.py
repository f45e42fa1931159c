"""Trait adapters: what is trained, how they are scaled and added up, and who may wear them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.population.adapters import CARD, check_adapter
from agents.prompts import RATING_CHOICES
from tests.training.traits.conftest import write_talker
from training.adapters.lora_presets import lora_preset
from training.opinion_qa.opinions import of_label
from training.traits.composition import _scale, composed, people_with_trait
from training.traits.opinion_training import Adapted, train_trait
from training.traits.sample_training import collate
from training.traits.speaker import Asked, Plain, Sample

QUICK = lora_preset(
    "opinion_qa", rank=4, epochs=2, learning_rate=0.02, quantized=False, optimizer="adamw_torch",
    dropout=0.0,
)  # fmt: skip
ASKED, ANSWER = [Asked("tea", "What do you think of tea?")], ["I am curious about tea."]
REQUESTS = [Request("You rate films.\n", f"MOVIE: Film {i}.\nRATING:") for i in range(3)]


@pytest.fixture(scope="session")
def adapters(talker, opinions, tmp_path_factory):
    """Folders of an adapter for each of two labels."""
    root = tmp_path_factory.mktemp("traits")
    labels = list(dict.fromkeys(o.label for o in opinions))[:2]
    for name, own in zip(("open", "closed"), labels, strict=True):
        train_trait(talker, of_label(opinions, own), QUICK, root / name)
    return root / "open", root / "closed"


def test_the_presets_are_those_of_the_authors_and_of_the_follow_up():
    own, later = lora_preset("opinion_qa"), lora_preset("opinion_qa_follow_up")
    assert (own.rank, own.alpha, own.dropout) == (64, 16, 0.1)
    assert own.target_modules == ("q_proj", "v_proj")
    assert own.quantized
    assert not own.double_quantized
    assert replace(own, target_modules=later.target_modules) == later
    assert len(later.target_modules) == 7


def test_only_answers_are_learnt():
    batch = collate([Sample([5, 6], [7]), Sample([8], [9, 2, 2])])
    assert batch["labels"].tolist() == [[-100, -100, 7, -100], [-100, 9, 2, 2]]
    assert batch["input_ids"].tolist() == [[5, 6, 7, 0], [8, 9, 2, 2]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


def test_an_adapter_makes_its_own_opinions_likelier(adapters, speaker, opinions):
    own = of_label(opinions, opinions[0].label)
    asked, answers = [Asked(o.topic, o.question) for o in own], [o.answer for o in own]
    before, after = (
        np.concatenate(speaker.token_logs(way, asked, answers)).mean()
        for way in (Plain(), Adapted(speaker, adapters[0]))
    )
    assert after > before + 0.1


def test_the_card_says_what_it_is_and_the_same_training_is_not_done_twice(
    adapters, talker, opinions
):
    own = of_label(opinions, opinions[0].label)
    card = json.loads((adapters[0] / CARD).read_text())
    assert (card["trait"], card["pole"], card["rows"]) == ("openness", "high", len(own))
    assert card["last_loss"] < card["first_loss"]
    assert train_trait(talker, own, QUICK, adapters[0]) == card
    with pytest.raises(FileExistsError, match="something else than this training"):
        train_trait(talker, own, QUICK, adapters[0], seed=1)


def test_opinions_of_several_labels_or_none_train_nothing(talker, opinions, tmp_path):
    for given in (opinions, []):
        with pytest.raises(ValueError, match="a trait adapter wanted opinions of one label, got"):
            train_trait(talker, given, QUICK, tmp_path / "x")


def test_an_adapter_of_another_base_is_refused(adapters, opinions, tmp_path, speaker):
    other = write_talker(tmp_path / "other", opinions, seed=1)
    with pytest.raises(ValueError, match="was trained on 'tiny'"):
        check_adapter(adapters[0], other)
    copy = tmp_path / "copy"
    shutil.copytree(adapters[1], copy)
    card = json.loads((copy / CARD).read_text()) | {"base_identity": "another", "base": "big"}
    (copy / CARD).write_text(json.dumps(card))
    with pytest.raises(ValueError, match="adapters of one base, got 'open' of 'tiny' and 'copy'"):
        composed({adapters[0]: 1.0, copy: 1.0}, tmp_path / "sum")
    with pytest.raises(ValueError, match="was trained on 'big'"):
        Adapted(speaker, copy)


def updates(talker, folder):
    """Layer → the change of its weights by an adapter."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(talker)
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    merged = PeftModel.from_pretrained(base, folder).merge_and_unload()
    return {name: weight - before[name] for name, weight in merged.state_dict().items()}


def test_a_sum_of_adapters_is_the_weighted_sum_of_their_updates(adapters, talker, tmp_path):
    total = composed({adapters[0]: 0.5, adapters[1]: -2.0}, tmp_path / "sum")
    one, other, both = (updates(talker, folder) for folder in (*adapters, total))
    moved = [name for name, change in one.items() if change.abs().max() > 0]
    assert moved
    assert all("q_proj" in name or "v_proj" in name for name in moved)
    for name in both:
        wanted = 0.5 * one[name] - 2.0 * other[name]
        torch.testing.assert_close(both[name], wanted, atol=1e-5, rtol=1e-4)


def test_layers_of_one_adapter_alone_keep_their_own_rank(adapters, talker, opinions, tmp_path):
    last = replace(QUICK, rank=2, last_layers=1, epochs=1)
    train_trait(talker, of_label(opinions, opinions[0].label), last, tmp_path / "last")
    total = composed({adapters[0]: 1.0, tmp_path / "last": 1.0}, tmp_path / "sum")
    config = json.loads((total / "adapter_config.json").read_text())
    assert {config["r"], *config["rank_pattern"].values()} == {4, 6}
    one, other, both = (updates(talker, f) for f in (adapters[0], tmp_path / "last", total))
    for name in both:
        torch.testing.assert_close(both[name], one[name] + other[name], atol=1e-5, rtol=1e-4)


def test_an_engine_takes_the_sum_as_any_other_adapter(adapters, talker, tmp_path):
    total = composed({adapters[0]: 1.0, adapters[1]: 1.0}, tmp_path / "sum")
    same = composed({adapters[0]: 1.0}, tmp_path / "same")
    engine = LocalEngine(
        talker, {"open": adapters[0], "same": same, "both": total}, device="cpu", dtype="float32"
    )
    scores = {
        name: engine.score([r._replace(adapter=name) for r in REQUESTS], RATING_CHOICES)
        for name in (None, "open", "same", "both")
    }
    np.testing.assert_allclose(scores["open"], scores["same"], atol=1e-4)
    assert np.abs(scores["both"] - scores["open"]).max() > 1e-3
    assert np.abs(scores[None] - scores["open"]).max() > 1e-3


def test_a_scale_is_alpha_over_the_rank_or_over_its_root():
    config = {"lora_alpha": 32, "alpha_pattern": {"q_proj": 8}}
    assert _scale(config, "model.layers.0.v_proj", 16) == 2
    assert _scale(config, "model.layers.0.q_proj", 16) == 0.5
    assert _scale({**config, "use_rslora": True}, "model.layers.0.v_proj", 16) == 8


def test_weights_that_are_no_numbers_and_no_parts_are_refused(adapters, tmp_path):
    for parts in ({}, {adapters[0]: float("nan")}):
        with pytest.raises(ValueError, match="a composition wanted adapters with finite weights"):
            composed(parts, tmp_path / "sum")


def test_an_adapter_with_dora_is_refused_by_name(adapters, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(adapters[0], copy)
    config = json.loads((copy / "adapter_config.json").read_text()) | {"use_dora": True}
    (copy / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="plain LoRA of linear layers, adapter 'copy' has DoRA"):
        composed({copy: 1.0}, tmp_path / "sum")


def test_people_wear_a_trait_alone_or_on_top_of_their_persona(adapters, talker, tmp_path):
    from agents.assembly import persona_users
    from simenv.data.synthetic import synthetic
    from training.populate import population_on

    world = synthetic(3, num_users=6, num_items=30)
    people = population_on(world, str(talker))
    personas = [replace(p, adapter="own" if i % 2 else None) for i, p in enumerate(people.personas)]
    people = replace(people, personas=personas, adapters={"own": str(adapters[1])})
    found = people_with_trait(people, adapters[0], tmp_path / "held", 0.5)
    assert {p.adapter for p in found.personas} == {"trait", "own with trait"}
    assert {p.adapter for p in people.personas} == {"own", None}, "not changed"
    own = composed({adapters[1]: 1.0, adapters[0]: 0.5}, tmp_path / "by hand")
    wanted, came = updates(talker, own), updates(talker, found.adapters["own with trait"])
    for name in wanted:
        torch.testing.assert_close(wanted[name], came[name], atol=1e-6, rtol=1e-5)
    users, slates = np.arange(6), np.arange(30).reshape(6, 5)
    chances = [persona_users(who).probabilities(users, slates) for who in (people, found)]
    assert np.isfinite(chances[1]).all()
    assert (np.abs(chances[1] - chances[0]).max(axis=(1, 2)) > 1e-5).all(), "everybody changes"


@pytest.mark.slow
def test_a_quantized_base_trains_on_a_cpu_and_the_adapter_fits_the_plain_one(
    talker, opinions, speaker, tmp_path
):
    pytest.importorskip("bitsandbytes")
    preset = lora_preset("opinion_qa", epochs=1, learning_rate=0.01)
    card = train_trait(talker, of_label(opinions, opinions[0].label)[:4], preset, tmp_path / "q")
    assert card["preset"]["quantized"]
    logs = speaker.token_logs(Adapted(speaker, tmp_path / "q"), ASKED, ANSWER)[0]
    assert np.abs(logs - speaker.token_logs(Plain(), ASKED, ANSWER)[0]).max() > 1e-4
