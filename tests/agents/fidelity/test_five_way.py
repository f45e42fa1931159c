"""Scenes of five, of which one was taken: what stands in them, and hits by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agents.fidelity import five_way as five
from agents.fidelity.five_way import SIZE, hits, scenes, spectral_vectors
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog

DATA = synthetic(3, num_users=30, num_items=300)
CONTENTS = np.asarray(DATA.catalog.genre_shares)


def drawn(dataset=DATA, number=30):
    return scenes(dataset, CONTENTS, np.random.default_rng(0), number)


def test_one_item_was_taken_and_four_were_never_met():
    found = drawn()
    assert found.items.shape == (30, SIZE)
    for user, items, place in zip(*found, strict=True):
        rated = set(DATA.test.items[DATA.test.users == user].tolist())
        known = set(DATA.train.items[DATA.train.users == user].tolist())
        others = set(np.delete(items, place).tolist())
        assert items[place] in rated
        assert len(others) == SIZE - 1
        assert not others & (rated | known)


def test_the_taken_item_stands_at_every_letter_about_as_often():
    places = np.bincount(drawn(number=200).taken, minlength=SIZE)
    assert places.min() > 20


def test_the_ratings_that_came_later_decide_nothing():
    flipped = replace(DATA, test=replace(DATA.test, ratings=6 - DATA.test.ratings))
    assert (drawn(flipped).items == drawn().items).all()


def test_nothing_younger_than_the_moment_is_shown():
    seconds = (np.arange(len(DATA.test)) % 7 + 1995 - 1970) * 31_556_952.0
    order = np.lexsort((seconds, DATA.test.users))
    columns = (getattr(DATA.test, c)[order] for c in ("users", "items", "ratings"))
    test = InteractionLog(*columns, seconds[order], DATA.num_users, DATA.num_items)
    found = drawn(replace(DATA, test=test))
    moments = {
        (user, item): 1970 + time / 31_556_952.0
        for user, item, time in zip(test.users, test.items, test.timestamps, strict=True)
    }
    for user, items, place in zip(*found, strict=True):
        others = np.delete(items, place)
        assert (DATA.catalog.years[others] <= moments[user, items[place]] + 1e-6).all()


def test_items_met_by_the_same_people_are_alike():
    """Two circles of people and films that never meet: vectors of one circle share a direction."""
    users, items = np.repeat(np.arange(6), 3), np.tile([0, 1, 2], 6)
    items = np.where(users < 3, items, items + 3)
    log = InteractionLog.from_columns(users, items, np.full(18, 4.0), num_users=6, num_items=6)
    likeness = spectral_vectors(log, 2) @ spectral_vectors(log, 2).T
    assert likeness[0, 1] > 0.5
    assert likeness[0, 4] == pytest.approx(0, abs=1e-9)


def test_hits_by_hand():
    scores = np.array([[1.0, 2, 3, 4, 5], [5, 5, 1, 1, 1], [1, 2, 3, 4, 5], [np.nan] * 5])
    found = hits(scores, np.array([4, 1, 0, 0]))
    assert found[:3].tolist() == [1, 0.5, 0]
    assert np.isnan(found[3])


def test_the_best_of_two_rankings_are_taken_in_turn():
    """By the one 5, 4, 3, …, by the other 0, 1, 2, …; 4 and 0 are not allowed, 5 is in both."""
    one, other = np.arange(6.0), np.array([9.0, 8, 7, 6, 5, 7.5])
    allowed = np.array([False, True, True, True, False, True])
    assert five._in_turn(one, other, allowed).tolist() == [5, 1, 3, 2]
    assert five._in_turn(one, other, allowed & (one != 3)).tolist() == [5, 1, 2]  # no more


def test_the_others_come_from_the_past_and_from_the_text_of_what_was_taken(monkeypatch):
    """Person 0 met half of the first circle's items, then took item 6 of the second, whose text is
    like those of 7 and 8: two come from the one circle, two from the other."""
    circles = np.repeat(np.eye(2), 6, axis=0)
    monkeypatch.setattr(five, "spectral_vectors", lambda log: circles)
    train = InteractionLog.from_columns([0] * 3, [0, 1, 2], [4.0] * 3, num_users=1, num_items=12)
    test = InteractionLog.from_columns([0], [6], [5.0], num_users=1, num_items=12)
    contents = np.zeros((12, 1))
    contents[[6, 7, 8], 0] = [1.0, 0.9, 0.8]
    catalog = SimpleNamespace(years=np.zeros(12, int))
    nobody = train.take(np.arange(0))
    data = SimpleNamespace(train=train, background=nobody, test=test, catalog=catalog)
    found = scenes(data, contents, np.random.default_rng(0), 1)
    others = np.delete(found.items[0], found.taken[0])
    assert found.items[0, found.taken[0]] == 6
    assert sorted(others.tolist()) == [3, 4, 7, 8]
