"""Relevance: memories of items that people agree about come first; words decide where few rated."""

from dataclasses import replace

import numpy as np
import pytest

from agents.embedding import HashingEmbedder, TfidfSvdEmbedder
from agents.relevance import item_vectors
from simenv.catalog import Catalog
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages

WORLD = synthetic(31, num_users=300, num_items=60)


def test_vectors_are_unit_vectors_of_all_items():
    vectors = item_vectors(WORLD.catalog, WORLD.train, WORLD.averages)
    assert vectors.dtype == np.float32
    assert len(vectors) == 60
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_items_that_the_same_people_like_are_alike():
    """Two camps: one loves even items and hates odd ones, the other the opposite."""
    log = camps()
    vectors = item_vectors(WORLD.catalog, log, ItemAverages.of(log, WORLD.catalog))
    products = vectors @ vectors.T
    same = np.equal.outer(np.arange(60) % 2, np.arange(60) % 2) & ~np.eye(60, dtype=bool)
    assert products[same].min() > products[~same & ~np.eye(60, dtype=bool)].max()


def test_relevance_is_shared_taste_and_words_in_stars():
    """Products of vectors are cosines of AᵀA + 0.2² TTᵀ: every number of the module stands here.

    A holds stars beyond the fair average and beyond the user's own level (5 prior votes), an item's
    column divided by the root of its votes + 100; T are unit vectors of texts. Only eight items are
    rated, so that no direction is lost.
    """
    rng = np.random.default_rng(1)
    users, items = np.nonzero(rng.random((50, 8)) < 0.6)
    ratings = rng.integers(1, 6, len(users)).astype(float)
    log = InteractionLog.from_columns(users, items, ratings, num_users=50, num_items=60)
    beyond = np.zeros((50, 60))
    beyond[log.users, log.items] = log.ratings - WORLD.averages.fair[log.items]
    rated = np.zeros((50, 60))
    rated[log.users, log.items] = 1
    levels = beyond.sum(axis=1, keepdims=True) / (rated.sum(axis=1, keepdims=True) + 5)
    shown = rated * (beyond - levels) / np.sqrt(rated.sum(axis=0) + 100)
    texts = 0.2 * TfidfSvdEmbedder().embed(WORLD.catalog.texts())
    gram = shown.T @ shown + texts @ texts.T
    lengths = np.sqrt(np.diag(gram))
    vectors = item_vectors(WORLD.catalog, log, WORLD.averages)
    np.testing.assert_allclose(vectors @ vectors.T, gram / np.outer(lengths, lengths), atol=1e-5)


def test_words_say_nothing_of_camps():
    texts = TfidfSvdEmbedder().embed(WORLD.catalog.texts())
    products = texts @ texts.T
    same = np.equal.outer(np.arange(60) % 2, np.arange(60) % 2) & ~np.eye(60, dtype=bool)
    assert products[same].min() < products[~same].max()


def camps() -> InteractionLog:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(200), 30)
    items = np.concatenate([rng.choice(60, 30, replace=False) for _ in range(200)])
    ratings = np.where((users + items) % 2, 1.0, 5.0)
    return InteractionLog.from_columns(users, items, ratings, num_users=200, num_items=60)


def test_where_nobody_rated_words_decide():
    nobody = InteractionLog.from_columns([], [], [], num_users=3, num_items=60)
    texts = TfidfSvdEmbedder().embed(WORLD.catalog.texts())
    vectors = item_vectors(WORLD.catalog, nobody, WORLD.averages)
    np.testing.assert_allclose(vectors, texts, atol=1e-6)


def test_later_rows_do_not_matter():
    flipped = replace(WORLD, test=replace(WORLD.test, ratings=6 - WORLD.test.ratings))
    np.testing.assert_array_equal(
        item_vectors(flipped.catalog, flipped.train, flipped.averages),
        item_vectors(WORLD.catalog, WORLD.train, WORLD.averages),
    )


def test_of_what_ratings_show_32_directions_are_kept():
    words = TfidfSvdEmbedder().embed(WORLD.catalog.texts()).shape[1]
    assert item_vectors(WORLD.catalog, WORLD.train, WORLD.averages).shape == (60, 32 + words)


@pytest.mark.parametrize(
    ("num_users", "num_items", "width"),
    [(4, 60, 3), (3, 60, 2), (2, 60, 1), (1, 60, 0), (40, 5, 4), (40, 2, 1), (40, 1, 0)],
)
def test_few_people_or_items_show_fewer_directions_than_there_are_of_them(
    num_users, num_items, width
):
    """The last user has rated nothing."""
    catalog = Catalog(
        tuple(map(str, range(num_items))), np.zeros(num_items, int), ((),) * num_items
    )
    users, items = np.divmod(np.arange(max(num_users - 1, 1) * num_items), num_items)
    ratings = np.random.default_rng(0).integers(1, 6, len(users))
    log = InteractionLog.from_columns(
        users, items, ratings, num_users=num_users, num_items=num_items
    )
    averages = ItemAverages.of(log, catalog)
    found = item_vectors(catalog, log, averages, HashingEmbedder(num_dims=8))
    assert found.shape == (num_items, width + 8)
