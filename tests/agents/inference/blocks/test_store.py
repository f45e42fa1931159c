"""A table of what was read: within its budget, least used out, what is needed kept together."""

import numpy as np
import pytest
import torch

from agents.inference.blocks.store import BlockTable

SHAPE = (2, 2, 1, 1, 4)
ROW = 4 * int(np.prod(SHAPE))  # bytes


def states(keys):
    """(L, 2, n, G, g, D), all of a text's numbers its key."""
    numbers = torch.tensor([float(key) for key in keys])
    return numbers.view(1, 1, -1, 1, 1, 1).expand(2, 2, len(keys), 1, 1, 4)


class Reader:
    """Counts what it had to read."""

    def __init__(self, rows):
        self.table, self.read = BlockTable(SHAPE, rows * ROW), []

    def __call__(self, keys, begin=True):
        if begin:
            self.table.begin()
        rows = self.table.rows(keys, self._states)
        np.testing.assert_array_equal(self.table.gather(rows)[:, 0, 0, 0, 0, 0], keys)
        return rows

    def _states(self, keys):
        self.read += keys
        return states(keys)


def test_a_text_is_read_once_however_often_it_is_asked_for():
    reader = Reader(8)
    assert reader([3, 5, 3]).tolist() == [0, 1, 0]
    reader([5, 3, 7])
    assert reader.read == [3, 5, 7]
    assert reader.table.stats[:3] == (4 - 1, 3, 0)


def test_the_budget_holds_for_ever_and_the_least_used_goes():
    reader = Reader(4)
    for key in range(50):
        reader([0, key])
    assert reader.read.count(0) == 1, "it was used every time"
    assert len(reader.table) <= 4
    assert reader.table.stats.num_bytes == 4 * ROW
    assert reader.table.stats.evictions == 50 - 4


def test_many_new_texts_at_once_take_the_place_of_as_many_old_ones():
    reader = Reader(40)
    reader(list(range(40)))
    reader(list(range(100, 130)))
    assert reader.table.stats.num_bytes == 40 * ROW
    reader(list(range(100, 130)))
    assert len(reader.read) == 70


def test_what_was_asked_for_since_the_beginning_is_kept_beyond_the_budget():
    reader = Reader(2)
    first = reader([1, 2])
    more = reader([3, 4, 5], begin=False)
    assert len({*first.tolist(), *more.tolist()}) == 5
    again = reader.table.gather(first)
    np.testing.assert_array_equal(again[:, 0, 0, 0, 0, 0], [1, 2])
    reader([6])
    assert reader.table.stats.evictions > 0, "from the next beginning on they may go"


def test_what_is_dropped_is_read_again_and_its_row_used_again():
    reader = Reader(8)
    reader([1, 2, 3])
    reader.table.drop(lambda key: key == 2)
    assert len(reader.table) == 2
    assert reader([4]).tolist() == [1], "the row of what was dropped"
    reader([2])
    assert reader.read == [1, 2, 3, 4, 2]
    assert reader.table.stats.num_bytes == 4 * ROW


def test_a_cleared_table_is_empty_and_goes_on():
    reader = Reader(8)
    reader([1, 2])
    reader.table.clear()
    assert (len(reader.table), reader.table.stats.num_bytes) == (0, 0)
    assert reader([2]).tolist() == [0]


def test_before_the_first_question_nothing_was_found():
    assert BlockTable(SHAPE, 100).stats.hit_rate == 0
    reader = Reader(8)
    reader([1])
    reader([1])
    assert reader.table.stats.hit_rate == pytest.approx(0.5)
