from dataclasses import replace

import numpy as np
import pytest

from recommenders.base import cold_observation
from recommenders.evaluation.ranking_metrics import (
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    self_information,
    user_metrics,
)
from recommenders.policies.heuristics import Popularity, Random
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages


def make_dataset() -> Dataset:
    """Five items, item 0 rated by all three users, item 1 by users 0 and 1, item 2 by user 0.

    Popularity shows with k = 2: user 0 → [3, 4], user 1 → [2, 3], user 2 → [1, 2].
    """
    train = InteractionLog.from_columns(
        [0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 1, 0], [5] * 6, num_users=3, num_items=5
    )
    test = InteractionLog.from_columns(
        # User 0 liked 4. User 1 liked 3, 4, and again 0, which cannot be shown. User 2 liked none.
        users=[0, 0, 1, 1, 1, 2],
        items=[3, 4, 3, 4, 0, 1],
        ratings=[3, 4, 5, 4, 5, 3.5],
        num_users=3,
        num_items=5,
    )
    catalog = Catalog(tuple("abcde"), np.zeros(5, int), ((),) * 5)
    return Dataset("tiny", catalog, ItemAverages.of(train, catalog), train, test, ("0", "1", "2"))


def test_every_metric_is_its_arithmetic() -> None:
    data = make_dataset()
    found = user_metrics(Popularity().fit(data.train), data, k=2)
    second = 1 / np.log2(3)  # worth of a hit at place 2; at place 1 it is 1
    expected = {
        "recall": [1 / 1, 1 / 2],
        "precision": [1 / 2, 1 / 2],
        "hit_rate": [1, 1],
        "mrr": [1 / 2, 1 / 2],
        "ndcg": [second / 1, second / (1 + second)],
        # Raters of items 0..4: 3, 2, 1, 0, 0, and one imagined user who rated everything.
        "novelty": [(2 + 2) / 2, (1 + 2) / 2],
    }
    assert found.users.tolist() == [0, 1]  # user 2 has nothing to find
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(found, name), values, err_msg=name)


def test_users_can_be_chosen() -> None:
    data = make_dataset()
    found = user_metrics(Popularity().fit(data.train), data, k=2, users=np.array([1, 2]))
    assert (found.users.tolist(), found.recall.tolist()) == ([1], [1 / 2])


def test_a_lower_threshold_finds_more_positives() -> None:
    data = make_dataset()
    found = user_metrics(Popularity().fit(data.train), data, k=2, min_rating=3.0)
    assert found.users.tolist() == [0, 1, 2]
    assert found.recall.tolist() == [2 / 2, 1 / 2, 1 / 1]
    assert found.items.tolist() == [[3, 4], [2, 3], [1, 2]]


def test_recall_divides_by_all_positives_and_precision_by_all_places() -> None:
    hits = np.array([[True, False, True], [False, False, False]])
    assert recall(hits, np.array([5, 1])).tolist() == [2 / 5, 0]
    assert precision(hits).tolist() == [2 / 3, 0]


def test_surprise_is_the_information_of_having_rated() -> None:
    # 7 users and the imagined one: rated by all, by 3 + 1, by nobody but the imagined user.
    assert self_information(np.array([7, 3, 0]), 7).tolist() == [0, 1, 3]


def test_ndcg_divides_by_the_best_order_that_fits() -> None:
    hits = np.array([[True, False, True], [True, True, True], [False, False, False]])
    d = [1.0, 1 / np.log2(3), 1 / np.log2(4)]
    expected = [(d[0] + d[2]) / (d[0] + d[1]), 1.0, 0.0]
    np.testing.assert_allclose(ndcg(hits, np.array([2, 7, 1])), expected)


def test_reciprocal_rank_is_0_without_a_hit() -> None:
    hits = np.array([[False, False, True], [False, False, False], [True, False, True]])
    assert reciprocal_rank(hits).tolist() == [1 / 3, 0, 1]


def test_nothing_to_find_is_an_error() -> None:
    data = make_dataset()
    with pytest.raises(ValueError, match=r"none of 1 users has a held-out row with at least 4.0"):
        user_metrics(Popularity().fit(data.train), data, k=2, users=np.array([2]))


def test_a_policy_that_draws_shows_the_same_every_time_whatever_the_batches() -> None:
    """Six hundred users are more than one batch; ten items are shown unless asked otherwise."""
    num = 600
    train = InteractionLog.from_columns(
        np.arange(num), np.full(num, 29), np.full(num, 4), num_users=num, num_items=30
    )
    test = replace(train, items=np.arange(num) % 29)
    catalog = Catalog(tuple(map(str, range(30))), np.zeros(30, int), ((),) * 30)
    data = Dataset(
        "many", catalog, ItemAverages.of(train, catalog), train, test, tuple(map(str, range(num)))
    )
    policy = Random().fit(train)
    found = user_metrics(policy, data)
    alone = policy.recommend(cold_observation(np.arange(num)), 10, np.random.default_rng(0)).items
    np.testing.assert_array_equal(found.items, alone)
    hits = (alone == test.items[:, None]).any(axis=1)
    assert 0 < hits.sum() < num
    np.testing.assert_array_equal(found.hit_rate, hits)
    np.testing.assert_array_equal(found.recall, hits)
    assert found.hit_rate.dtype == np.float64
