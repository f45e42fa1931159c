"""Halves of a log: every row stands in one, no row on both sides, and all users stay."""

import numpy as np
import pytest

from simenv.data.evidence import in_first_half, views_of
from simenv.data.synthetic import synthetic


@pytest.fixture(scope="module")
def world():
    return synthetic(3, num_users=30, num_items=60)


def pairs(log):
    return set(zip(log.users.tolist(), log.items.tolist(), log.ratings.tolist(), strict=True))


def test_shared_evidence_is_the_log_itself(world):
    [view] = views_of(world)
    assert view.policies is world
    assert view.people is world


def test_independent_people_share_no_row_with_the_policies(world):
    views = views_of(world, "independent", seed=4)
    assert len(views) == 2
    for view in views:
        own, judged = pairs(view.people.train), pairs(view.policies.train)
        assert own
        assert not own & judged
        assert own | judged == pairs(world.train)
    assert pairs(views[0].people.train) == pairs(views[1].policies.train)
    assert pairs(views[1].people.train) == pairs(views[0].policies.train)


def test_mixed_people_know_every_row_and_policies_half(world):
    for view in views_of(world, "mixed"):
        assert view.people is world
        assert pairs(view.policies.train) < pairs(world.train)


def test_what_a_policy_did_not_learn_from_is_held_out_for_it_and_stays_in_time(world):
    for view in views_of(world, "independent"):
        assert pairs(view.policies.test) == pairs(world.train) - pairs(view.policies.train) | pairs(
            world.test
        )
        test = view.policies.test
        same = test.users[1:] == test.users[:-1]
        assert (np.diff(test.timestamps)[same] >= 0).all()
        assert view.people.test is world.test


def test_averages_are_of_all_training_rows(world):
    for view in views_of(world, "independent"):
        assert view.people.averages is world.averages


def test_everybody_is_halved_and_odd_rows_go_either_way(world):
    counts = np.diff(world.train.offsets())
    odd, larger = counts % 2 == 1, []
    for seed in range(20):
        first = in_first_half(world.train, seed)
        own = np.bincount(world.train.users[first], minlength=world.num_users)
        assert (np.abs(2 * own - counts) <= 1).all()
        larger.append((2 * own > counts)[odd])
    assert 0.2 < np.mean(larger) < 0.8


def test_another_seed_gives_other_halves_and_the_same_gives_the_same(world):
    halves = [in_first_half(world.train, seed) for seed in (0, 0, 1)]
    assert (halves[0] == halves[1]).all()
    assert (halves[0] != halves[2]).any()


def test_a_rows_half_does_not_depend_on_other_users(world):
    few = world.train.only_users(np.arange(5))
    mine = world.train.users < 5
    assert (in_first_half(few, 7) == in_first_half(world.train, 7)[mine]).all()


def test_evidence_is_one_of_three(world):
    with pytest.raises(
        ValueError, match='evidence must be one of "shared", "independent", "mixed"'
    ):
        views_of(world, "other")
