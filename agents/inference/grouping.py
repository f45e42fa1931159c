"""The order in which requests are run: grouped by adapter and prefix, cut to a token budget. Pure.

Letters: ``n`` requests, ``g`` segments.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simenv.events import IntArray


class Segment(NamedTuple):
    """Requests that run in one forward pass, all on one adapter."""

    rows: IntArray  # indices into the caller's requests
    adapter: str | None


class Plan(NamedTuple):
    """A partition of the requests; the segments' rows together are a permutation of 0..n-1."""

    segments: list[Segment]

    @property
    def order(self) -> IntArray:
        """(n,) the caller's indices in the order they run."""
        rows = [segment.rows for segment in self.segments]
        return np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)

    @property
    def adapter_switches(self) -> int:
        """How often the adapter changes between neighbouring segments."""
        adapters = [segment.adapter for segment in self.segments]
        return sum(a != b for a, b in itertools.pairwise(adapters))


def make_plan(
    adapters: Sequence[str | None],
    prefixes: Sequence[str],
    lengths: IntArray,
    token_budget: int,
) -> Plan:
    """Order requests by (adapter, prefix, length) and cut them into segments.

    Args:
        adapters: (n,) adapter of each request.
        prefixes: (n,) equal prefixes are put side by side, in order of first appearance.
        lengths: (n,) tokens of each request, prefix included, > 0.
        token_budget: most tokens of a segment, padding included; a longer request runs alone.

    Returns:
        A plan that depends on its arguments alone; equal requests keep the caller's order.
    """
    n = len(adapters)
    if not n:
        return Plan([])
    adapter_rank = _first_seen(["" if a is None else f"+{a}" for a in adapters])
    prefix_rank = _first_seen(prefixes)
    order = np.lexsort((np.arange(n), lengths, prefix_rank, adapter_rank))
    cuts = _cuts(adapter_rank[order], np.asarray(lengths)[order], token_budget)
    return Plan([Segment(rows, adapters[int(rows[0])]) for rows in np.split(order, cuts)])


def equal_lengths(rows: Sequence[Sequence[int]]) -> list[IntArray]:
    """Indices of rows grouped by length, the shortest first; within a group in the rows' order."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    return [g for g in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(g)]


def _first_seen(values: Sequence[str]) -> IntArray:
    ranks: dict[str, int] = {}
    return np.array([ranks.setdefault(value, len(ranks)) for value in values], dtype=np.int64)


def _cuts(adapters: IntArray, lengths: IntArray, token_budget: int) -> list[int]:
    """Where segments start: at a new adapter, or where the padded size would pass the budget."""
    cuts, start, longest = [], 0, 0
    for row, (adapter, length) in enumerate(zip(adapters.tolist(), lengths.tolist(), strict=True)):
        longest = max(longest, length)
        full = longest * (row - start + 1) > token_budget
        if row > start and (full or adapter != adapters[start]):
            cuts.append(row)
            start, longest = row, length
    return cuts
