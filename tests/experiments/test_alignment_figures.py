"""Figures of the fidelity card on rows that one can count by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.alignment import identity, later_ratings
from experiments.alignment.asked import Rows, average_and_offset
from experiments.alignment.unseen_items import unseen_items
from simenv.events import InteractionLog


def certain(stars):
    """Chances (..., 5) of people who are sure of whole ``stars`` (...)."""
    return np.eye(5)[np.asarray(stars) - 1]


def log_of(users, items, ratings, times=None, num_users=2, num_items=25):
    return InteractionLog.from_columns(
        users, items, ratings, times, num_users=num_users, num_items=num_items
    )


def no_tick(text, advance=0):
    pass


def test_an_offset_is_drawn_to_none_as_if_five_more_ratings_had_none():
    """One rating a star above its average of 3: 1 / (1 + 5) of a star on the average of 4."""
    fair = np.array([3.0, 4.0])
    known = log_of([0], [0], [4.0], num_items=2)
    asked = log_of([0, 1], [1, 1], [5.0, 5.0], num_items=2)
    assert average_and_offset(fair, known, asked).tolist() == pytest.approx([4 + 1 / 6, 4.0])


def test_the_ten_worst_are_rated_too_high_by_who_always_says_three():
    """Ten items are worth one star, five are worth three and ten five; nobody has met any."""
    worth = np.repeat([1, 3, 5], [10, 5, 10])
    truth = SimpleNamespace(probabilities=lambda users, items: certain(worth[items]))
    three = SimpleNamespace(probabilities=lambda users, items: certain(np.full(np.shape(items), 3)))
    dataset = SimpleNamespace(truth=truth, num_items=25, train=log_of([], [], []))
    asked = SimpleNamespace(dataset=dataset, model=three, users=np.array([0, 1]), seed=0)
    found = unseen_items(asked, 2)
    worst, best = found["ten worst"], found["ten best"]
    assert (worst["simulated_stars"], worst["true_stars"], worst["gap"]) == (3.0, 1.0, 2.0)
    assert (best["gap"], best["rmse"]) == (-2.0, 2.0)
    assert (best["simulated_likes"], best["true_likes"]) == (0.0, 1.0)
    assert unseen_items(SimpleNamespace(dataset=SimpleNamespace(truth=None)), 2) is None


def test_items_that_somebody_met_are_not_among_their_worst():
    """The worst item is met by person 0: theirs begin at the second, of two stars."""
    worth = np.repeat([1, 2, 5], [1, 10, 14])
    truth = SimpleNamespace(probabilities=lambda users, items: certain(worth[items]))
    dataset = SimpleNamespace(truth=truth, num_items=25, train=log_of([0], [0], [1.0]))
    asked = SimpleNamespace(dataset=dataset, model=truth, users=np.array([0]), seed=0)
    assert unseen_items(asked, 1)["ten worst"]["true_stars"] == 2.0


def test_a_swap_costs_what_the_error_rises_by(monkeypatch):
    """Real 4 and 5 were said; in another's place 3 and 3 are: errors 1 and 2, root of 5 / 2."""
    rows = Rows(log_of([0, 1], [0, 1], [4.0, 5.0]), certain([4, 5]), {}, {})
    monkeypatch.setattr(identity, "_stars", lambda model, people, log: np.array([3.0, 3.0]))
    found = identity.rises(SimpleNamespace(model=None), rows, {"swap": lambda: None}, no_tick)[
        "swap"
    ]
    assert found["rmse"] == found["rise"] == pytest.approx(np.sqrt(5 / 2), abs=1e-6)
    assert (found["moved"], found["rows"]) == (1.5, 2)


def test_a_swap_that_fails_for_somebody_is_measured_on_the_others(monkeypatch):
    rows = Rows(log_of([0, 1], [0, 1], [4.0, 5.0]), certain([4, 3]), {}, {})
    monkeypatch.setattr(identity, "_stars", lambda model, people, log: np.array([3.0, np.nan]))
    found = identity.rises(SimpleNamespace(model=None), rows, {"swap": lambda: None}, no_tick)[
        "swap"
    ]
    assert (found["rmse"], found["rise"], found["rows"]) == (1.0, 1.0, 1)


def test_only_the_first_ratings_of_everybody_are_known_in_a_cold_start():
    log = log_of([0, 0, 0, 1], [3, 1, 2, 0], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 1.0])
    assert identity._first_rows(log, 2).ratings.tolist() == [1.0, 2.0, 4.0]


def test_what_later_ratings_are_worth_is_the_rise_without_them():
    """Errors 2 without them and 1 with them, of two people alike."""
    found = later_ratings._rise(np.array([2.0, -2.0]), np.array([1.0, 1.0]), np.array([0, 1]))
    assert (found["rmse"], found["rmse_without"], found["rise"]) == (1.0, 2.0, 1.0)
    assert found["rise_ci95"] == [1.0, 1.0]
