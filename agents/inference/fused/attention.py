"""Attention of ``LlamaForward``: packed rows behind kept keys and values, on a CPU.

Queries lie side by side in lanes, those of all rows behind one prefix together, and each number of
a key multiplies all lanes at once. So the inner loops are long, keys and values are read where they
are kept, and a prefix is read once for the rows that share it.

Indices are unsigned where the compiler cannot see that they are not negative: its check for a
negative one keeps it from using wide registers.

Letters: ``n`` rows (suffixes), ``t`` all their tokens, ``H`` query heads, ``G`` key heads, ``D``
head width, ``P`` positions. Numbers are float32, indices int64, arrays contiguous; nothing is
checked here.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray, float32, int64, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from agents.inference.fused.kernels import Floats, Integers, compiled, exp

_LANE = 16  # numbers of the widest register (AVX-512); a row begins at a multiple
_LANES = 256  # side by side: a head's queries and sums of so many fit in a core's caches
_STRIDE = 272  # from row to row of lanes; at a power of two they would want the same cache lines
_KEYS = 32  # keys whose scores are held at once
_ROW = np.uintp(_STRIDE)


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
    counts = -(-np.diff(bounds) // _LANES)
    row = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = bounds[row] + number * _LANES
    end = np.minimum(begin + _LANES, bounds[row + 1])
    return np.stack([row, begin, end, -(-(end - begin) // _LANE) * _LANE], axis=1)


class _Seen(NamedTuple):
    """Keys and values that some queries see: part of two tables."""

    keys: Floats
    values: Floats
    first: int  # row
    length: int  # rows
    key_column: int  # first of D
    value_column: int
    width: int  # D


@intrinsic
def _at(_: Any, address: Any) -> Any:
    """Pointer to the numbers at an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(float32)(int64), generate


@compiled(inline=True)
def _clear(out: Floats, row: int, start: int, stop: int) -> None:
    """Zeros into lanes of a row."""
    for i in range(np.uintp(row * _STRIDE + start), np.uintp(row * _STRIDE + stop)):
        out[i] = 0


@compiled(inline=True)
def _add(a: Any, b: Floats, first: int, out: Floats, place: int, start: int, stop: int) -> None:
    """Adds a (4, 4) times four rows of lanes to four: b's from ``first``, out's from ``place``."""
    (a0, a1, a2, a3), (c0, c1, c2, c3), (e0, e1, e2, e3), (g0, g1, g2, g3) = a
    row0 = np.uintp(first)
    row1, row2, row3 = row0 + _ROW, row0 + _ROW + _ROW, row0 + _ROW + _ROW + _ROW
    to0 = np.uintp(place)
    to1, to2, to3 = to0 + _ROW, to0 + _ROW + _ROW, to0 + _ROW + _ROW + _ROW
    for i in range(np.uintp(start), np.uintp(stop)):
        b0, b1, b2, b3 = b[row0 + i], b[row1 + i], b[row2 + i], b[row3 + i]
        x = out[to0 + i] + a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3
        y = out[to1 + i] + c0 * b0 + c1 * b1 + c2 * b2 + c3 * b3
        z = out[to2 + i] + e0 * b0 + e1 * b1 + e2 * b2 + e3 * b3
        u = out[to3 + i] + g0 * b0 + g1 * b1 + g2 * b2 + g3 * b3
        out[to0 + i], out[to1 + i], out[to2 + i], out[to3 + i] = x, y, z, u


