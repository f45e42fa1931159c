"""Law 5, on five shapes of work: who shares a prefix with whom, and how long requests are."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.inference.grouping import make_plan

N = 200
RNG = np.random.default_rng(0)
ZIPF = np.minimum(RNG.zipf(1.5, N), 40)
SHAPES = {
    "distinct": (np.arange(N), RNG.integers(5, 60, N)),
    "uniform": (RNG.integers(0, 20, N), RNG.integers(5, 60, N)),
    "zipf": (ZIPF, RNG.integers(5, 60, N)),
    "identical": (np.zeros(N, int), np.full(N, 30)),
    "skewed": (np.where(np.arange(N) == 7, 1, 0), np.where(np.arange(N) == 7, 2_000, 5)),
}
BUDGET = 300


def workload(shape):
    """(adapters, prefixes, lengths): every prefix belongs to one of three adapters or to none."""
    who, lengths = SHAPES[shape]
    names = (None, "a", "b", "c")
    return [names[w % 4] for w in who], [f"person {w}" for w in who], lengths


@pytest.mark.parametrize("shape", SHAPES)
def test_segments_partition_the_requests(shape):
    adapters, prefixes, lengths = workload(shape)
    plan = make_plan(adapters, prefixes, lengths, BUDGET)
    assert sorted(plan.order.tolist()) == list(range(N))
    assert all(len(segment.rows) for segment in plan.segments)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_segment_has_one_adapter_and_each_adapter_is_switched_to_once(shape):
    adapters, prefixes, lengths = workload(shape)
    plan = make_plan(adapters, prefixes, lengths, BUDGET)
    for segment in plan.segments:
        assert {adapters[row] for row in segment.rows} == {segment.adapter}
    assert plan.adapter_switches == len(set(adapters)) - 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_segment_keeps_the_token_budget_unless_one_request_is_longer(shape):
    adapters, prefixes, lengths = workload(shape)
    plan = make_plan(adapters, prefixes, lengths, BUDGET)
    for segment in plan.segments:
        padded = len(segment.rows) * lengths[segment.rows].max()
        assert padded <= BUDGET or len(segment.rows) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_prefixes_run_side_by_side_shortest_first(shape):
    adapters, prefixes, lengths = workload(shape)
    order = make_plan(adapters, prefixes, lengths, BUDGET).order
    runs = [prefix for prefix, _ in itertools.groupby(prefixes[row] for row in order)]
    assert len(runs) == len(set(prefixes))
    for left, right in itertools.pairwise(order):
        if prefixes[left] == prefixes[right]:
            assert (lengths[left], left) < (lengths[right], right)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_work_gives_the_same_plan(shape):
    plans = [make_plan(*workload(shape), BUDGET) for _ in range(2)]
    np.testing.assert_array_equal(plans[0].order, plans[1].order)


def test_identical_requests_keep_the_callers_order_and_fill_their_segments():
    plan = make_plan(*workload("identical"), BUDGET)
    assert plan.order.tolist() == list(range(N))
    assert {len(segment.rows) for segment in plan.segments} == {300 // 30}


def test_no_request_is_no_work():
    plan = make_plan([], [], np.zeros(0, dtype=np.int64), BUDGET)
    assert plan.segments == []
    assert plan.order.shape == (0,)
    assert plan.adapter_switches == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "", "a"]), st.sampled_from("pqr"), st.integers(1, 30)),
        max_size=40,
    ),
    st.integers(1, 80),
)
@settings(max_examples=60, deadline=None)
def test_the_law_holds_for_any_work_and_any_budget(work, budget):
    adapters = [a for a, _, _ in work]
    lengths = np.array([n for _, _, n in work], dtype=np.int64)
    plan = make_plan(adapters, [p for _, p, _ in work], lengths, budget)
    assert sorted(plan.order.tolist()) == list(range(len(work)))
    for segment in plan.segments:
        assert {adapters[row] for row in segment.rows} == {segment.adapter}
        padded = len(segment.rows) * lengths[segment.rows].max()
        assert padded <= budget or len(segment.rows) == 1
