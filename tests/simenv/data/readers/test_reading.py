"""What was read is a record: rows left out and why, scale, clock, split, and what is not used."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simenv.data.dataset import Dataset
from simenv.data.readers.custom import custom
from simenv.data.readers.movielens import movielens_1m
from simenv.data.reading_report import ReadingWarning, readings
from simenv.data.splits import is_training_row

TIMED = {"timestamp_column": "when"}


def write(folder: Path, num_rows: int = 100, sort_by: str = "when", **columns: object) -> Path:
    """Ten users' ratings of ten items, with prices that nothing reads."""
    rng = np.random.default_rng(3)
    n = np.arange(num_rows)
    frame = pd.DataFrame(
        {
            "user_id": n % 10,
            "item_id": (n // 10 + n) % 10,
            "rating": rng.integers(1, 6, num_rows),
            "when": 1_600_000_000 + rng.permutation(num_rows) * 86_400,
            "price": 9.5,
        }
    ).assign(**columns)
    file = folder / "shop.csv"
    frame.sort_values(sort_by).to_csv(file, index=False)
    return file


def quietly(*arguments: object, **settings: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return custom(*arguments, **settings)


def test_a_clean_log_says_what_was_read_and_warns_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = custom(write(tmp_path), num_users=4, **TIMED).reading
    assert reading.num_rows == reading.num_kept == 100
    assert (reading.times, reading.order) == ("seconds since 1970", None)
    assert (reading.scale, reading.scale_given, reading.rating_range) == ((1, 5), False, (1, 5))
    assert (reading.num_users, reading.num_users_used) == (10, 4)
    assert reading.unused_columns == ("price",)
    assert reading.warnings == ()
    assert reading.sentences() == [
        "shop.csv: 100 of 100 rating rows were read (0.0% left out).",
        "Ratings: 1 to 5 on a scale of 1 to 5, taken for granted (rating_scale is not given); 1"
        " became 1 star, 5 became 5.",
        "Times: seconds since 1970.",
        "Split: 60% of everybody's rows come first in time and are training rows, the rest is held"
        " out.",
        "Users: 4 of 10; only averages and baselines see the rows of the other 6.",
        "Items: 10, of which 0 have no rating; their ids are taken for titles (title_column is not"
        " given).",
        "Items are told as those of the domain 'item'.",
        "Columns that are not used: price.",
    ]
    json.dumps(reading.to_dict(), allow_nan=False)


def test_a_scale_that_nobody_gave_is_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, rating=np.arange(100) % 11)
    for policy in ("error", "drop"):
        with pytest.raises(
            ValueError,
            match=r"shop.csv has ratings from 0 to 10, of which 55.0% lie outside 1..5; give the"
            r" lowest and the highest rating that its scale has, as rating_scale=\[0,10\]$",
        ):
            custom(file, on_bad_rows=policy, **TIMED)
    reading = custom(file, rating_scale=(0, 10), **TIMED).reading
    assert (reading.scale, reading.scale_given, reading.num_kept) == ((0, 10), True, 100)
    assert "on a scale of 0 to 10, as given; 0 became 1 star, 10 became 5." in " ".join(
        reading.sentences()
    )


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), 5, "ten", (1, 2, 3), (0, np.inf), [None, 5]])
def test_a_scale_that_is_none_is_refused(tmp_path: Path, scale: object) -> None:
    with pytest.raises(ValueError, match=r"rating_scale must be \(lowest, highest\), got"):
        custom(write(tmp_path), rating_scale=scale, **TIMED)


def test_rows_left_out_are_counted_with_reasons_and_the_first_of_each(tmp_path: Path) -> None:
    ratings = np.where(np.arange(100) < 12, 9, 3)
    file = write(tmp_path, rating=ratings, user_id=np.where(np.arange(100) > 97, "", "a"))
    settings = {"rating_scale": (1, 5), "on_bad_rows": "drop", **TIMED}
    with pytest.warns(ReadingWarning, match=r"% of the rating rows of shop.csv were left out \("):
        reading = custom(file, **settings).reading
    assert reading.dropped["rating out of range"] == 12
    assert reading.dropped["malformed"] == 2
    assert reading.num_rows == 100 == reading.num_kept + sum(reading.dropped.values())
    assert reading.examples["rating out of range"][0].startswith("shop.csv, row ")
    assert len(reading.warnings) == 1
    assert "Left out as rating out of range: 12, first: shop.csv, row" in " ".join(
        reading.sentences()
    )


def test_five_percent_left_out_is_no_headline(tmp_path: Path) -> None:
    file = write(tmp_path, rating=np.where(np.arange(100) < 5, 9, 3))
    dataset = quietly(file, rating_scale=(1, 5), on_bad_rows="drop", **TIMED)
    assert (dataset.reading.dropped_share, dataset.reading.warnings) == (pytest.approx(0.05), ())


@pytest.mark.parametrize(
    ("sort_by", "text"),
    [
        ("when", "everybody is tested on the rows that stand last in the file; name the column"),
        ("item_id", "the rows are sorted by item, so everybody is tested on the same last items; "),
    ],
)
def test_a_log_without_times_says_that_its_order_is_taken_for_time(
    tmp_path: Path, sort_by: str, text: str
) -> None:
    file = write(tmp_path, sort_by=sort_by)
    with pytest.warns(
        ReadingWarning, match=r"shop.csv has no times \(timestamp_column\): its order.*" + text
    ):
        dataset = custom(file)
    assert "Times: none." in dataset.reading.sentences()
    assert dataset.reading.warnings[0].endswith('pass split="lot"')
    same = write(tmp_path, when=5)
    with pytest.warns(ReadingWarning, match=r"shop.csv has times that are all the same: its order"):
        custom(same, **TIMED)


def test_a_split_by_lot_tests_everybody_on_rows_of_their_own(tmp_path: Path) -> None:
    file = write(tmp_path, sort_by="item_id")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = custom(file, split="lot", seed=4)
    assert np.bincount(dataset.train.users).tolist() == [6] * 10
    assert len(np.unique(dataset.test.items)) > 4
    assert "are drawn by lot (seed 4) for training" in " ".join(dataset.reading.sentences())
    again, other = custom(file, split="lot", seed=4), custom(file, split="lot", seed=5)
    assert again.test.items.tolist() == dataset.test.items.tolist()
    assert other.test.items.tolist() != dataset.test.items.tolist()


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'split must be one of "time", "lot", .*, got \'random\''):
        custom(write(tmp_path), split="random", **TIMED)
    with pytest.raises(ValueError, match=r'split must be one of "time", "lot", .*, got \'x\''):
        is_training_row(custom(write(tmp_path), **TIMED).train, split="x")  # type: ignore[arg-type]


def test_items_without_titles_or_ratings_are_counted(tmp_path: Path) -> None:
    items = pd.DataFrame({"item_id": range(12), "title": ["", *"abcdefghijk"], "stock": 3})
    items.to_csv(tmp_path / "items.csv", index=False)
    reading = custom(
        write(tmp_path), items_path=tmp_path / "items.csv", title_column="title", **TIMED
    ).reading
    assert (reading.num_items, reading.num_items_unrated, reading.num_items_untitled) == (12, 2, 1)
    assert reading.unused_columns == ("price", "stock")


def test_published_sources_have_a_reading_too(ml_1m: Path) -> None:
    with readings() as found:
        dataset = movielens_1m(ml_1m)
        movielens_1m(ml_1m)
    assert found == [dataset.reading]
    assert (dataset.reading.file, dataset.reading.num_rows) == ("ratings.dat", 8)
    assert dataset.reading.num_items_unrated == 1
