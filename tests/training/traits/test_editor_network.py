"""MEND in small: what it is before it is trained, and that training makes it better."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.opinion_qa.opinions import of_label
from training.traits.editor_network import (
    Edited,
    Editor,
    EditorSettings,
    MendEditors,
    Pair,
    _told,
)
from training.traits.measures import divergence
from training.traits.speaker import Asked, Plain

SMALL = EditorSettings(steps=25, shown=2, last_layers=1, rank=4, learning_rate=0.02)


def some(opinions, count=2):
    return of_label(opinions, opinions[0].label)[:count]


def test_an_untrained_editor_passes_the_normalised_gradient_on_times_its_rate():
    editor = Editor(2, 1, layers=1, rank=3, rate=0.1)
    inputs, gradients = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[2.0], [0.0]])
    found = editor(0, Pair(inputs, gradients))
    # Root mean squares: sqrt(25 / 4) = 2.5 and sqrt(4 / 2) = 1.4142.
    np.testing.assert_allclose(found.inputs.detach(), inputs / 2.5, rtol=1e-6)
    np.testing.assert_allclose(found.gradients.detach(), -0.1 * gradients / 2**0.5, rtol=1e-6)


def test_the_pairs_are_the_factors_of_the_true_gradient_of_the_weights(speaker, opinions):
    editors = MendEditors(speaker, SMALL)
    samples = editors._samples(some(opinions))
    pairs = editors._gradients(samples)
    linears = editors._linears
    assert [type(linear) for linear in linears] == [torch.nn.Linear] * 3
    for linear in linears:
        linear.weight.requires_grad_(True)
    loss = editors._surprise(samples)
    true = torch.autograd.grad(loss, [linear.weight for linear in linears])
    for pair, gradient in zip(pairs, true, strict=True):
        np.testing.assert_allclose(pair.gradients.T @ pair.inputs, gradient, atol=1e-6)


def test_an_edit_on_top_is_the_same_as_other_weights(speaker, opinions):
    editors = MendEditors(speaker, replace(SMALL, edit_rate=0.05))
    pairs = editors.edit(some(opinions))
    asked, answer = [Asked("tea", "Tea?")], ["I am curious about tea."]
    with editors.applied(pairs):
        on_top = speaker.token_logs(Plain(), asked, answer)[0]
    plain = speaker.token_logs(Plain(), asked, answer)[0]
    with torch.no_grad():
        for linear, pair in zip(editors._linears, pairs, strict=True):
            linear.weight += pair.gradients.T @ pair.inputs
    np.testing.assert_allclose(speaker.token_logs(Plain(), asked, answer)[0], on_top, atol=1e-4)
    assert np.abs(on_top - plain).max() > 1e-3, "the edit does something"


def test_an_untrained_edit_makes_its_own_opinions_likelier(speaker, opinions):
    editors = MendEditors(speaker, replace(SMALL, edit_rate=0.01))
    own = some(opinions)
    way = editors.way(own[0].label, own)
    asked, answers = [Asked(o.topic, o.question) for o in own], [o.answer for o in own]
    before, after = (
        np.concatenate(speaker.token_logs(how, asked, answers)).mean() for how in (Plain(), way)
    )
    assert after > before


def test_the_loss_weighs_other_opinions_of_the_label_and_what_should_stay(speaker, opinions):
    editors = MendEditors(speaker, replace(SMALL, edit_rate=0.05, locality_weight=2.0))
    shown, others = some(opinions, 4)[:2], some(opinions, 4)[2:]
    kept = [o for o in opinions if o.label != shown[0].label][:2]
    way = Edited(editors, editors.edit(shown))

    def heard(how, about):
        return how, [Asked(o.topic, o.question) for o in about], [o.answer for o in about]

    own = np.mean([-logs.mean() for logs in speaker.token_logs(*heard(way, others))])
    before, after = (
        np.concatenate(speaker.distributions(*heard(how, kept))) for how in (Plain(), way)
    )
    apart = divergence(before, after).mean()
    assert apart > 1e-3
    wanted = 0.1 * own + 2.0 * apart
    assert float(editors._loss(shown, others, kept).detach()) == pytest.approx(wanted, rel=1e-4)


def test_tokens_on_which_the_loss_does_not_depend_tell_nothing():
    inputs = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    gradients = torch.tensor([[[0.0], [7.0], [-8.0]]])
    found = _told(inputs, gradients)
    assert found.inputs.tolist() == [[3, 4], [5, 6]]
    assert found.gradients.tolist() == [[7], [-8]]


def test_an_editor_by_hand_after_its_first_step_of_learning():
    editor = Editor(1, 1, layers=2, rank=1, rate=0.5)
    with torch.no_grad():
        editor.down[:] = torch.tensor([[[1.0], [0.0]], [[0.0], [1.0]]])
        editor.up[:] = torch.tensor([[[1.0, 0.0]], [[0.0, -1.0]]])
        editor.scale[1], editor.shift[1] = 2.0, 1.0
    found = editor(1, Pair(torch.tensor([[2.0]]), torch.tensor([[3.0]])))
    # both are 1 over their root mean square; 1 + relu(2·1 + 1) = 4 and 1 + relu(2·0 + 1) = 2;
    # then 4 + relu(2·0 + 1) = 5 and 2 + relu(-2·2 + 1) = 2, times the rate, downhill
    assert found.inputs.item() == 5
    assert found.gradients.item() == pytest.approx(-0.5 * 2)


def test_training_lowers_the_loss_and_leaves_the_model_alone(speaker, opinions):
    asked, answers = [Asked("tea", "Tea?")], ["Tea is fine."]
    before = speaker.token_logs(Plain(), asked, answers)[0]
    quick = replace(SMALL, learning_rate=0.1, edit_rate=0.01, edit_weight=1.0)
    editors, own = MendEditors(speaker, quick), some(opinions, 10)
    kept = [o for o in opinions if o.label != own[0].label][:2]
    first = float(editors._loss(own[:2], own[2:], kept))
    assert len(editors.train(opinions)) == 25
    assert float(editors._loss(own[:2], own[2:], kept)) < first
    np.testing.assert_array_equal(speaker.token_logs(Plain(), asked, answers)[0], before)


def test_a_model_without_the_layers_is_refused(speaker):
    with pytest.raises(ValueError, match="an editor wanted linear layers called c_fc"):
        MendEditors(speaker, replace(SMALL, modules=("c_fc",)))


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="steps"):
        EditorSettings(steps=0)
    with pytest.raises(ValueError, match="edit_rate"):
        EditorSettings(edit_rate=0.0)
