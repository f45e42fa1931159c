"""Directions, their orthogonality, and what steering does to a model."""

import numpy as np
import pytest

from training.opinion_qa.opinions import label
from training.traits.evaluation import items_of
from training.traits.speaker import Asked, Plain
from training.traits.steering import Steered, directions, moved, num_layers, orthogonal
from training.traits.tuned_steering import chosen_steering

ASKED, ANSWER = [Asked("tea", "Tea?")], ["I am curious about tea."]


def test_orthogonal_vectors_stay_and_get_length_one():
    given = np.array([[[2.0, 0.0, 0.0]], [[0.0, 0.5, 0.0]]])
    np.testing.assert_allclose(orthogonal(given)[:, 0], [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_two_vectors_give_way_equally():
    # At 30 and 60 degrees: both turn by 30 degrees to stand at 0 and 90.
    angles = np.radians([30, 60])
    given = np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None]
    np.testing.assert_allclose(orthogonal(given)[:, 0], [[1, 0], [0, 1]], atol=1e-12)


def test_layers_do_not_mix():
    rng = np.random.default_rng(0)
    given = rng.standard_normal((3, 4, 8))
    found = orthogonal(given)
    np.testing.assert_allclose(found[:, 2], orthogonal(given[:, 2:3])[:, 0])
    products = np.einsum("ild,jld->lij", found, found)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), (4, 3, 3)), atol=1e-12)


@pytest.mark.parametrize("left_out", [0, 1])  # a mean does not depend on how many there are
def test_a_direction_is_the_difference_of_the_poles_means(speaker, opinions, left_out):
    first = next(o for o in opinions if o.label == label("openness", "high"))
    opinions = [o for o in opinions if not (left_out and o is first)]
    found = directions(speaker, opinions, ["openness"])["openness"]
    means = []
    for pole in ("high", "low"):
        own = [o for o in opinions if o.label == label("openness", pole)]
        asked = [Plain().conversation(Asked(o.topic, o.question)) for o in own]
        said = [speaker.sample(a, o.answer) for a, o in zip(asked, own, strict=True)]
        means.append(speaker.mean_states(said).mean(axis=0))
    apart = means[0] - means[1]
    apart /= np.linalg.norm(apart, axis=1, keepdims=True)
    np.testing.assert_allclose(found, apart, atol=1e-5)


def test_a_trait_without_one_of_its_poles_has_no_direction(speaker, opinions):
    with pytest.raises(
        ValueError, match="extraversion wanted opinions of both poles, got none of low"
    ):
        directions(speaker, opinions, ["extraversion"])


def unit(speaker, place):
    move = np.zeros((num_layers(speaker), speaker.model.config.hidden_size))
    move[:, place] = 1.0
    return move


def states_into_the_last_layer(speaker, way):
    """What the model's last layer is given while it reads a question and its answer."""
    seen = []

    def look(layer, inputs, named):
        seen.append(inputs[0] if inputs else named["hidden_states"])

    sample = speaker.sample(Plain().conversation(ASKED[0]), ANSWER[0])
    handle = speaker.model.model.layers[-1].register_forward_pre_hook(look, with_kwargs=True)
    with way.at_work():
        speaker.run([sample])
    handle.remove()
    return seen[0].detach()[0]


def test_states_move_by_a_share_of_their_length_in_that_layer_alone(speaker):
    before = states_into_the_last_layer(speaker, Plain())
    after = states_into_the_last_layer(speaker, Steered(speaker, 0.5 * unit(speaker, 3), 0))
    apart = after - before
    np.testing.assert_allclose(apart[:, 3], 0.5 * before.norm(dim=-1), rtol=1e-3)
    assert apart[:, [0, 1, 2, 4]].abs().max() < 1e-5
    last = states_into_the_last_layer(speaker, Steered(speaker, unit(speaker, 3), 1))
    np.testing.assert_array_equal(last, before)


def test_afterwards_the_model_is_what_it_was(speaker):
    before = speaker.token_logs(Plain(), ASKED, ANSWER)[0]
    way = Steered(speaker, unit(speaker, 1), 0)
    assert np.abs(speaker.token_logs(way, ASKED, ANSWER)[0] - before).max() > 1e-3
    np.testing.assert_array_equal(speaker.token_logs(Plain(), ASKED, ANSWER)[0], before)


def test_moves_add_up_and_the_low_pole_goes_the_other_way():
    found = {"openness": np.array([[1.0, 0.0]]), "extraversion": np.array([[0.0, 1.0]])}
    both = [label("openness", "low"), label("extraversion")]
    np.testing.assert_array_equal(moved(found, both, 0.25), [[-0.25, 0.25]])
    with pytest.raises(
        ValueError, match=r"traits with a direction \(openness, extraversion\), got"
    ):
        moved(found, [label("neuroticism")], 1.0)


def test_a_layer_that_is_not_there_is_refused(speaker):
    with pytest.raises(ValueError, match="wanted a layer from 0 to 1, got 2"):
        Steered(speaker, unit(speaker, 0), 2)


def test_the_strength_is_the_one_with_the_highest_success(speaker, opinions):
    found = directions(speaker, opinions, ["openness"])
    items = items_of(opinions, label("openness"))[:2]

    def best_of(*strengths):
        return chosen_steering(speaker, found, label("openness"), items, [0.5], strengths)

    best, each = best_of(0.05, 0.5), [best_of(0.05), best_of(0.5)]
    assert best == max(each, key=lambda one: one.es)
    assert 0 < best.es <= 1
