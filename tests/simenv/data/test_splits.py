"""The cold splits: who and what is unknown, and that nothing of it leaks into averages."""

import numpy as np
import pytest

from simenv.data.readers.bad_rows import BadRows
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.readers.user_sample import build_dataset
from simenv.data.splits import COLD_ROWS, cold_items, is_training_row, split_dataset
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog


@pytest.fixture(scope="module")
def rated() -> RatedCatalog:
    world = synthetic(4, num_users=40, num_items=200)
    parts = (world.train, world.test)
    log = InteractionLog.from_columns(
        *(np.concatenate([getattr(p, c) for p in parts]) for c in ("users", "items", "ratings")),
        np.concatenate([p.timestamps for p in parts]), num_users=40, num_items=200,
    )  # fmt: skip
    ids = tuple(str(user) for user in range(40))
    return RatedCatalog(world.catalog, log, ids, BadRows("error"))


def test_a_tenth_of_the_rated_items_is_cold_by_the_stated_draw(rated):
    new = cold_items(rated.log)
    items = np.unique(rated.log.items)
    chosen = items[np.random.default_rng(77).random(len(items)) < 0.1]
    assert np.flatnonzero(new).tolist() == chosen.tolist()


@pytest.mark.parametrize("regime", ["population", "same_rows"])
def test_cold_items_stand_in_no_training_row_and_all_questions_are_about_them(rated, regime):
    data = build_dataset("x", rated, num_users=20, split="cold_items", regime=regime)
    plain = build_dataset("x", rated, num_users=20, regime=regime)
    new = cold_items(rated.log) if regime == "population" else cold_items(whole(plain))
    known = [data.train, *([data.background] if data.background else [])]
    assert not any(new[log.items].any() for log in known)
    assert (data.averages.counts[new] == 0).all()
    assert new[data.test.items].all()
    assert len(data.test) == new[plain.test.items].sum() > 0
    assert len(data.train) == (~new[plain.train.items]).sum()
    assert "only they are asked about" in data.reading.split


def whole(data) -> InteractionLog:
    columns = [np.concatenate([getattr(p, c) for p in (data.train, data.test)])
               for c in ("users", "items", "ratings")]  # fmt: skip
    return InteractionLog.from_columns(*columns, num_users=data.num_users, num_items=200)


def test_cold_people_are_known_by_their_first_rows_and_asked_about_the_same_later_ones(rated):
    data = build_dataset("x", rated, split="cold_people")
    plain = build_dataset("x", rated)
    wanted = np.minimum(np.resize(COLD_ROWS, 40), np.diff(plain.train.offsets()))
    assert np.diff(data.train.offsets()).tolist() == wanted.tolist()
    starts = plain.train.offsets()
    first = [i for u in range(40) for i in range(starts[u], starts[u] + wanted[u])]
    assert (data.train.items == plain.train.items[first]).all()
    assert (data.test.items == plain.test.items).all()


def test_the_early_rows_of_the_cold_splits_are_those_in_time(rated):
    for split in ("cold_items", "cold_people"):
        assert (is_training_row(rated.log, 0.6, split) == is_training_row(rated.log, 0.6)).all()


def test_global_time_knows_no_row_of_anybody_behind_one_moment(rated):
    times = np.random.default_rng(0).permutation(len(rated.log)).astype(float)
    columns = (getattr(rated.log, c) for c in ("users", "items", "ratings"))
    log = InteractionLog.from_columns(*columns, times, num_users=40, num_items=200)
    data = build_dataset("x", rated._replace(log=log), num_users=20, split="global_time")
    known = np.concatenate([data.train.timestamps, data.background.timestamps])
    assert known.max() < data.test.timestamps.min()
    assert len(known) == np.ceil(0.6 * len(log))
    assert data.averages.counts.sum() == len(known)
    assert data.reading.split.startswith("60% of all ratings come first in time")
    assert is_training_row(log, 0.6, "global_time").sum() == np.ceil(0.6 * len(log))


def of_few(split, rows):
    columns = (np.array(column) for column in zip(*rows, strict=True))
    log = InteractionLog.from_columns(*columns, num_users=2, num_items=200)
    world = synthetic(4, num_users=40, num_items=200)
    return split_dataset("few", world.catalog, log, ("a", "b"), split=split)


def test_a_cold_split_without_anything_to_ask_is_refused():
    """Of four films none is cold by this lot; one rating a person leaves no later one."""
    rows = [(u, i, 3.0 + u) for u in range(2) for i in range(4)]
    with pytest.raises(
        ValueError,
        match=r'split="cold_items" wanted later ratings of cold items \(0 of 4\) to ask about, got'
        r' none among the 8 rows of 2 people; bring more ratings, lower fraction, or take split="t',
    ):
        of_few("cold_items", rows)
    with pytest.raises(ValueError, match=r'split="cold_people" wanted later ratings to ask about'):
        of_few("cold_people", [(0, 0, 5.0), (1, 1, 3.0)])
    assert len(of_few("cold_people", rows).test) == 2
