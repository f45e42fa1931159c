"""What a student loses and gains, in figures worked out by hand."""

from math import log
from types import SimpleNamespace

import numpy as np
import pytest

from agents.student.ensemble import Guess
from experiments.student import measures


def test_where_doubt_is_high_the_answer_is_the_models_own():
    answers = np.array([[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    guess = Guess(np.array([[0.25, 0.75, 0, 0, 0], [0, 0, 0, 0, 1.0]]), np.array([0.9, 0.1]))
    nats = 0.5 * log(2) + 0.5 * log(2 / 3)  # of the first question; the second is right
    found = measures.learning(guess, answers, unsure=0.5)
    assert (found["judged_on"], found["share_asked"]) == (2, 0.5)
    assert found["student"] == pytest.approx({"nats": nats / 2, "stars": 0.125})
    assert found["of_the_asked"] == pytest.approx({"nats": nats, "stars": 0.25})
    assert found["cascade"] == pytest.approx({"nats": 0, "stars": 0})
    sure = measures.learning(guess, answers, unsure=1.0)
    assert sure["of_the_asked"] is None
    assert sure["cascade"] == sure["student"]


def test_policies_stand_in_the_models_order_and_tau_compares_both(monkeypatch):
    means = {"people": {"a": 3.0, "b": 4.0, "c": 3.5}, "quick": {"a": 3.1, "b": 3.4, "c": 3.9}}

    def play_all(policies, users):
        own = means[users]
        return [
            SimpleNamespace(name=name, simulated=np.array([own[name], np.nan]), play_seconds=2.0)
            for name in policies
        ], None

    monkeypatch.setattr(measures, "play_all", play_all)
    monkeypatch.setattr(measures, "policy_makers", lambda policies: policies)
    monkeypatch.setattr(measures, "mean_ratings", lambda simulated: simulated)
    monkeypatch.setattr(measures, "replace", lambda setting, simulated: simulated)
    found = measures.orders(dict.fromkeys("abc"), None, "people", "quick")
    assert [row["name"] for row in found["policies"]] == ["b", "c", "a"]
    assert found["policies"][0] == {"name": "b", "model": 4.0, "cascade": 3.4}
    assert found["tau"] == pytest.approx(1 / 3)  # two of three pairs alike
    assert found["play_seconds"] == {"model": 6.0, "cascade": 6.0}


def test_speed_is_the_models_seconds_by_the_cascades(monkeypatch):
    taken = {"people": (2.0, 2.0), "quick": (1.0, 0.5)}
    monkeypatch.setattr(measures, "_timed", lambda who, users, items: taken[who])
    setting = SimpleNamespace(
        seed=0, users=np.arange(4), slate_size=5, dataset=SimpleNamespace(num_items=9)
    )
    found = measures.speed("people", "quick", setting, rounds=3)
    assert found["ratio"] == {"median": 2.0, "min": 2.0, "max": 2.0}
    assert found["processor_ratio"]["median"] == 4.0
    assert found["model"]["median"] == pytest.approx(256 * 5 / 2)
    assert found["cascade"]["median"] == pytest.approx(256 * 5)
