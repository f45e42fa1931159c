"""Facets: trained jointly, gated by what the prompt does not hold, whole after a kill."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from agents.inference.engine import Request
from agents.inference.facets.mixtures import mixture_name
from agents.inference.local.local_engine import LocalEngine
from agents.population.adapters import WEIGHTS
from agents.prompts import RATING_CHOICES
from training.adapters.facet_trainer import FacetTrainer, _first_gate, _orders
from training.adapters.facets import train_facets, wide
from training.adapters.lora import train_lora
from training.adapters.lora_presets import lora_preset

PRESET = lora_preset("small", rank=2, epochs=6, blocks_per_step=2, dropout=0.1)
VECTORS = np.random.default_rng(0).normal(size=(8, 3))


def trained(tiny_base, blocks, folder, **how):
    settings = {"preset": PRESET, "num_facets": 2, **how}
    return train_facets(tiny_base, blocks, VECTORS, folder=folder, **settings)


@pytest.fixture(scope="module")
def folder(tiny_base, blocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "facets"
    trained(tiny_base, blocks, folder)
    return folder


def test_the_folder_is_one_adapter_of_all_ranks_with_its_gate_and_card(tiny_base, blocks, folder):
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 64)
    card = json.loads((folder / "adapter_card.json").read_text())
    assert card["facets"] == 2
    assert sum(card["groups"]) == 8
    assert card["last_loss"] < card["first_loss"]
    assert {n: t.shape for n, t in load_file(folder / "gate.safetensors").items()} == {
        "weight": (2, 3),
        "bias": (2,),
    }
    again = trained(tiny_base, blocks, folder)
    assert again.card == card, "found, not trained again"


def test_the_loss_that_is_trained_is_of_what_an_engine_answers(tiny_base, blocks, tmp_path):
    """A step's loss, by hand: the engine's answers under each block's mixture."""
    from training.adapters.facets import _trainer
    from training.adapters.lora import training_facts, write_adapter

    preset = lora_preset("small", rank=2, whole_vocabulary=False)
    groups, centres = np.arange(8) % 2, np.array([[1.0, 0.0, 0.0], [-1.0, 0.5, 0.0]])
    trainer = _trainer(
        tiny_base, blocks, VECTORS, groups, centres, preset, tmp_path / "work",
        torch.device("cpu"), key="", seed=0, save_every=100,
    )  # fmt: skip
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in trainer._trained.values():
            parameter.normal_(0, 0.3)
    gate = trainer.gate
    write_adapter(
        trainer.model, training_facts(tiny_base, blocks, preset, 0), tmp_path / "one", gate
    )
    asked = on_mixtures(blocks, gate(VECTORS))
    engine = LocalEngine(tiny_base, {"facets": tmp_path / "one"})
    costs = -(blocks.targets.reshape(-1, 5) * engine.score(asked, RATING_CHOICES)).sum(-1)
    weights = blocks.weights.reshape(-1)
    expected = (weights * costs).sum() / weights.sum()
    trainer.model.train()
    assert trainer._update(np.arange(8)) == pytest.approx(expected, abs=1e-5)


def on_mixtures(blocks, gates):
    turns = blocks.targets.shape[1]
    return [
        Request(blocks.prefixes[i // turns], suffix, mixture_name("facets", gates[i // turns]))
        for i, suffix in enumerate(blocks.suffixes)
    ]


def test_a_stopped_training_ends_as_an_uninterrupted_one(tiny_base, blocks, folder, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(step, loss):
        if step == 11:
            raise StoppedError

    with pytest.raises(StoppedError):
        trained(tiny_base, blocks, tmp_path / "cut", on_step=stop, save_every=4)
    assert [p.name.split(".")[-1] for p in tmp_path.iterdir()] == ["training"]
    seen = []
    trained(
        tiny_base, blocks, tmp_path / "cut", on_step=lambda step, _: seen.append(step), save_every=4
    )
    assert seen[0] == 9, "from the checkpoint after step 8"
    for name in (WEIGHTS, "gate.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (folder / name).read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["cut"]


def test_another_training_does_not_pass_for_this_one(tiny_base, blocks, folder):
    with pytest.raises(FileExistsError, match="holds something else"):
        trained(tiny_base, blocks, folder, num_facets=3)


def test_small_groups_take_turns_with_large_ones():
    groups = np.array([0] * 9 + [1])
    drawn = np.concatenate(list(_orders(groups, PRESET, np.random.default_rng(0))))
    assert len(drawn) == 6 * 10
    assert (groups[drawn] == 1).sum() == 30, "every second block is the small group's"
    assert set(drawn[groups[drawn] == 0].tolist()) == set(range(9)), "and nobody is left out"


def test_wide_is_of_the_size_of_all_facets():
    assert (wide(PRESET, 6).rank, wide(PRESET, 6).alpha) == (12, 192)


def test_facets_are_not_trained_further_as_an_ordinary_adapter(tiny_base, blocks, folder, tmp_path):
    with pytest.raises(ValueError, match="with facets, whose gate would be lost"):
        train_lora(tiny_base, blocks, PRESET, tmp_path / "further", start=folder)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"num_facets": 1}, "num_facets"),
        ({"num_facets": 9}, "K from 1 to the number of different vectors, 8"),
        ({"preset": lora_preset("qlora")}, "full number formats with AdamW"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(tiny_base, blocks, tmp_path, how, text):
    with pytest.raises(ValueError, match=text):
        trained(tiny_base, blocks, tmp_path / "none", **how)
    assert not list(tmp_path.iterdir())


def test_a_block_without_a_vector_is_refused(tiny_base, blocks, tmp_path):
    with pytest.raises(ValueError, match=r"a vector for each of 8 blocks, got \(7, 3"):
        train_facets(tiny_base, blocks, VECTORS[:7], PRESET, tmp_path / "none")


def test_the_gate_takes_vectors_as_they_come(folder):
    """Scaling is folded into its numbers: a shift and a stretch of all vectors change nothing."""
    torch.manual_seed(0)
    base = FacetTrainer.__new__(FacetTrainer)
    from training.adapters.facet_trainer import _Scale

    base._scale = _Scale.of(VECTORS)
    base._gate = torch.nn.Linear(3, 2)
    scaled = torch.as_tensor(base._scale.of_vectors(VECTORS), dtype=torch.float32)
    expected = base._gate(scaled).softmax(-1).detach().numpy()
    np.testing.assert_allclose(base.gate(VECTORS), expected, atol=1e-5)


def test_the_first_gate_prefers_the_facet_of_the_nearest_centre():
    """Differences of squared distances, in quarters of what people are from their own centre."""
    centres = np.array([[0.0, 0.0], [4.0, 0.0]])
    people = np.array([[1.0, 0.0], [4.0, 1.0]])  # 1 from the nearest centre, both
    with torch.no_grad():
        logits = _first_gate(people, centres)(torch.as_tensor(people, dtype=torch.float32)).numpy()
    unit = 1 / 4.0
    assert logits[0, 0] - logits[0, 1] == pytest.approx((9 - 1) / unit)
    assert logits[1, 1] - logits[1, 0] == pytest.approx((17 - 1) / unit)
