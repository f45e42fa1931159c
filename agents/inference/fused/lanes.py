"""What queries see of keys and values: tiles of products, and their weighted sums. Compiled loops.

Queries lie side by side in lanes, and each number of a key multiplies all lanes at once, so that
the inner loops are long and keys and values are read where they are kept.

Indices are unsigned where the compiler cannot see that they are not negative: its check for a
negative one keeps it from using wide registers.

Letters: ``t`` tokens, ``G`` key heads, ``D`` head width. Numbers are float32, indices int64, arrays
contiguous; nothing is checked here. It knows no rows of tokens; ``attention`` does.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray, float32, int64, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from agents.inference.fused.kernels import Floats, Integers, compiled, exp

LANE = 16  # numbers of the widest register (AVX-512); a row begins at a multiple
LANES = 256  # side by side: a head's queries and sums of so many fit in a core's caches
STRIDE = 272  # from row to row of lanes; at a power of two they would want the same cache lines
KEYS = 32  # keys whose scores are held at once
_ROW = np.uintp(STRIDE)


class Seen(NamedTuple):
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
    for i in range(np.uintp(row * STRIDE + start), np.uintp(row * STRIDE + stop)):
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
    seen: Seen, first: int, count: int, queries: Floats, start: int, stop: int, out: Floats
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
            _add(tile, queries, d * STRIDE, out, part * STRIDE, start, stop)


@compiled()
def _add_products(
    seen: Seen, first: int, count: int, scores: Floats, start: int, stop: int, out: Floats
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
            _add(tile, scores, part * STRIDE, out, d * STRIDE, start, stop)


@compiled()
def look(
    seen: Seen,
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
    for begin in range(0, seen.length, KEYS):
        count = min(KEYS, seen.length - begin)
        near = start + max(0, begin + 1 - visible) // LANE * LANE  # lanes before see no such key
        _multiply(seen, seen.first + begin, count, queries, near, stop, scores)
        for j in range(count):
            row = np.uintp(j * STRIDE)
            blind = max(near, start + begin + j + 1 - visible)
            for i in range(np.uintp(near), np.uintp(blind)):
                scores[row + i] = -np.inf
            for i in range(np.uintp(near), np.uintp(stop)):
                scores[row + i] = exp(scores[row + i])
            for i in range(np.uintp(near), np.uintp(stop)):  # in the loop above it costs more
                total[i] += scores[row + i]
        _add_products(seen, seen.first + begin, count, scores, near, stop, sums)


@compiled()
def kept_head(state: Integers, layer: int, head: int, heads: int, width: int) -> Seen:
    """A head of states (layers, 2, G, length, D)."""
    address, length = state
    size = length * width
    begin = address + 4 * size * (2 * layer * heads + head)
    keys = carray(_at(begin), (length, width))  # type: ignore[call-arg]
    values = carray(_at(begin + 4 * size * heads), (length, width))  # type: ignore[call-arg]
    return Seen(keys, values, 0, length, 0, 0, width)


@compiled()
def own_head(keys_values: Floats, begin: int, end: int, head: int, width: int) -> Seen:
    """A head of tokens begin:end of keys and values (t, 2·G·D)."""
    key = head * width
    value = keys_values.shape[1] // 2 + key
    return Seen(keys_values, keys_values, begin, end - begin, key, value, width)


@compiled()
def aligned_zeros(size: int) -> Floats:
    """Zeros that begin where a line of the cache does."""
    room = np.zeros(size + LANE, np.float32)
    first = -(room.ctypes.data // 4) % LANE
    return room[first : first + size]


@compiled("reassoc")
def glance(seen: Seen, query: Floats, out: Floats) -> Any:
    """As ``look`` for one query (D,): adds to ``out`` (D,), returns the sum of the weights."""
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
