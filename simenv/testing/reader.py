"""What every data reader must keep, whoever wrote it: subclass the contract and give a fixture.

class TestMine(ReaderContract):
    @pytest.fixture
    def write_source(self):
        def write(folder, rows):  # writes the files: items 1 to NUM_ITEMS, and the rows in order
            ...
            return partial(my_reader, folder)  # called with the settings of a protocol
        return write
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRowError, BadRowsWarning
from simenv.data.splits import stacked
from simenv.item_averages import ItemAverages

NUM_USERS, NUM_ITEMS = 6, 10
_SIZES = (3, 5, 6, 8, 10, 4)  # ratings of users 1 to 6


class Row(NamedTuple):
    """One rating as the source holds it."""

    user: int  # from 1
    item: int  # 1 to NUM_ITEMS
    stars: int
    time: int


Read = Callable[..., Dataset]
WriteSource = Callable[[Path, Sequence[Row]], Read]
Rated = list[tuple[str, float]]  # (item's id, stars) in time order

_UNUSABLE = {  # each is added as the earliest row of user 1, who rated items 2, 5 and 8
    "rating out of range": Row(1, 1, 99, 0),
    "unknown item": Row(1, 99, 3, 0),
    "rated again later": Row(1, 2, 1, 0),
}


def rows_of_source() -> list[Row]:
    """Six users' ratings in time order; nobody rates an item twice."""
    rows = [
        Row(
            user,
            (user + 3 * turn) % NUM_ITEMS + 1,
            (7 * user + 3 * turn) % 5 + 1,
            100 * turn + user,
        )
        for user, size in enumerate(_SIZES, start=1)
        for turn in range(size)
    ]
    return sorted(rows, key=lambda row: row.time)


def rated_by(dataset: Dataset) -> dict[str, Rated]:
    """User's id → all rows, training rows first."""
    found: dict[str, Rated] = {name: [] for name in dataset.user_ids}
    for log in (dataset.train, dataset.test):
        columns = (log.users.tolist(), log.items.tolist(), log.ratings.tolist())
        for user, item, stars in zip(*columns, strict=True):
            found[dataset.user_ids[user]].append((dataset.catalog.external_ids[item], stars))
    return found


class ReaderContract:
    """The tests. A source without times sets ``has_times = False``: its order is the order."""

    has_times: ClassVar[bool] = True

    @pytest.fixture
    def source(self, write_source: WriteSource, tmp_path: Path) -> Callable[..., Read]:
        """Writes rows, backwards where times say the order, and returns the reader of them."""

        def write(rows: Sequence[Row]) -> Read:
            return write_source(tmp_path, rows[::-1] if self.has_times else rows)

        return write

    @pytest.fixture
    def read(self, source: Callable[..., Read]) -> Read:
        """The reader of a source without any fault."""
        return source(rows_of_source())

    def test_every_user_keeps_all_ratings_in_time_order(self, read: Read) -> None:
        expected: dict[str, Rated] = {str(user): [] for user in range(1, NUM_USERS + 1)}
        for row in rows_of_source():
            expected[str(row.user)].append((str(row.item), float(row.stars)))
        assert rated_by(read()) == expected

    @pytest.mark.parametrize(("fraction", "sizes"), [(0.6, (2, 3, 4, 5, 6, 3)), (1.0, _SIZES)])
    def test_the_first_rows_of_every_user_are_training_rows(
        self, read: Read, fraction: float, sizes: tuple[int, ...]
    ) -> None:
        dataset = read(fraction=fraction)
        assert np.bincount(dataset.train.users).tolist() == list(sizes)
        assert len(dataset.train) + len(dataset.test) == sum(_SIZES)

    def test_users_and_items_are_numbered_without_gaps(self, read: Read) -> None:
        dataset = read(num_users=4)
        assert np.unique(dataset.train.users).tolist() == [0, 1, 2, 3]
        assert len(set(dataset.user_ids)) == dataset.num_users == 4
        assert dataset.train.num_items == dataset.test.num_items == dataset.num_items
        assert {str(item) for item in range(1, NUM_ITEMS + 1)} == set(dataset.catalog.external_ids)
        assert all(dataset.catalog.titles)

    def test_drawn_users_keep_their_own_rows(self, read: Read) -> None:
        everybody, drawn = rated_by(read()), rated_by(read(num_users=3, seed=5))
        assert drawn == {name: everybody[name] for name in drawn}

    def test_the_seed_decides_who_is_drawn(self, read: Read) -> None:
        draws = [read(num_users=2, seed=seed).user_ids for seed in range(6)]
        assert draws == [read(num_users=2, seed=seed).user_ids for seed in range(6)]
        assert len(set(draws)) > 1

    def test_bounds_on_the_number_of_ratings_are_included(self, read: Read) -> None:
        assert read(min_ratings=4, max_ratings=6).user_ids == ("2", "3", "6")
        with pytest.raises(ValueError, match=r"wanted 4 users with 4 to 6 ratings, found 3; widen"):
            read(min_ratings=4, max_ratings=6, num_users=4)

    def test_the_background_is_everybody_else_whole(self, read: Read) -> None:
        dataset = read(num_users=2)
        assert dataset.background is not None
        assert dataset.background.num_users == NUM_USERS - 2
        sizes = sorted(np.bincount(dataset.background.users).tolist())
        drawn = [len(rows) for rows in rated_by(dataset).values()]
        assert sorted(sizes + drawn) == sorted(_SIZES)
        assert read(num_users=2, regime="same_rows").background is None

    @pytest.mark.parametrize("regime", ["same_rows", "population"])
    def test_averages_are_of_training_rows_and_background(self, read: Read, regime: str) -> None:
        dataset = read(num_users=3, regime=regime)
        known = stacked(dataset.train, dataset.background)
        expected = ItemAverages.of(known, dataset.catalog)
        for name in ("means", "counts", "fair"):
            np.testing.assert_array_equal(
                getattr(dataset.averages, name), getattr(expected, name), err_msg=name
            )

    def test_a_test_rating_changes_nothing_that_is_learnt(
        self, source: Callable[..., Read]
    ) -> None:
        rows = rows_of_source()
        before = source(rows)()
        changed = source([*rows[:-1], rows[-1]._replace(stars=rows[-1].stars % 5 + 1)])()
        assert changed.test.ratings.tolist() != before.test.ratings.tolist()
        assert changed.train.ratings.tolist() == before.train.ratings.tolist()
        np.testing.assert_array_equal(changed.averages.fair, before.averages.fair)

    @pytest.mark.parametrize("fault", _UNUSABLE)
    def test_an_unusable_row_is_an_error_or_is_dropped_and_counted(
        self, source: Callable[..., Read], fault: str
    ) -> None:
        read = source([_UNUSABLE[fault], *rows_of_source()])
        with pytest.raises(BadRowError, match=r'row \d+: .+; .+, or pass on_bad_rows="drop"'):
            read()
        with pytest.warns(BadRowsWarning, match="dropped 1 bad rows: 1 "):
            dataset = read(on_bad_rows="drop")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            clean = source(rows_of_source())(on_bad_rows="drop")
        assert rated_by(dataset) == rated_by(clean)

    def test_settings_that_do_not_exist_are_refused(self, read: Read) -> None:
        with pytest.raises(TypeError, match="num_user"):
            read(num_user=3)
        with pytest.raises(ValueError, match="regime must be one of"):
            read(regime="all")
