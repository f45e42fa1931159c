"""Behaviours by hand: what is taken is read from chances, length and leaving from draws."""

import numpy as np
import pytest

from agents.personality.behaviours import (
    EXPECTED,
    Behaviours,
    ItemTraits,
    Visit,
    behaviours_of,
    common_steps,
    entropy,
)
from simenv.env.rollout import Rollout
from simenv.users.behaviour import Behaviour

LOOKS_AT_ALL = Behaviour(examine_decay=1.0, take_threshold=3.0)  # three stars: taken by half
ITEMS = ItemTraits(np.array([1.0, 3.0, 9.0]), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]]))
THREE, ONE_OR_FIVE, LOVED = [0, 0, 1.0, 0, 0], [0.5, 0, 0, 0, 0.5], [0, 0, 0, 0, 1.0]
FAILED = [np.nan] * 5


def visit(items, chances, lengths=(2, 1), quits=(False, True)):
    """Two people, at most two slates of two."""
    items, chances = np.array(items), np.array(chances, dtype=np.float64)
    shape = items.shape
    alive = np.arange(2)[None, :] < np.array(lengths)[:, None]
    played = Rollout(
        users=np.array([4, 7]), items=items, scores=np.zeros(shape), propensities=None,
        expected=np.zeros(shape), ratings=np.zeros(shape), taken=np.zeros(shape, bool),
        rewards=np.zeros(shape[:2]), alive=alive, quits=np.array(quits),
    )  # fmt: skip
    return Visit(played, chances)


FIRST = visit(
    [[[0, 1], [2, 2]], [[0, 1], [-1, -1]]],
    [[[THREE, ONE_OR_FIVE], [LOVED, LOVED]], [[THREE, FAILED], [FAILED, FAILED]]],
)


def found(**changes):
    own = {"visits": [FIRST], "steps": [np.array([1, 1])], "follows": (np.zeros(2), np.ones(2))}
    own |= changes
    return behaviours_of(own["visits"], own["steps"], ITEMS, LOOKS_AT_ALL, own["follows"])


def test_what_is_taken_counts_with_its_chance_in_the_slates_that_are_read():
    one = found()
    assert one.novelty == pytest.approx([(0.5 * 1 + 0.5 * 3) / 1.0, 1.0])
    three_quarters = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert one.genre_entropy == pytest.approx([three_quarters, 0.0])
    assert one.star_spread == pytest.approx([np.sqrt(0.25 * 4 + 0.25 * 4), 0.0])
    assert one.low_share == pytest.approx([0.25, 0.0])


def test_a_slate_that_not_everybody_saw_does_not_count():
    both = found(steps=[np.array([2, 1])])
    assert both.novelty[0] > 2.0  # the second slate holds an item of nine bits
    assert both.novelty[1] == found().novelty[1]


def test_items_that_are_liked_more_weigh_more():
    liked = visit([[[0, 1], [2, 2]]] * 2, [[[LOVED, THREE], [LOVED, LOVED]]] * 2)
    chance = 1 / (1 + np.exp(-1.5 * 2))
    own = found(visits=[liked])
    assert own.novelty[0] == pytest.approx((chance * 1 + 0.5 * 3) / (chance + 0.5))


def test_lengths_and_leaving_are_means_over_visits():
    second = visit(FIRST.played.items, FIRST.chances, lengths=(1, 1), quits=(True, True))
    own = found(visits=[FIRST, second], steps=[np.array([1, 1])] * 2)
    assert own.session_length.tolist() == [1.5, 1.0]
    assert own.abandonment.tolist() == [0.5, 1.0]
    assert own.follows_average.tolist() == [0.0, 0.0]
    assert own.follows_friends.tolist() == [1.0, 1.0]


def test_nobody_who_was_answered_nothing_has_a_taste():
    silent = visit(FIRST.played.items, np.full((2, 2, 2, 5), np.nan))
    own = found(visits=[silent])
    assert all(np.isnan(getattr(own, name)).all() for name in ("novelty", "low_share"))
    assert np.isnan(own.genre_entropy).all()
    assert np.isnan(own.star_spread).all()


def test_the_slates_that_are_read_are_those_of_the_shortest_condition():
    longer = visit(FIRST.played.items, FIRST.chances, lengths=(1, 2))
    assert common_steps([FIRST, longer]).tolist() == [1, 1]
    assert common_steps([FIRST]).tolist() == [2, 1]
    with pytest.raises(ValueError, match="at least one visit"):
        common_steps([])


def test_entropy_in_bits():
    found = entropy(np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]]))
    assert found == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)


def test_much_of_a_factor_is_expected_to_mean_more_of_all_but_leaving():
    signs = {name: sign for own in EXPECTED.values() for name, sign in own.items()}
    assert {name for name, sign in signs.items() if sign < 0} == {"abandonment"}
    assert set(EXPECTED["O"]) == {"novelty", "genre_entropy"}
    assert set(EXPECTED["N"]) == {"star_spread", "low_share"}
    assert set(EXPECTED["E"]) == set(EXPECTED["A"]) == {"follows_average", "follows_friends"}


def test_every_factor_has_behaviours_that_exist():
    assert set(EXPECTED) == set("OCEAN")
    named = {name for own in EXPECTED.values() for name in own}
    assert named == set(Behaviours._fields)
