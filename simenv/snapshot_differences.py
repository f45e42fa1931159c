"""A later snapshot as what changed since an earlier one: exact bytes, whatever they hold.

The later bytes are written as runs copied from the earlier ones and the fresh bytes between them.
Runs are found by a rolling hash of blocks, as rsync does (Tridgell, Mackerras: The rsync algorithm,
1996), so inserted bytes cost no more than themselves. It knows no environment and no user model.
"""

import zlib
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simenv.events import IntArray
from simenv.snapshots import pack_arrays, unpack_arrays

_DIGEST = 16  # bytes that name the earlier snapshot
_BLOCK = 32  # bytes; a shorter run is not looked for
_BASE = 0x9E3779B97F4A7C15  # of the hash: odd, so it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 2**64)

Bytes = NDArray[np.uint8]


def difference(later: bytes, earlier: bytes) -> bytes:
    """What ``combine`` needs beside ``earlier`` to give ``later``; small where little changed."""
    new, old = np.frombuffer(later, np.uint8), np.frombuffer(earlier, np.uint8)
    copies, fresh, done = [], [], 0
    for copy in _runs(new, old):
        fresh.append(new[done : copy.place])
        copies.append((copy.place - done, copy.source, copy.length))
        done = copy.place + copy.length
    fresh.append(new[done:])
    packed = pack_arrays(
        {
            "copies": np.array(copies, dtype=np.int64).reshape(-1, 3),
            "fresh": np.concatenate(fresh),
        }
    )
    return _digest(earlier) + zlib.compress(packed)


def combine(changes: bytes, earlier: bytes) -> bytes:
    """The later snapshot of which ``difference`` gave ``changes``.

    Raises:
        ValueError: ``changes`` were not taken from ``earlier``.
    """
    if changes[:_DIGEST] != _digest(earlier):
        raise ValueError(
            "restore wanted the earlier snapshot that the difference was taken from, got"
            f" {len(earlier)} other bytes; pass the one that snapshot(since=…) was given"
        )
    arrays = unpack_arrays(zlib.decompress(changes[_DIGEST:]))
    fresh, parts, done = arrays["fresh"].tobytes(), [], 0
    for num_fresh, source, length in arrays["copies"].tolist():
        parts += [fresh[done : done + num_fresh], earlier[source : source + length]]
        done += num_fresh
    return b"".join([*parts, fresh[done:]])


class _Run(NamedTuple):
    """Bytes that the later snapshot has from the earlier one."""

    place: int  # in the later
    source: int  # in the earlier
    length: int


def _runs(new: Bytes, old: Bytes) -> list[_Run]:
    """Runs of at least a block, from left to right, that do not overlap in ``new``."""
    if min(len(new), len(old)) < _BLOCK:
        return []
    blocks = _hashes(old)[::_BLOCK]
    order = np.argsort(blocks, kind="stable")
    known, hashes = blocks[order], _hashes(new)
    found = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    hits = np.flatnonzero(known[found] == hashes)
    runs: list[_Run] = []
    place = source = 0  # where the last run ended
    while (nth := int(np.searchsorted(hits, place))) < len(hits):
        start = int(hits[nth])
        origin = _origin(start, source + start - place, hashes, blocks, (known, order))
        length = _common(new, old, start, origin)
        if length < _BLOCK:  # two blocks of one hash
            hits = np.delete(hits, nth)
            continue
        back = _common(new[place:start][::-1], old[:origin][::-1], 0, 0)
        runs.append(_Run(start - back, origin - back, length + back))
        place, source = start + length, origin + length
    return runs


def _origin(
    start: int,
    expected: int,
    hashes: NDArray[np.uint64],
    blocks: NDArray[np.uint64],
    table: tuple[NDArray[np.uint64], IntArray],
) -> int:
    """Where the block at ``start`` comes from: the first place from ``expected`` on, else any."""
    known, order = table
    low = int(np.searchsorted(known, hashes[start]))
    high = int(np.searchsorted(known, hashes[start], side="right"))
    same = order[low:high]
    nth = int(np.searchsorted(same, -(-expected // _BLOCK)))
    return int(same[min(nth, len(same) - 1)]) * _BLOCK


def _common(new: Bytes, old: Bytes, start: int, origin: int) -> int:
    """How many bytes from ``start`` and ``origin`` on are equal."""
    most, length, step = min(len(new) - start, len(old) - origin), 0, 64
    while length < most:
        end = min(length + step, most)
        differs = new[start + length : start + end] != old[origin + length : origin + end]
        if differs.any():
            return length + int(differs.argmax())
        length, step = end, 2 * step
    return length


def _hashes(values: Bytes) -> NDArray[np.uint64]:
    """A hash of the block that begins at each byte: (len(values) - _BLOCK + 1,)."""
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(len(values), _BASE, dtype=np.uint64))
        sums = np.concatenate([[np.uint64(0)], np.cumsum(powers * (values + np.uint64(1)))])
        blocks = sums[_BLOCK:] - sums[:-_BLOCK]
        shifts = np.cumprod(np.full(len(blocks), _INVERSE, dtype=np.uint64))
        return np.asarray(blocks * shifts, dtype=np.uint64)


def _digest(snapshot: bytes) -> bytes:
    return blake2b(snapshot, digest_size=_DIGEST).digest()
