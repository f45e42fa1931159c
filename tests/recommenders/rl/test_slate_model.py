"""The chances of slates on logits one can hold in the head."""

from itertools import permutations

import pytest
import torch

from recommenders.rl.slate_model import draw_slates, log_chance

LOGITS = torch.tensor([[0.5, -1.0, 2.0, 0.0]])


def test_the_chances_of_all_ordered_slates_sum_to_one():
    slates = torch.tensor(list(permutations(range(4), 2)))
    chances = log_chance(LOGITS.expand(len(slates), -1), slates).exp()
    assert float(chances.sum()) == pytest.approx(1)
    shares = LOGITS[0].exp() / LOGITS[0].exp().sum()
    first = chances[(slates == torch.tensor([2, 0])).all(dim=1)]
    assert float(first) == pytest.approx(float(shares[2] * shares[0] / (1 - shares[2])))


def test_draws_are_as_likely_as_they_say():
    slates = draw_slates(LOGITS.expand(40_000, -1), 2, torch.Generator().manual_seed(0))
    for slate in ([2, 0], [0, 2], [1, 3]):
        wanted = float(log_chance(LOGITS, torch.tensor([slate])).exp())
        share = float((slates == torch.tensor(slate)).all(dim=1).float().mean())
        assert share == pytest.approx(wanted, abs=4 * (wanted / 40_000) ** 0.5)
