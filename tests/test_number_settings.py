"""Settings of engines, policies, learners and trainings refuse what is no number in its range."""

from dataclasses import fields

import numpy as np
import pytest

from agents.inference.engine import Sampling
from agents.living.adapter_refresh import RefreshSettings
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.ease import EASE
from recommenders.policies.factorisation import ALS, BPR, LogisticMF
from recommenders.policies.heuristics import Popularity
from recommenders.policies.linear_bandits import LinTS, LinUCB
from recommenders.policies.neighbours import ItemKNN, UserKNN
from recommenders.policies.slim import SLIM
from recommenders.rl.ppo import PPOSettings
from training.adapters.losses import AnswerLoss
from training.examples.raft import RaftSettings

MAKERS = (
    ALS, BPR, EASE, EpsilonGreedy, ItemKNN, LinTS, LinUCB, LogisticMF, Popularity, PPOSettings,
    RaftSettings, RefreshSettings, SLIM, Sampling, AnswerLoss, UserKNN,
)  # fmt: skip
NO_NUMBERS = {"cuts", "emojis", "kind", "per_user", "value", "whole_vocabulary"}
NUMBERS = [
    (make, field.name)
    for make in MAKERS
    for field in fields(make)
    if field.name not in NO_NUMBERS or make is PPOSettings
]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, "3", True, [1], -1e20])
@pytest.mark.parametrize(("make", "name"), NUMBERS)
def test_every_number_of_a_setting_refuses_what_is_none(make, name, wrong):
    free = name in ("min_rating", "skip_reward")  # any number will do
    if free and wrong == -1e20:
        assert getattr(make(**{name: wrong}), name) == wrong
        return
    with pytest.raises((ValueError, TypeError), match=r"wanted .*, got .*; "):
        make(**{name: wrong})


def test_settings_that_count_are_whole():
    for make, name in ((SLIM, "num_candidates"), (ALS, "factors"), (Sampling, "top_k")):
        with pytest.raises(ValueError, match=rf"{name} of at least [01] and whole, got 2\.5; "):
            make(**{name: 2.5})


def test_a_switch_of_a_bandit_is_true_or_false():
    with pytest.raises(TypeError, match="LinUCB wanted per_user to be True or False, got 'no'"):
        LinUCB(per_user="no")


def test_the_ends_of_ranges_are_allowed():
    assert Sampling(1, 0, 0) == Sampling(max_new_tokens=1, temperature=0.0, top_k=0)
    assert (EpsilonGreedy(epsilon=0).epsilon, EpsilonGreedy(epsilon=1).epsilon) == (0, 1)
    assert (LinUCB(alpha=0).alpha, LinTS(scale=0).scale) == (0, 0)
    assert Popularity(recent_days=None).recent_days is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": -0.1}, "Sampling wanted temperature of at least 0, got -0.1; 0 is greedy"),
        ({"top_k": -1}, "Sampling wanted top_k of at least 0, got -1; 0 is all tokens"),
        ({"max_new_tokens": 0}, "Sampling wanted max_new_tokens of at least 1, got 0; try 4"),
    ],
)
def test_sampling_says_what_it_wants(settings, words):
    with pytest.raises(ValueError, match=words):
        Sampling(**settings)
