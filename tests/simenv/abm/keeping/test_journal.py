"""The columns of the interaction log, value by value."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simenv.abm.keeping.journal import Journal, TickRecord, no_tick
from simenv.events import Feedback, Slates

COLUMNS = {
    "tick": pa.int32(), "user": pa.int32(), "place": pa.int8(), "item": pa.int32(),
    "source": pa.int8(), "score": pa.float32(), "expected": pa.float32(), "rating": pa.int8(),
    "taken": pa.bool_(), "quit": pa.bool_(),
}  # fmt: skip


def record(tick):
    """Two users were shown two items each; the second leaves, a third failed."""
    feedback = Feedback(
        np.array([[5.0, 0.0], [0.0, 3.0]]),
        np.array([np.eye(5)[[4, 1]], [[0, 0, 0.5, 0.5, 0], [0, 0, 1, 0, 0]]]),
        np.array([[True, False], [False, True]]),
        np.array([False, True]),
    )
    slates = Slates(np.array([[10, 11], [12, 13]]), np.array([[0.5, 0.25], [-1.0, -2.0]]))
    return TickRecord(
        tick, np.array([7, 9]), slates, np.array([[0, 1], [2, 3]]), feedback, np.array([8])
    )


def test_a_row_is_a_shown_item_with_all_its_columns(tmp_path):
    journal = Journal(tmp_path)
    journal.add(record(4))
    journal.add(no_tick(5, 2))
    journal.flush(5)
    journal.join(tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert {field.name: field.type for field in table.schema} == COLUMNS
    assert table.to_pydict() == {
        "tick": [4, 4, 4, 4],
        "user": [7, 7, 9, 9],
        "place": [0, 1, 0, 1],
        "item": [10, 11, 12, 13],
        "source": [0, 1, 2, 3],
        "score": [0.5, 0.25, -1.0, -2.0],
        "expected": [5.0, 2.0, 3.5, 3.0],
        "rating": [5, 0, 0, 3],
        "taken": [True, False, False, True],
        "quit": [False, False, True, True],
    }


def test_ratings_come_back_in_order_and_later_parts_can_be_forgotten(tmp_path):
    journal = Journal(tmp_path)
    for tick in (1, 2, 3):
        journal.add(record(tick))
        journal.flush(tick)
    journal.flush(4)  # nothing waits, so nothing is written
    assert [path.name for path in journal.parts()] == [
        f"part-0000000{tick}.parquet" for tick in (1, 2, 3)
    ]
    journal.forget_after(2)
    given = list(journal.given())
    assert [part.ticks.tolist() for part in given] == [[1, 1], [2, 2]]
    for part in given:
        assert part.users.tolist() == [7, 9]
        assert part.items.tolist() == [10, 13]
        assert part.ratings.tolist() == [5.0, 3.0]


def test_a_society_without_a_folder_keeps_no_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(None)
    journal.add(record(1))
    journal.flush(1)
    assert journal.parts() == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_in_which_nobody_came_has_an_empty_log_of_the_same_columns(tmp_path):
    Journal(tmp_path).join(tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.num_rows == 0
    assert {field.name: field.type for field in table.schema} == COLUMNS
