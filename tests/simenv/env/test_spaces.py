import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from hypothesis import given, settings
from hypothesis import strategies as st

from simenv.env.spaces import (
    SlateSpace,
    build_action_space,
    build_observation_space,
    check_actions,
    replace_repeats,
)

LIVE = np.ones(2, dtype=bool)


def check(actions, live=LIVE, repeats="raise"):
    return check_actions(actions, (2, 3), 10, live, repeats)


@pytest.mark.parametrize(("num_items", "places"), [(3, 3), (8, 3), (500, 5), (20, 20)])
def test_a_slate_space_samples_distinct_items_it_contains(num_items, places):
    space = SlateSpace(num_items, (places,), seed=0)
    assert all(space.contains(space.sample()) for _ in range(20))
    assert not space.contains(np.zeros(places, dtype=np.int64))


def test_a_slate_space_samples_every_item_equally_often():
    space = SlateSpace(30, (4000, 5), seed=0)
    counts = np.bincount(space.sample().ravel(), minlength=30)
    expected = 4000 * 5 / 30
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_a_slate_space_is_a_multidiscrete_to_learners():
    space = build_action_space(10, 3, "raise")
    assert space == spaces.MultiDiscrete([10, 10, 10])
    batched = batch_space(space, 4)
    assert batched.shape == (4, 3)
    assert batched.contains(batched.sample())


def test_a_slate_longer_than_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="slate of 5 places wants at least as many items, got"):
        build_action_space(4, 5, "raise")


def test_the_observation_space_batches_as_gymnasium_does():
    space = build_observation_space(7, 10, 4)
    batched = batch_space(space, 3)
    assert batched["user"] == spaces.MultiDiscrete([7, 7, 7])
    assert batched["history_items"].shape == (3, 4)
    assert batched["history_items"].dtype == np.int64


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((3, 3), int), r"shape \(num_envs, slate_size\) = \(2, 3\), got \(3, 3\); give"),
        (np.zeros((2, 3)), r"integer item ids, got dtype float64; convert .*astype\(np.int64\)"),
        ([[0, 1, 2], [3, 10, 4]], r"item ids in \[0, 10\), got 10 in row 1, place 1; choose among"),
        ([[0, 1, -1], [3, 5, 4]], r"item ids in \[0, 10\), got -1 in row 0, place 2"),
        ([[0, 1, 2], [3, 4, 3]], r"distinct items within a slate, got \[3, 4, 3\] in row 1; rank"),
    ],
)
def test_wrong_actions_are_refused_with_the_cure(actions, message):
    with pytest.raises(ValueError, match=message):
        check(actions)


def test_rows_without_a_session_may_hold_anything():
    items = check([[-7, 99, 99], [1, 2, 3]], live=np.array([False, True]))
    assert items.tolist()[1] == [1, 2, 3]


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(
            st.integers(k, 9),
            st.lists(st.lists(st.integers(0, k - 1), min_size=k, max_size=k), min_size=1),
        )
    )
)
@settings(max_examples=50, deadline=None)
def test_replacing_repeats_gives_distinct_slates_and_keeps_good_ones(case):
    size, rows = case
    choices = np.array(rows)
    fixed = replace_repeats(choices, size)
    for before, after in zip(choices, fixed, strict=True):
        assert len(set(after.tolist())) == len(after)
        assert ((after >= 0) & (after < size)).all()
        assert after[0] == before[0]
        if len(set(before.tolist())) == len(before):
            assert (before == after).all()
