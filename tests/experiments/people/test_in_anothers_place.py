"""The swap test: everybody is somebody else, with all that is theirs."""

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from experiments.people.in_anothers_place import another, swapped
from simenv.data.synthetic import synthetic
from training.populate import population_on


@pytest.mark.parametrize("num_users", [2, 3, 40])
def test_everybody_is_answered_for_by_somebody_else_and_nobody_by_two(num_users):
    for seed in range(5):
        lot = another(num_users, seed)
        assert (lot != np.arange(num_users)).all()
        assert sorted(lot.tolist()) == list(range(num_users))


def test_profile_rows_reasons_and_what_people_alike_gave_come_along():
    people = population_on(
        synthetic(7, num_users=6, num_items=30), "pocket", PromptStyle(peers=True)
    )
    found, lot = swapped(people, 0), another(6, 0)
    assert found.personas == [people.personas[u] for u in lot]
    np.testing.assert_array_equal(found.peers.people, people.peers.people[lot])
    np.testing.assert_array_equal(found.peers.items, people.peers.items)
    starts, own = people.history.offsets(), found.history.offsets()
    for user, whose in enumerate(lot.tolist()):
        now, then = slice(own[user], own[user + 1]), slice(starts[whose], starts[whose + 1])
        np.testing.assert_array_equal(found.history.items[now], people.history.items[then])
        np.testing.assert_array_equal(found.history.ratings[now], people.history.ratings[then])
        assert found.reasons[now] == people.reasons[then]
