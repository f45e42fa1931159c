"""Losses of answers, on distributions one can hold in the head."""

import math

import pytest
import torch

from training.adapters.losses import KINDS, AnswerLoss

ANSWERS = torch.tensor([4, 3, 2, 1, 0])  # the token of one star is 4, that of five is 0


def logits_of(chances, other=0.0):
    """(1, 6) logits: chances of one to five stars, and of a token that is no answer."""
    chances = torch.tensor(chances) * (1 - other)
    return torch.cat([chances.flip(0), torch.tensor([other])]).clamp_min(1e-30).log()[None]


def cost(kind, chances, target, other=0.0, **settings):
    loss = AnswerLoss(kind, **settings)
    goal = torch.tensor([target])
    return float(loss(logits_of(chances, other), ANSWERS, goal, torch.ones(1)))


def test_cross_entropy_is_minus_the_log_of_the_answers_chance():
    chances, five = [0.1, 0.1, 0.1, 0.2, 0.5], [0.0, 0, 0, 0, 1]
    assert cost("cross_entropy", chances, five) == pytest.approx(-math.log(0.5), abs=1e-5)
    mixed = [0.0, 0, 0, 0.5, 0.5]
    expected = -0.5 * math.log(0.2) - 0.5 * math.log(0.5)
    assert cost("cross_entropy", chances, mixed) == pytest.approx(expected, abs=1e-5)


def test_the_ordinal_loss_is_the_squared_distance_of_cumulative_distributions():
    """(0.1, 0.2, 0.3, 0.5, 1) against (0, 0, 0, 0, 1): 0.01 + 0.04 + 0.09 + 0.25."""
    value = cost("ordinal", [0.1, 0.1, 0.1, 0.2, 0.5], [0.0, 0, 0, 0, 1])
    assert value == pytest.approx(0.01 + 0.04 + 0.09 + 0.25, abs=1e-5)


def test_a_near_miss_costs_less_than_a_far_one_only_where_order_counts():
    near, far, three = [0.0, 0.6, 0.4, 0, 0], [0.6, 0.0, 0.4, 0, 0], [0.0, 0, 1, 0, 0]
    assert cost("ordinal", near, three) < cost("ordinal", far, three) - 0.1
    assert cost("expected_value", near, three) < cost("expected_value", far, three) - 0.1
    assert cost("cross_entropy", near, three) == pytest.approx(cost("cross_entropy", far, three))


def test_expected_value_adds_the_squared_error_of_the_mean():
    """The mean is 0.1 + 0.2 + 0.3 + 0.8 + 2.5 = 3.9 for 5: 0.7 · 1.1²."""
    chances, five = [0.1, 0.1, 0.1, 0.2, 0.5], [0.0, 0, 0, 0, 1]
    value = cost("expected_value", chances, five, strength=0.7)
    assert value == pytest.approx(-math.log(0.5) + 0.7 * (5 - 3.9) ** 2, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_are_no_answer_cost_only_where_the_whole_vocabulary_counts(kind):
    chances, target = [0.2] * 5, [0.0, 0, 1, 0, 0]
    without = cost(kind, chances, target, other=0.0)
    assert cost(kind, chances, target, other=0.75) - without == pytest.approx(-math.log(0.25))
    blind = cost(kind, chances, target, other=0.75, whole_vocabulary=False)
    assert blind == pytest.approx(without)


def test_with_the_whole_vocabulary_cross_entropy_is_next_token_loss():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 6, generator=generator)
    targets = torch.eye(5)[torch.tensor([0, 2, 4, 4])]
    value = AnswerLoss()(logits, ANSWERS, targets, torch.ones(4))
    expected = torch.nn.functional.cross_entropy(logits, ANSWERS[targets.argmax(-1)])
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_costs_least(kind):
    truth = torch.tensor([[0.1, 0.1, 0.2, 0.4, 0.2]])
    start = torch.zeros(1, 6, requires_grad=True)
    optimizer = torch.optim.Adam([start], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        AnswerLoss(kind)(start, ANSWERS, truth, torch.ones(1)).backward()
        optimizer.step()
    torch.testing.assert_close(start[:, ANSWERS].softmax(-1), truth, atol=0.01, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_counts_nothing(kind):
    generator = torch.Generator().manual_seed(1)
    logits, targets = torch.randn(3, 6, generator=generator), torch.eye(5)[[0, 1, 2]]
    loss = AnswerLoss(kind)
    padded = loss(logits, ANSWERS, targets, torch.tensor([1.0, 1.0, 0.0]))
    torch.testing.assert_close(padded, loss(logits[:2], ANSWERS, targets[:2], torch.ones(2)))
    assert loss(logits, ANSWERS, targets, torch.zeros(3)) == 0


def test_unknown_kinds_and_negative_strengths_are_refused():
    with pytest.raises(ValueError, match="wanted one of cross_entropy, ordinal, expected_value, g"):
        AnswerLoss("hinge")
    with pytest.raises(ValueError, match="loss wanted a strength of at least 0, got -1"):
        AnswerLoss("expected_value", strength=-1)
