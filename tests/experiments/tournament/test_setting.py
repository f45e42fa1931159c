"""What every policy meets alike."""

from types import SimpleNamespace

import pytest

from experiments.tournament.setting import evaluation_users, policy_makers
from recommenders.policies.ease import EASE
from simenv.events import InteractionLog


def test_evaluation_users_have_a_past_and_something_to_find():
    train = InteractionLog.from_columns([0, 1, 2], [0, 0, 0], [4, 4, 4], num_users=4, num_items=3)
    test = InteractionLog.from_columns([0, 1, 3], [1, 1, 1], [5, 2, 5], num_users=4, num_items=3)
    dataset = SimpleNamespace(name="toy", train=train, test=test)
    assert evaluation_users(dataset, 10, 4.0, seed=0).tolist() == [0]
    with pytest.raises(ValueError, match="no user with training rows and a held-out rating"):
        evaluation_users(dataset, 10, 5.5, seed=0)


def test_policies_are_made_anew_each_time_in_the_order_of_the_config():
    nodes = {"b": {"_target_": "recommenders.policies.ease.EASE", "l2": 3.0},
             "a": {"_target_": "recommenders.policies.heuristics.Random"}}  # fmt: skip
    makers = policy_makers(nodes)
    assert list(makers) == ["b", "a"]
    one, other = makers["b"](), makers["b"]()
    assert isinstance(one, EASE)
    assert one.l2 == 3.0
    assert one is not other
