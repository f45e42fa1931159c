"""Worlds of a log: people with windows of their rows, and everybody else as background."""

import numpy as np
import pytest

from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.base.log_worlds import LogWorlds

SOURCE = synthetic(41, num_users=60, num_items=200)
WORLDS = LogWorlds(SOURCE.catalog, SOURCE.train, users_per_world=10, min_rows=15, max_rows=30)


def rows_of(log: InteractionLog) -> set[tuple[int, float]]:
    return set(zip(log.items.tolist(), log.ratings.tolist(), strict=True))


def test_a_world_holds_windows_of_its_people_and_all_rows_of_the_others():
    world = WORLDS(3)
    assert world.num_users == 10
    sizes = np.bincount(world.train.users) + np.bincount(world.test.users)
    assert sizes.min() >= 15
    assert sizes.max() <= 30
    able = {int(i) for i in world.user_ids}
    for place, name in enumerate(world.user_ids):
        own = SOURCE.train.only_users(np.array([int(name)]))
        told = rows_of(world.train.only_users(np.array([place])))
        told |= rows_of(world.test.only_users(np.array([place])))
        assert told <= rows_of(own)
    others = SOURCE.train.only_users(np.array([u for u in range(60) if u not in able]))
    assert len(world.background) == len(others)


def test_a_window_is_a_stretch_of_consecutive_rows():
    world = WORLDS(3)
    for place, name in enumerate(world.user_ids):
        own = SOURCE.train.only_users(np.array([int(name)])).items.tolist()
        told = world.train.only_users(np.array([place])).items.tolist()
        told += world.test.only_users(np.array([place])).items.tolist()
        first = own.index(told[0])
        assert own[first : first + len(told)] == told


def test_the_number_decides_the_world():
    np.testing.assert_array_equal(WORLDS(1).train.items, WORLDS(1).train.items)
    assert WORLDS(1).user_ids != WORLDS(2).user_ids


def test_averages_do_not_know_later_rows():
    world = WORLDS(4)
    counts = np.bincount(world.train.items, minlength=200)
    counts += np.bincount(world.background.items, minlength=200)
    np.testing.assert_array_equal(world.averages.counts, counts)


def test_a_log_with_too_few_people_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"users_per_world=500 people .* found \d+; lower one"):
        LogWorlds(SOURCE.catalog, SOURCE.train, users_per_world=500, min_rows=15)
