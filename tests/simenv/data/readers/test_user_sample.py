"""Who is drawn, and law 7: nothing but training rows and other people's rows enters an average."""

from pathlib import Path

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.data.readers.bad_rows import BadRows
from simenv.data.readers.movielens import movielens_1m
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.readers.user_sample import build_dataset, draw_users
from simenv.data.splits import stacked
from simenv.events import InteractionLog


def rated(num_users: int = 30, num_items: int = 12, seed: int = 0) -> RatedCatalog:
    """User u rated 1 + u mod 10 items."""
    rng = np.random.default_rng(seed)
    counts = 1 + np.arange(num_users) % 10
    users = np.repeat(np.arange(num_users), counts)
    items = np.concatenate([rng.permutation(num_items)[:c] for c in counts])
    log = InteractionLog.from_columns(
        users, items, rng.integers(1, 6, len(users)), num_users=num_users, num_items=num_items
    )
    titles = tuple(f"Item {i}" for i in range(num_items))
    catalog = Catalog(titles, np.zeros(num_items, dtype=np.int64), ((),) * num_items)
    return RatedCatalog(catalog, log, tuple(f"u{u}" for u in range(num_users)), BadRows())


def test_bounds_are_included_and_the_draw_is_the_generators() -> None:
    log = rated().log
    eligible = draw_users(log, low=4, high=6)
    assert eligible.tolist() == [3, 4, 5, 13, 14, 15, 23, 24, 25]
    drawn = draw_users(log, low=4, high=6, num_users=4, seed=7)
    expected = np.random.default_rng(7).choice(eligible, 4, replace=False)
    assert drawn.tolist() == sorted(expected.tolist())


def test_too_few_users() -> None:
    log = rated().log
    with pytest.raises(
        ValueError, match=r"wanted 10 users with 4 to 6 ratings, found 9; widen min"
    ):
        draw_users(log, low=4, high=6, num_users=10)
    with pytest.raises(
        ValueError, match=r"wanted some users with 99 to any number of ratings, fou"
    ):
        draw_users(log, low=99)


def test_user_without_rows_is_never_drawn() -> None:
    log = InteractionLog.from_columns([1], [0], [3.0], num_users=3, num_items=1)
    assert draw_users(log).tolist() == [1]


def test_same_rows_averages_only_the_drawn_users_training_rows() -> None:
    source = rated()
    dataset = build_dataset("d", source, min_ratings=4, num_users=5, seed=1, regime="same_rows")
    assert dataset.background is None
    assert dataset.averages.counts.sum() == len(dataset.train)
    sums = np.bincount(dataset.train.items, dataset.train.ratings, source.log.num_items)
    assert dataset.averages.means * dataset.averages.counts == pytest.approx(sums)


def test_population_averages_everybody_else_and_training_rows() -> None:
    source = rated()
    dataset = build_dataset("d", source, min_ratings=4, num_users=5, seed=1)
    assert dataset.background is not None
    assert dataset.background.num_users == 25
    assert len(dataset.background) + len(dataset.train) + len(dataset.test) == len(source.log)
    expected = np.bincount(source.log.items) - np.bincount(dataset.test.items, minlength=12)
    assert dataset.averages.counts.tolist() == expected.tolist()


def test_both_regimes_draw_and_split_alike() -> None:
    datasets = [
        build_dataset("d", rated(), min_ratings=4, num_users=5, seed=1, regime=regime)
        for regime in ("same_rows", "population")
    ]
    assert datasets[0].user_ids == datasets[1].user_ids
    for part in ("train", "test"):
        logs = [getattr(dataset, part) for dataset in datasets]
        assert logs[0].users.tolist() == logs[1].users.tolist()
        assert logs[0].items.tolist() == logs[1].items.tolist()


def test_drawn_users_keep_their_own_rows_and_ids() -> None:
    source = rated()
    dataset = build_dataset("d", source, min_ratings=4, num_users=5, seed=1)
    for user, name in enumerate(dataset.user_ids):
        own = source.log.only_users(np.array([int(name[1:])]))
        items = [*dataset.train.items[dataset.train.users == user],
                 *dataset.test.items[dataset.test.users == user]]  # fmt: skip
        assert items == own.items.tolist()


def test_everybody_drawn_leaves_no_background() -> None:
    dataset = build_dataset("d", rated())
    assert dataset.background is None
    assert dataset.num_users == 30


def test_unknown_regime() -> None:
    with pytest.raises(ValueError, match=r"regime must be one of \('same_rows', 'population'\), g"):
        build_dataset("d", rated(), regime="all")  # type: ignore[arg-type]


@pytest.mark.parametrize("regime", ["same_rows", "population"])
def test_law_7_changing_test_ratings_changes_nothing_that_is_learnt(
    ml_1m: Path, regime: str
) -> None:
    """Users 1 and 2 are drawn (3 rows each); their last rows in time are test rows."""

    def load():
        return movielens_1m(ml_1m, min_ratings=3, regime=regime)  # type: ignore[arg-type]

    before = load()
    text = (ml_1m / "ratings.dat").read_text()
    changed = text.replace("1::3::5::30", "1::3::1::30").replace("2::3::4::13", "2::5::1::13")
    (ml_1m / "ratings.dat").write_text(changed)
    after = load()
    assert before.test.ratings.tolist() == [5.0, 4.0]
    assert after.test.ratings.tolist() == [1.0, 1.0]
    assert after.test.items.tolist() != before.test.items.tolist()
    assert after.averages.means.tolist() == before.averages.means.tolist()
    assert after.averages.counts.tolist() == before.averages.counts.tolist()
    for log in ("train", "background"):
        one, other = getattr(before, log), getattr(after, log)
        assert repr(one) == repr(other)


def test_law_7_changing_a_training_rating_is_seen(ml_1m: Path) -> None:
    """The check above can fail: a training row does enter the average."""
    before = movielens_1m(ml_1m, min_ratings=3).averages.means
    text = (ml_1m / "ratings.dat").read_text()
    (ml_1m / "ratings.dat").write_text(text.replace("1::1::3::10", "1::1::5::10"))
    # Film 1 is rated 3 and 2 in training, and 5 by user 4 of the background.
    assert before[0] == pytest.approx((3 + 2 + 5) / 3)
    assert movielens_1m(ml_1m, min_ratings=3).averages.means[0] == pytest.approx((5 + 2 + 5) / 3)


def test_stacked_numbers_other_people_after_the_users() -> None:
    train = InteractionLog.from_columns([0, 1], [0, 1], [1, 2], num_users=2, num_items=2)
    background = InteractionLog.from_columns([0], [1], [5], num_users=1, num_items=2)
    both = stacked(train, background)
    assert both.users.tolist() == [0, 1, 2]
    assert both.num_users == 3
    assert stacked(train, None) is train