@compiled()
def _multiply(
    seen: _Seen, first: int, count: int, queries: Floats, start: int, stop: int, out: Floats
) -> None:
    """Products of keys from ``first`` on and queries (D, lanes) into the first rows of ``out``.

    Up to three rows more than ``count`` are written.
    """
    keys, last = seen.keys, first + count - 1
    for row in range(-(-count // 4) * 4):
        _clear(out, row, start, stop)
    for part in range(0, count, 4):
        j = first + part
        k, m, n = min(j + 1, last), min(j + 2, last), min(j + 3, last)
        for d in range(0, seen.width, 4):
            c = seen.key_column + d
            tile = (
                (keys[j, c], keys[j, c + 1], keys[j, c + 2], keys[j, c + 3]),
                (keys[k, c], keys[k, c + 1], keys[k, c + 2], keys[k, c + 3]),
                (keys[m, c], keys[m, c + 1], keys[m, c + 2], keys[m, c + 3]),
                (keys[n, c], keys[n, c + 1], keys[n, c + 2], keys[n, c + 3]),
            )
            _add(tile, queries, d * _STRIDE, out, part * _STRIDE, start, stop)


@compiled()
def _add_products(
    seen: _Seen, first: int, count: int, scores: Floats, start: int, stop: int, out: Floats
) -> None:
    """Adds products of values from ``first`` on and scores (count, lanes) to ``out`` (D, lanes).

    Rows of scores from ``count`` on to the next multiple of four are written.
    """
    values, last = seen.values, first + count - 1
    for row in range(count, -(-count // 4) * 4):
        _clear(scores, row, start, stop)
    for part in range(0, count, 4):
        j = first + part
        k, m, n = min(j + 1, last), min(j + 2, last), min(j + 3, last)
        for d in range(0, seen.width, 4):
            c = seen.value_column + d
            tile = (
                (values[j, c], values[k, c], values[m, c], values[n, c]),
                (values[j, c + 1], values[k, c + 1], values[m, c + 1], values[n, c + 1]),
                (values[j, c + 2], values[k, c + 2], values[m, c + 2], values[n, c + 2]),
                (values[j, c + 3], values[k, c + 3], values[m, c + 3], values[n, c + 3]),
            )
            _add(tile, scores, part * _STRIDE, out, d * _STRIDE, start, stop)


@compiled()
def _look(
    seen: _Seen,
    lanes: tuple[int, int, int],
    queries: Floats,
    scores: Floats,
    sums: Floats,
    total: Floats,
) -> None:
    """Adds the values, weighed for every lane, to ``sums`` (D, lanes), the weights to ``total``.

    ``lanes``: from, to, and how many keys the first one sees; the next sees one more, and so on.
    """
    start, stop, visible = lanes
    for begin in range(0, seen.length, _KEYS):
        count = min(_KEYS, seen.length - begin)
        near = start + max(0, begin + 1 - visible) // _LANE * _LANE  # lanes before see no such key
        _multiply(seen, seen.first + begin, count, queries, near, stop, scores)
        for j in range(count):
            row = np.uintp(j * _STRIDE)
            blind = max(near, start + begin + j + 1 - visible)
            for i in range(np.uintp(near), np.uintp(blind)):
                scores[row + i] = -np.inf
            for i in range(np.uintp(near), np.uintp(stop)):
                scores[row + i] = exp(scores[row + i])
            for i in range(np.uintp(near), np.uintp(stop)):  # in the loop above it costs more
                total[i] += scores[row + i]
        _add_products(seen, seen.first + begin, count, scores, near, stop, sums)


@compiled()
def _side_by_side(rows: Rows, first: int) -> tuple[int, int]:
    """End of the pieces from ``first`` on that share its first state and have room; their lanes."""
    pieces = rows.pieces
    shared = rows.before[pieces[first, 0], 0, 0]
    last, lanes = first, 0
    while (
        last < len(pieces)
        and rows.before[pieces[last, 0], 0, 0] == shared
        and lanes + pieces[last, 3] <= _LANES
    ):
        lanes += pieces[last, 3]
        last += 1
    return last, lanes


@compiled()
def _kept(state: Integers, layer: int, head: int, heads: int, width: int) -> _Seen:
    """A head of states (layers, 2, G, length, D)."""
    address, length = state
    size = length * width
    begin = address + 4 * size * (2 * layer * heads + head)
    keys = carray(_at(begin), (length, width))  # type: ignore[call-arg]
    values = carray(_at(begin + 4 * size * heads), (length, width))  # type: ignore[call-arg]
    return _Seen(keys, values, 0, length, 0, 0, width)


@compiled()
def _own(keys_values: Floats, begin: int, end: int, head: int, width: int) -> _Seen:
    """A head of tokens begin:end of keys and values (t, 2·G·D)."""
    key = head * width
    value = keys_values.shape[1] // 2 + key
    return _Seen(keys_values, keys_values, begin, end - begin, key, value, width)


@compiled()
def _aligned(size: int) -> Floats:
    """Zeros that begin where a line of the cache does."""
    room = np.zeros(size + _LANE, np.float32)
    first = -(room.ctypes.data // 4) % _LANE
    return room[first : first + size]


@compiled()
def _turn(
    queries: Floats, head: int, rotation: Rotation, begin: int, end: int, turned: Floats, lane: int
) -> None:
    """Rotated queries of a head and tokens begin:end into lanes from ``lane`` on."""
    half = rotation.cos.shape[1]
    place, token = np.uintp(rotation.positions[begin]), np.uintp(begin)
    for d in range(half):
        one, two = np.uintp(d * _STRIDE + lane), np.uintp((half + d) * _STRIDE + lane)
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
        row, to = np.uintp(d * _STRIDE + lane), np.uintp(first + d)
        weight = np.uintp(lane)
        for i in range(np.uintp(end - begin)):
            out[to, token + i] = sums[row + i] * total[weight + i]


@compiled("reassoc")
def _glance(seen: _Seen, query: Floats, out: Floats) -> Any:
    """As ``_look`` for one query (D,): adds to ``out`` (D,), returns the sum of the weights."""
    scores = np.empty(seen.length, np.float32)
    key, value = np.uintp(seen.key_column), np.uintp(seen.value_column)
    for j in range(seen.length):
        product = float32(0)
        for d in range(np.uintp(seen.width)):
            product += seen.keys[seen.first + j, key + d] * query[d]
        scores[j] = product
    total = float32(0)
    for j in range(seen.length):
        scores[j] = exp(scores[j])
        total += scores[j]
    for j in range(seen.length):
        for d in range(np.uintp(seen.width)):
            out[d] += scores[j] * seen.values[seen.first + j, value + d]
    return total


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
            own = _kept(states[r], layer, head, groups, width)
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
    turned, sums = _aligned(width * _STRIDE), _aligned(width * _STRIDE)
    scores, total = _aligned(_KEYS * _STRIDE), _aligned(_STRIDE)
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
                seen = _kept(shared, layer, own, groups, width)
                _look(seen, (int64(0), lanes, shared[1]), turned, scores, sums, total)
            lane = int64(0)
            for p in range(first, last):
                r, begin, end, more = pieces[p]
                lead, row = rows.before[r, 1], rows.bounds[r]
                if lead[1]:
                    seen = _kept(lead, layer, own, groups, width)
                    _look(seen, (lane, lane + more, lead[1]), turned, scores, sums, total)
                seen = _own(keys_values, row, end, own, width)
                _look(seen, (lane, lane + more, begin - row + 1), turned, scores, sums, total)
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
            total = _glance(_own(keys_values, begin, end, own, width), query, mine)
            for part in range(2):
                state = rows.before[r, part]
                if state[1]:
                    total += _glance(_kept(state, layer, own, groups, width), query, mine)
            least, largest = min(least, total), max(largest, total)
            for d in range(width):
                mine[d] /= total
    return least, largest
