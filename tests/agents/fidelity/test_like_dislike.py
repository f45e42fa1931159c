"""Agent4Rec's questions: what is asked about, and scores by hand."""

import numpy as np
import pytest

from agents.fidelity.like_dislike import _equally_popular, like_questions, like_scores
from simenv.events import InteractionLog

NUM_ITEMS = 40


def log(rows):
    users, items, ratings = (np.array(column) for column in zip(*rows, strict=True))
    return InteractionLog.from_columns(users, items, ratings, num_users=2, num_items=NUM_ITEMS)


TRAIN = log([(0, 0, 5.0), (1, 0, 1.0)])
TEST = log([(0, item, 4.0 if item < 5 else 3.0) for item in range(1, 8)] + [(1, 1, 5.0)])
POPULARITY = np.where(np.arange(NUM_ITEMS) % 2, 100, 1)


def asked(matched=False, negatives=1):
    rng = np.random.default_rng(0)
    return like_questions(TRAIN, TEST, POPULARITY, rng, negatives, 8 if negatives == 1 else 4,
                          matched)  # fmt: skip


def test_liked_held_out_items_are_asked_about_beside_items_never_met():
    found = asked()
    assert found.users.tolist() == [0]  # user 1 likes too few
    assert sorted(found.items[0][found.liked[0]].tolist()) == [1, 2, 3, 4]
    others = found.items[0][~found.liked[0]]
    assert len(set(others.tolist())) == 4
    assert others.min() >= 8  # 0 was learnt from, 5 to 7 were rated with three stars


def test_one_to_three_asks_about_a_quarter_of_liked_items():
    found = asked(negatives=3)
    assert found.users.tolist() == [0, 1]
    assert found.liked.sum(axis=1).tolist() == [1, 1]


def test_matched_negatives_are_as_popular_as_the_liked_items():
    found = asked(matched=True)
    liked = POPULARITY[found.items[0][found.liked[0]]]
    others = POPULARITY[found.items[0][~found.liked[0]]]
    assert sorted(liked.tolist()) == sorted(others.tolist()) == [1, 1, 100, 100]


def test_scores_by_hand_with_a_threshold():
    """Yes to the first three, of which two are liked, of two that are: 3 of 4 right."""
    scores = np.array([[5.0, 4.0, 4.0, 1.0]])
    found = like_scores(scores, np.array([[True, True, False, False]]), threshold=4.0)
    assert found.accuracy == pytest.approx([3 / 4])
    assert found.precision == pytest.approx([2 / 3])
    assert found.recall == pytest.approx([1])
    assert found.f1 == pytest.approx([2 * (2 / 3) / (2 / 3 + 1)])
    assert found.auc == pytest.approx([(1 + 1 + 0.5 + 1) / 4])


def test_where_the_number_of_likes_is_known_ties_at_the_border_share():
    """Two are liked: 5 gets a yes, both of 4 half a yes each: 1.5 hits."""
    scores, liked = np.array([[5.0, 4.0, 4.0, 1.0]]), np.array([[True, True, False, False]])
    found = like_scores(scores, liked)
    assert found.precision == found.recall == pytest.approx([1.5 / 2])
    assert found.accuracy == pytest.approx([(1.5 + 1.5) / 4])


def test_who_never_says_yes_has_no_precision_and_who_failed_no_figure():
    liked = np.array([[True, False], [True, False]])
    found = like_scores(np.array([[1.0, 1.0], [np.nan, 1.0]]), liked, threshold=4.0)
    assert np.isnan(found.precision[0])
    assert found.recall[0] == 0
    assert np.isnan([figure[1] for figure in found]).all()


def test_popularity_is_matched_by_its_ratio():
    """To 10 ratings 40 are nearer than 1 is: 41 / 11 against 11 / 2. Nothing is taken twice."""
    popularity = np.array([10, 1, 40, 10_000])
    found = _equally_popular(np.array([0]), np.array([1, 2, 3]), popularity, 3)
    assert found.tolist() == [2, 1, 3]
