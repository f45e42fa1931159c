"""Chunks of the fast forward: a partition, of about equal size, prefixes side by side."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.inference.fused.fused_forward import make_chunks

rows = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 40)), min_size=1, max_size=60)


@given(rows, st.integers(1, 200))
def test_chunks_partition_the_rows_and_are_about_as_large_as_asked(drawn, most):
    prefixes, lengths = [p for p, _ in drawn], np.array([n for _, n in drawn])
    chunks = make_chunks(prefixes, lengths, most)
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(drawn)))
    for chunk in chunks:
        assert lengths[chunk].sum() <= most + lengths.max()


@given(rows)
def test_rows_run_alone_where_no_two_fit(drawn):
    prefixes, lengths = [p for p, _ in drawn], [n for _, n in drawn]
    assert all(len(chunk) == 1 for chunk in make_chunks(prefixes, lengths, 1))


@given(rows, st.integers(1, 200))
def test_rows_of_one_prefix_are_neighbours(drawn, most):
    prefixes, lengths = [p for p, _ in drawn], [n for _, n in drawn]
    order = [prefixes[i] for chunk in make_chunks(prefixes, lengths, most) for i in chunk]
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert changes == len(set(prefixes)) - 1


def test_a_slate_of_one_user_stays_together():
    chunks = make_chunks(["a", "b"] * 5, [80] * 10, 400)
    assert [sorted(chunk.tolist()) for chunk in chunks] == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]


def test_two_cores_end_together():
    chunks = make_chunks(list("abcdef"), [100] * 6, 250)
    assert [len(chunk) for chunk in chunks] == [1, 2, 1, 2]
    assert len(make_chunks(["a"], [100], 250)) == 1, "too little for two"
