"""Neurons behind emojis in a tiny Llama, one of which is made to write them."""

import numpy as np
import pytest
import torch

from agents.emojis.neurons import (
    Ablation,
    ablate,
    down_projection,
    emoji_mass,
    mean_activations,
    most_changed,
    silenced,
)
from agents.emojis.token_guard import EmojiGuard
from tests.agents.inference.local.tiny_models import VOCABULARY, tiny_model

EMOJI, NEURON = 5, 11
PIECES = ["\U0001f60a".encode() if i == EMOJI else b"a" for i in range(VOCABULARY)]
ROWS = [[3, 9, 20, 7], [8, 8, 30], [40, 41, 42, 43, 44]]


@pytest.fixture(scope="module")
def guard():
    return EmojiGuard(PIECES)


@pytest.fixture(scope="module")
def model():
    """A Llama whose neuron 11 of the last layer writes the emoji, and is always on."""
    torch.manual_seed(0)
    model = tiny_model("llama").eval()
    layer = model.model.layers[-1].mlp
    with torch.no_grad():
        direction = model.lm_head.weight[EMOJI] / model.lm_head.weight[EMOJI].norm()
        layer.down_proj.weight[:, NEURON] = 50 * direction
        model.lm_head.weight[EMOJI] = direction
        layer.gate_proj.weight[NEURON], layer.up_proj.weight[NEURON] = 0.5, 0.5
    return model


def test_activations_are_those_of_each_text_alone(model):
    together = mean_activations(model, ROWS)
    alone = np.mean([mean_activations(model, [row]) for row in ROWS], axis=0)
    assert together == pytest.approx(alone, abs=1e-6)
    seen = []
    hook = down_projection(model).register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    model(torch.tensor([ROWS[0]]))
    hook.remove()
    assert mean_activations(model, ROWS[:1]) == pytest.approx(seen[0][0].mean(0).detach().numpy())


def test_the_mass_of_each_text_is_that_of_its_own_places_alone(model, guard):
    together = emoji_mass(model, ROWS, guard, starts=[2, 1, 3])
    for row, start, found in zip(ROWS, (2, 1, 3), together, strict=True):
        with torch.inference_mode():
            chances = model(torch.tensor([row])).logits[0].softmax(-1)[:, EMOJI]
        assert found == pytest.approx(float(chances[start - 1 :].mean()), rel=1e-4)


def test_the_neurons_that_changed_most_come_first():
    before, after = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 1.0, -1.0, 5.0])
    assert most_changed(before, after, 3).tolist() == [2, 3, 0]  # changes of -3, 2 and 0.5
    with pytest.raises(ValueError, match="1 to 4 neurons, got shapes"):
        most_changed(before, after, 5)


def test_silenced_neurons_are_zero_and_come_back(model, guard):
    before, on = emoji_mass(model, ROWS, guard), mean_activations(model, ROWS)
    with silenced(model, [NEURON]):
        off, within = mean_activations(model, ROWS), emoji_mass(model, ROWS, guard)
    assert set(np.flatnonzero(off != on)) == {NEURON}
    assert off[NEURON] == 0
    assert (within != before).any()
    assert emoji_mass(model, ROWS, guard).tolist() == before.tolist()


def test_mass_counts_the_places_behind_the_question(model, guard):
    logits = model(torch.tensor([ROWS[0]])).logits[0].softmax(-1)[:, EMOJI].detach().numpy()
    assert emoji_mass(model, ROWS[:1], guard) == pytest.approx(logits[-1:])
    assert emoji_mass(model, ROWS[:1], guard, starts=[2]) == pytest.approx(logits[1:].mean())


def test_ablating_the_neuron_that_writes_emojis_takes_more_than_random_ones(model, guard):
    found = ablate(model, ROWS, guard, np.array([NEURON]), num_random=19)
    assert found.random.shape == (19, 3)
    assert found.drop > 0.5 > np.abs(found.random_drops).max()
    assert found.p_value == 1 / 20


def test_what_ablation_says_by_hand():
    intact, without = np.array([0.4, 0.2]), np.array([0.2, 0.1])
    random = np.array([[0.4, 0.2], [0.1, 0.1], [0.3, 0.3]])
    found = Ablation(intact, without, random)
    assert found.drop == pytest.approx(1 - 0.15 / 0.3)
    assert found.random_drops == pytest.approx([0.0, 1 - 0.1 / 0.3, 0.0])
    assert found.p_value == (1 + 1) / (1 + 3)


def test_a_model_without_tokens_of_emojis_has_nothing_to_ablate(model):
    silent = EmojiGuard([b"a"] * VOCABULARY)
    with pytest.raises(ValueError, match="wanted a model with tokens that show or begin an emoji"):
        ablate(model, ROWS, silent, np.array([NEURON]))


def test_too_many_neurons_leave_no_others_to_compare_with(model, guard):
    with pytest.raises(ValueError, match="wanted 1 to 24 of the layer's 48 neurons"):
        ablate(model, ROWS, guard, np.arange(30))


def test_a_model_without_known_layers_is_refused():
    with pytest.raises(ValueError, match="neurons wanted a model whose layers have one of"):
        down_projection(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "opt", "phi", "qwen2", "mistral"])
def test_neurons_of_other_architectures_are_found(kind, guard):
    model = tiny_model(kind)
    assert ablate(model, ROWS[:1], guard, np.array([0]), num_random=1).random.shape == (1, 1)


def test_an_adapter_around_the_projection_changes_nothing_of_where_neurons_are(guard):
    from peft import LoraConfig, get_peft_model

    bare = tiny_model("llama")
    before = mean_activations(bare, ROWS)
    wrapped = get_peft_model(bare, LoraConfig(r=2, target_modules=["down_proj", "q_proj"]))
    assert mean_activations(wrapped, ROWS) == pytest.approx(before)  # B of a new LoRA is 0
    assert ablate(wrapped, ROWS, guard, np.array([1]), num_random=1).intact.shape == (3,)
