"""Fair averages: who rated is taken out, and few votes are not believed."""

from pathlib import Path

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.catalog_file import load_items, save_items
from simenv.data.synthetic import WorldParameters, synthetic
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages, fair_averages

NO_GENRES = np.zeros((3, 0))
NO_YEARS = np.zeros(3, dtype=np.int64)


def log_of(users, items, ratings, num_users, num_items=3):
    return InteractionLog.from_columns(
        users, items, ratings, num_users=num_users, num_items=num_items
    )


def test_generosity_of_the_raters_is_taken_out():
    """All items are equally good; generous people rated items 0-19, strict ones 20-39.

    Everybody rated items 40-49, which tells how generous they are.
    """
    own = np.random.default_rng(0).integers(0, 20, (80, 20)) + 20 * (np.arange(80)[:, None] % 2)
    items = np.column_stack([own, np.tile(np.arange(40, 50), (80, 1))])
    users = np.repeat(np.arange(80), 30)
    ratings = np.where(users % 2, 2.0, 4.0)
    log = log_of(users, items.reshape(-1), ratings, 80, 50)
    fair = fair_averages(log, np.zeros((50, 0)), np.zeros(50, dtype=np.int64))
    raw_gap, gap = 2.0, fair[:20].mean() - fair[20:40].mean()
    assert 0 <= gap < raw_gap / 2


def test_one_vote_moves_little_and_fifty_move_much():
    def told(votes: int) -> float:
        users = np.concatenate([np.arange(100), np.arange(votes)])
        items = np.concatenate([np.arange(100) % 2, np.full(votes, 2)])
        ratings = np.concatenate([np.full(100, 3.0), np.full(votes, 5.0)])
        return float(fair_averages(log_of(users, items, ratings, 100), NO_GENRES, NO_YEARS)[2])

    assert 3.0 < told(1) < 3.6
    assert told(50) > told(1) + 0.8


def test_an_unrated_item_gets_what_its_genre_gets():
    rng = np.random.default_rng(0)
    genres = np.repeat(np.eye(2), 30, axis=0)  # 30 liked, 30 disliked
    items = rng.integers(0, 60, 3000)
    items = items[(items != 0) & (items != 59)]
    ratings = np.where(items < 30, 4.0, 2.0)
    log = log_of(rng.integers(0, 100, len(items)), items, ratings, 100, 60)
    fair = fair_averages(log, genres, np.zeros(60, dtype=np.int64))
    assert fair[0] > 3.3
    assert fair[59] < 2.7


def test_nothing_known_is_three_everywhere():
    fair = fair_averages(log_of([], [], [], 2), NO_GENRES, NO_YEARS)
    np.testing.assert_array_equal(fair, 3.0)


def test_they_are_closer_to_the_true_reputation_than_raw_averages():
    for seed in (21, 22, 23):
        world = synthetic(seed, parameters=WorldParameters(num_users=150, num_items=200))
        truth = world.truth.quality - world.truth.quality.mean()
        averages = world.averages
        known = averages.counts > 0
        raw = np.where(known, averages.means, averages.means[known].mean())
        errors = [np.sqrt(np.mean((x - x.mean() - truth) ** 2)) for x in (raw, averages.fair)]
        assert errors[1] < errors[0]


def test_means_and_counts_are_those_of_the_log():
    log = log_of([0, 1, 1], [0, 0, 2], [1, 2, 5], num_users=2)
    averages = ItemAverages.of(log, Catalog(("A", "B", "C"), NO_YEARS, ((),) * 3))
    assert averages.means.tolist() == [1.5, 0, 5]
    assert averages.counts.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(averages.fair, fair_averages(log, NO_GENRES, NO_YEARS))
    assert len(averages) == 3


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"of one length, got .*; give one number an item"):
        ItemAverages(np.zeros(2), np.zeros(3, dtype=np.int64), np.zeros(3))


def test_a_file_of_items_gives_back_what_was_saved(tmp_path: Path):
    world = synthetic(2, parameters=WorldParameters(num_users=20, num_items=30, kind="song"))
    save_items(tmp_path / "catalog.parquet", world.catalog, world.averages)
    catalog, averages = load_items(tmp_path / "catalog.parquet")
    for name in ("titles", "genres", "casts", "summaries", "external_ids", "kind"):
        assert getattr(catalog, name) == getattr(world.catalog, name)
    assert catalog.years.tolist() == world.catalog.years.tolist()
    for name in ("means", "counts", "fair"):
        assert getattr(averages, name).tolist() == getattr(world.averages, name).tolist()
