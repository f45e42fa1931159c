import inspect

import pytest

from recommenders.base import Recommender
from simenv.policy import LearningPolicy, Policy


@pytest.mark.parametrize("wanted", [Policy, LearningPolicy])
def test_a_recommender_has_all_that_the_world_asks_of_a_policy(wanted):
    names = [name for name, _ in inspect.getmembers(wanted, inspect.isfunction) if name[0] != "_"]
    assert {"recommend", "update"} <= set(names)
    for name in names:
        asked = inspect.signature(getattr(wanted, name)).parameters
        assert list(inspect.signature(getattr(Recommender, name)).parameters) == list(asked)
    assert set(LearningPolicy.__annotations__) <= set(Recommender.__annotations__)
