"""Attention of ``LlamaForward``: packed rows behind kept keys and values, on a CPU.

Queries of all rows behind one prefix lie side by side in the lanes of ``lanes``, so that a prefix
is read once for the rows that share it.

Letters: ``n`` rows (suffixes), ``t`` all their tokens, ``H`` query heads, ``G`` key heads, ``D``
head width, ``P`` positions. Numbers are float32, indices int64, arrays contiguous; nothing is
checked here.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import float32, int64

from agents.inference.fused.kernels import Floats, Integers, compiled
from agents.inference.fused.lanes import (
    KEYS,
    LANE,
    LANES,
    STRIDE,
    aligned_zeros,
    glance,
    kept_head,
    look,
    own_head,
)


class Rotation(NamedTuple):
    """Rotary positions."""

    cos: Floats  # (P, D/2)
    sin: Floats  # (P, D/2)
    across: Floats  # (2, D/2, P) both, positions side by side
    positions: Integers  # (t,) of every token; one more at every token of a row


class Rows(NamedTuple):
    """Rows of tokens and what stands before each."""

    bounds: Integers  # (n + 1,) the rows' first tokens, and t
    before: Integers  # (n, 2, 2) address and length of up to two states (layers, 2, G, length, D);
    # length 0 = none. Neighbours with one and the same first state share its reading.
    pieces: Integers  # (m, 4) ``pieces_of(bounds)``


def pieces_of(bounds: Integers) -> Integers:
    """(m, 4): row, first token, end and lanes of the parts of rows that fit into the lanes."""
    counts = -(-np.diff(bounds) // LANES)
    row = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = bounds[row] + number * LANES
    end = np.minimum(begin + LANES, bounds[row + 1])
    return np.stack([row, begin, end, -(-(end - begin) // LANE) * LANE], axis=1)


@compiled()
def _side_by_side(rows: Rows, first: int) -> tuple[int, int]:
    """End of the pieces from ``first`` on that share its first state and have room; their lanes."""
    pieces = rows.pieces
    shared = rows.before[pieces[first, 0], 0, 0]
    last, lanes = first, 0
    while (
        last < len(pieces)
        and rows.before[pieces[last, 0], 0, 0] == shared
        and lanes + pieces[last, 3] <= LANES
    ):
        lanes += pieces[last, 3]
        last += 1
    return last, lanes


@compiled()
def _turn(
    queries: Floats, head: int, rotation: Rotation, begin: int, end: int, turned: Floats, lane: int
) -> None:
    """Rotated queries of a head and tokens begin:end into lanes from ``lane`` on."""
    half = rotation.cos.shape[1]
    place, token = np.uintp(rotation.positions[begin]), np.uintp(begin)
    for d in range(half):
        one, two = np.uintp(d * STRIDE + lane), np.uintp((half + d) * STRIDE + lane)
        x, y = np.uintp(2 * half * head + d), np.uintp(2 * half * head + half + d)
        for i in range(np.uintp(end - begin)):
            cos, sin = rotation.across[0, d, place + i], rotation.across[1, d, place + i]
            turned[one + i] = queries[x, token + i] * cos - queries[y, token + i] * sin
            turned[two + i] = queries[y, token + i] * cos + queries[x, token + i] * sin


@compiled()
def _hand_over(
    sums: Floats,
    total: Floats,
    lane: int,
    begin: int,
    end: int,
    first: int,
    width: int,
    out: Floats,
) -> None:
    """Lanes from ``lane`` on, divided by their weights, into tokens begin:end of ``out``."""
    token = np.uintp(begin)
    for i in range(np.uintp(lane), np.uintp(lane + end - begin)):
        total[i] = 1 / total[i]
    for d in range(width):
        row, to = np.uintp(d * STRIDE + lane), np.uintp(first + d)
        weight = np.uintp(lane)
        for i in range(np.uintp(end - begin)):
            out[to, token + i] = sums[row + i] * total[weight + i]


@compiled()
def rotate(keys_values: Floats, rotation: Rotation) -> None:
    """Rotates the keys, the first half of the columns (t, 2·G·D), where they stand."""
    half = np.uintp(rotation.cos.shape[1])
    for i in range(keys_values.shape[0]):
        place = rotation.positions[i]
        for first in range(0, keys_values.shape[1] // 2, 2 * rotation.cos.shape[1]):
            begin = np.uintp(first)
            for d in range(half):
                cos, sin = rotation.cos[place, d], rotation.sin[place, d]
                one, two = keys_values[i, begin + d], keys_values[i, begin + half + d]
                keys_values[i, begin + d] = one * cos - two * sin
                keys_values[i, begin + half + d] = two * cos + one * sin


@compiled()
def keep(layer: int, keys_values: Floats, rows: Rows, width: int, states: Integers) -> None:
    """Copies keys and values (t, 2·G·D) into each row's own states.

    ``states``: (n, 2) address and length of (layers, 2, G, length, D) each.
    """
    groups = keys_values.shape[1] // width // 2
    for r in range(len(states)):
        for head in range(groups):
            own = kept_head(states[r], layer, head, groups, width)
            key, value = np.uintp(head * width), np.uintp((groups + head) * width)
            for i in range(own.length):
                token = rows.bounds[r] + i
                for d in range(np.uintp(width)):
                    own.keys[i, d] = keys_values[token, key + d]
                    own.values[i, d] = keys_values[token, value + d]


@compiled()
def attend(
    layer: int,
    queries: Floats,
    rotation: Rotation,
    rows: Rows,
    keys_values: Floats,
    out: Floats,
) -> tuple[Any, Any]:
    """Causal attention of every token to what stands before its row, and to its row.

    Args:
        layer: of the states before.
        queries: (H·D, t) scaled, not rotated.
        rotation: of every token.
        rows: of the tokens.
        keys_values: (t, 2·G·D) the rows' own, keys rotated.
        out: (H·D, t) is written.

    Returns:
        The least and the largest sum of exponentials: where they are far out, ``out`` is worthless.
    """
    width = 2 * rotation.cos.shape[1]
    heads, groups = len(queries) // width, keys_values.shape[1] // width // 2
    turned, sums = aligned_zeros(width * STRIDE), aligned_zeros(width * STRIDE)
    scores, total = aligned_zeros(KEYS * STRIDE), aligned_zeros(STRIDE)
    least, largest = float32(np.inf), float32(0)
    pieces, first = rows.pieces, int64(0)
    while first < len(pieces):
        last, lanes = _side_by_side(rows, first)
        for head in range(heads):
            own = head * groups // heads
            sums[:] = 0
            total[:] = 0
            lane = int64(0)  # a literal 0 would have what takes it compiled twice
            for p in range(first, last):
                _, begin, end, more = pieces[p]
                _turn(queries, head, rotation, begin, end, turned, lane)
                lane += more
            shared = rows.before[pieces[first, 0], 0]
            if shared[1]:
                seen = kept_head(shared, layer, own, groups, width)
                look(seen, (int64(0), lanes, shared[1]), turned, scores, sums, total)
            lane = int64(0)
            for p in range(first, last):
                r, begin, end, more = pieces[p]
                lead, row = rows.before[r, 1], rows.bounds[r]
                if lead[1]:
                    seen = kept_head(lead, layer, own, groups, width)
                    look(seen, (lane, lane + more, lead[1]), turned, scores, sums, total)
                seen = own_head(keys_values, row, end, own, width)
                look(seen, (lane, lane + more, begin - row + 1), turned, scores, sums, total)
                for i in range(lane, lane + end - begin):
                    least, largest = min(least, total[i]), max(largest, total[i])
                _hand_over(sums, total, lane, begin, end, head * width, width, out)
                lane += more
        first = last
    return least, largest


@compiled()
def attend_ends(
    layer: int,
    queries: Floats,
    rotation: Rotation,
    rows: Rows,
    keys_values: Floats,
    out: Floats,
) -> tuple[Any, Any]:
    """As ``attend``, for the last token of every row alone: queries and ``out`` (n, H·D)."""
    half = rotation.cos.shape[1]
    width = 2 * half
    heads, groups = queries.shape[1] // width, keys_values.shape[1] // width // 2
    query = np.empty(width, np.float32)
    least, largest = float32(np.inf), float32(0)
    for r in range(len(rows.bounds) - 1):
        begin, end = rows.bounds[r], rows.bounds[r + 1]
        place = rotation.positions[end - 1]
        for head in range(heads):
            own = head * groups // heads
            for d in range(half):
                cos, sin = rotation.cos[place, d], rotation.sin[place, d]
                one, two = queries[r, head * width + d], queries[r, head * width + half + d]
                query[d], query[half + d] = one * cos - two * sin, two * cos + one * sin
            mine = out[r, head * width : (head + 1) * width]
            mine[:] = 0
            total = glance(own_head(keys_values, begin, end, own, width), query, mine)
            for part in range(2):
                state = rows.before[r, part]
                if state[1]:
                    total += glance(kept_head(state, layer, own, groups, width), query, mine)
            least, largest = min(least, total), max(largest, total)
            for d in range(width):
                mine[d] /= total
    return least, largest
