"""Where questions go when several places can answer: those of one person to the same place, always.

A place that holds a prefix's keys and values answers the next question behind it cheaply, so the
place is a fixed function of (adapter, prefix): a hash that no process, run or machine changes. With
one place more or less, only the questions of that place move. It knows no engine and no place.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from simenv.events import IntArray

Asked = tuple[str | None, str]  # adapter, prefix


def places_for(asked: Asked, num_places: int) -> list[int]:
    """All places, the one to go to first, then those to turn to when it is gone.

    Highest random weight: every place draws a number for the question, the largest wins.

    Args:
        asked: adapter and prefix.
        num_places: p > 0.

    Returns:
        A permutation of 0..p-1.
    """
    weights = _weights(asked, num_places)
    return sorted(range(num_places), key=weights.__getitem__, reverse=True)


def homes(asked: Iterable[Asked], num_places: int) -> IntArray:
    """(n,) the first of ``places_for`` for each of n questions."""
    known: dict[Asked, int] = {}
    found = []
    for one in asked:
        if one not in known:
            weights = _weights(one, num_places)
            known[one] = weights.index(max(weights))
        found.append(known[one])
    return np.array(found, dtype=np.int64)


def _weights(asked: Asked, num_places: int) -> list[bytes]:
    adapter, prefix = asked
    name = "" if adapter is None else f"+{adapter}"
    # Prompts of foreign data may hold halves of characters, which UTF-8 alone refuses.
    text = f"{len(name)}:{name}{prefix}".encode("utf-8", "surrogatepass")
    key = hashlib.blake2b(text, digest_size=16).digest()
    return [
        hashlib.blake2b(place.to_bytes(8, "little"), key=key, digest_size=8).digest()
        for place in range(num_places)
    ]
