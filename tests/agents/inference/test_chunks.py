"""Chunks of the fast forward: a partition, within the budget, prefixes side by side."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.inference.fast import make_chunks

rows = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 40)), min_size=1, max_size=60)


@given(rows, st.integers(1, 200))
def test_chunks_partition_the_rows_within_the_budget(drawn, most):
    prefixes, lengths = [p for p, _ in drawn], np.array([n for _, n in drawn])
    chunks = make_chunks(prefixes, lengths, most)
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(drawn)))
    for chunk in chunks:
        assert len(chunk) == 1 or len(chunk) * lengths[chunk].max() <= most


def test_a_slate_of_one_user_stays_together():
    chunks = make_chunks(["a", "b"] * 5, np.full(10, 80), 400)
    assert [sorted(chunk.tolist()) for chunk in chunks] == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
