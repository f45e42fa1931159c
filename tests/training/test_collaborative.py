"""Who agrees with whom: planted groups are found again, from training rows alone."""

from dataclasses import replace

import numpy as np
import pytest

from simenv.data.rating_baselines import BiasModel
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.collaborative import (
    CollaborativeSpace,
    Placed,
    Prior,
    collaborative_space,
    peers_of,
    space_of,
)
from training.groups.quality import cluster_quality

NUM_USERS, NUM_ITEMS = 120, 60
GROUPS = np.arange(NUM_USERS) % 3


def planted(seed=0, rows=30):
    """Three groups, each of which loves another third of the items, for no reason told."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(NUM_USERS), rows)
    items = np.concatenate([rng.permutation(NUM_ITEMS)[:rows] for _ in range(NUM_USERS)])
    liked = items % 3 == GROUPS[users]
    stars = 3.0 + rng.normal(0, 0.3, NUM_USERS)[users] + np.where(liked, 1.0, -0.5)
    ratings = np.clip((stars + rng.normal(0, 0.4, len(users))).round(), 1, 5)
    return InteractionLog.from_columns(
        users, items, ratings, num_users=NUM_USERS, num_items=NUM_ITEMS
    )


def first_and_last(log, share=0.6):
    places = np.arange(len(log)) - np.repeat(log.offsets()[:-1], np.diff(log.offsets()))
    early = places < share * 30
    return log.take(early), log.take(~early)


def test_people_of_a_planted_group_lie_together():
    train, _ = first_and_last(planted())
    space = collaborative_space(train, 4)
    found = cluster_quality(space.place(train).vectors, 3, known=GROUPS)
    assert found.known > 0.9
    assert found.stability > 0.9


def test_later_ratings_are_foretold_better_than_by_biases():
    train, later = first_and_last(planted())
    space = collaborative_space(train, 4)
    said = space.peers(space.place(train)).stars(later.users, later.items[:, None])[:, 0]
    plain = BiasModel().fit(train).predict(later.users, later.items)
    error, biased = (np.sqrt(np.mean((x - later.ratings) ** 2)) for x in (said, plain))
    assert error < 0.8 * biased


def test_a_bias_is_a_mean_drawn_to_nothing_by_four_ratings():
    """One person, two items whose vectors are 0 (nobody else rated): Σ rest / (rows + 4)."""
    log = InteractionLog.from_columns([0, 0], [0, 1], [4.0, 5.0], num_users=1, num_items=2)
    space = replace(
        collaborative_space(log, 1),
        mean=3.0,
        item_biases=np.array([0.5, 0.0]),
        item_vectors=np.zeros((2, 1)),
    )
    assert space.place(log).biases == pytest.approx([(0.5 + 2.0) / (2 + 4)])


def test_a_vector_is_a_ridge_whose_prior_grows_with_the_rows():
    """[[2+4, 1+0], [1+0, 1+0+2+0.5·2]] (bias, vector) = [3, 1], by Cramer's rule."""
    log = InteractionLog.from_columns([0, 0], [0, 1], [4.0, 5.0], num_users=1, num_items=2)
    space = replace(
        collaborative_space(log, 1, prior=Prior(2.0, 0.5)),
        mean=3.0,
        item_biases=np.zeros(2),
        item_vectors=np.array([[1.0], [0.0]]),
    )
    placed = space.place(log)
    determinant = 6 * 4 - 1
    assert placed.biases == pytest.approx([(3 * 4 - 1 * 1) / determinant])
    assert placed.vectors[0] == pytest.approx([(6 * 1 - 1 * 3) / determinant])


def test_somebody_without_ratings_is_average():
    train, _ = first_and_last(planted())
    nobody = InteractionLog.from_columns([], [], [], num_users=1, num_items=NUM_ITEMS)
    placed = collaborative_space(train, 4).place(nobody)
    assert placed.biases.tolist() == [0.0]
    assert not placed.vectors.any()


def test_people_are_placed_each_by_their_own_rows():
    log = planted()
    space = collaborative_space(log, 4)
    alone = space.place(log.only_users(np.array([5])))
    np.testing.assert_allclose(space.place(log).vectors[5], alone.vectors[5])


def test_nothing_later_than_the_split_is_known():
    """Law 7: other test rows, the same peers and vectors."""
    world = synthetic(3, num_users=40, num_items=30)
    changed = replace(world.test, ratings=6.0 - world.test.ratings)
    other = replace(world, test=changed)
    np.testing.assert_array_equal(peers_of(world).people, peers_of(other).people)
    np.testing.assert_array_equal(space_of(world).item_vectors, space_of(other).item_vectors)


def test_a_space_is_other_peoples_where_those_are_known():
    """Their own rows then only place them, so that no rating asked about shapes the space."""
    world, others = synthetic(3, num_users=40, num_items=30), synthetic(4, 50, 30).train
    found = space_of(replace(world, background=others))
    np.testing.assert_array_equal(found.item_vectors, collaborative_space(others).item_vectors)
    np.testing.assert_array_equal(
        space_of(world).item_vectors, collaborative_space(world.train).item_vectors
    )


def test_what_people_alike_gave_is_mean_and_biases_and_liking():
    space = CollaborativeSpace(3.0, np.array([0.25, -1.0]), np.array([[1.0], [2.0]]), Prior())
    people = Placed(np.array([0.5, -3.0]), np.array([[0.5], [0.0]]))
    stars = space.peers(people).stars(np.array([0, 1]), np.array([[0, 1], [0, 1]]))
    assert stars[0] == pytest.approx([3 + 0.5 + 0.25 + 0.5, 3 + 0.5 - 1 + 1])
    assert stars[1] == pytest.approx([1.0, 1.0]), "never less than a star"


def test_the_log_is_as_it_was_and_a_seed_repeats():
    log = planted()
    kept = log.ratings.copy()
    first, again = (collaborative_space(log, 4, num_rounds=2).item_vectors for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(log.ratings, kept)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"width": 0}, "width"),
        ({"prior": Prior(0.0)}, "prior.start"),
        ({"prior": Prior(1.0, -1.0)}, "prior.growth"),
        ({"num_rounds": 0}, "num_rounds"),
        ({"seed": -1}, "a seed"),
    ],
)
def test_settings_out_of_range_are_refused(how, text):
    with pytest.raises(ValueError, match=text):
        collaborative_space(planted(), **how)


def test_an_empty_log_is_refused():
    empty = InteractionLog.from_columns([], [], [], num_users=1, num_items=1)
    with pytest.raises(ValueError, match="wanted training rows, got none"):
        collaborative_space(empty)
