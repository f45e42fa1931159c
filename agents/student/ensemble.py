"""A few small networks that give five stars, and how far they disagree; it knows no language model.

What a network sees of a person, an item or a memory enters its first layer as a sum, so that the
parts are multiplied once a catalogue and once a person, and a question costs some additions and a
small product.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.student.seen import Columns, Seen
from simenv.events import NUM_STARS, FloatArray

Weights = Mapping[str, NDArray[np.float32]]
_ROWS = 2048  # questions at a time, for the processor's caches

NAMES = (
    "of_numbers",  # (m, f, h)
    "of_people",  # (m, p, h)
    "of_items",  # (m, d, h) of item vectors
    "own_items",  # (m, i, h) of each item
    "of_recalled",  # (m, d, h)
    "own_recalled",  # (m, i, h)
    "without",  # (m, h) where nothing is remembered
    "first",  # (m, h)
    "middle",  # (m, h, h)
    "second",  # (m, h)
    "last",  # (m, h, 5)
    "stars",  # (m, 5)
)


class Guess(NamedTuple):
    """What a student says of r questions."""

    chances: FloatArray  # (r, 5) mean of the networks
    doubt: FloatArray  # (r,) nats, how far the networks disagree: 0 where they say the same


class Ensemble:
    """m networks of one shape; h is their width.

    Args:
        weights: by the names of ``NAMES``.
        vectors: (i, d) of the catalogue's items.
    """

    def __init__(self, weights: Weights, vectors: Columns) -> None:
        self.weights = {name: np.asarray(weights[name], dtype=np.float32) for name in NAMES}
        w = self.weights
        self.num_members, self.width = w["first"].shape
        items = np.einsum("id,mdh->imh", vectors, w["of_items"]) + _by_row(w["own_items"])
        recalled = np.einsum("id,mdh->imh", vectors, w["of_recalled"]) + _by_row(w["own_recalled"])
        nothing = np.zeros((1, *recalled.shape[1:]), dtype=np.float32) + w["without"]
        self._items = _flat(items + w["first"])
        self._recalled = _flat(np.concatenate([recalled, nothing]))  # item -1 is the last row
        self._numbers = _flat(_by_row(w["of_numbers"]))

    def met(self, people: Columns) -> Columns:
        """(u, m·h) the part of people (u, p) in the first layer."""
        return _flat(np.einsum("up,mph->umh", people, self.weights["of_people"]))

    def guess(self, seen: Seen, met: Columns) -> Guess:
        """Distributions over stars of questions (r,) to people that were ``met``."""
        size = len(seen.items)
        chances, doubt = np.empty((size, NUM_STARS)), np.empty(size)
        for start in range(0, size, _ROWS):
            rows = slice(start, start + _ROWS)
            chances[rows], doubt[rows] = self._guess(seen.take(rows), met)
        return Guess(chances, doubt)

    def _guess(self, seen: Seen, met: Columns) -> Guess:
        w = self.weights
        hidden = seen.numbers @ self._numbers
        hidden += met[seen.users]
        hidden += self._items[seen.items]
        hidden += self._recalled[seen.recalled]
        by_member = np.maximum(hidden, 0).reshape(-1, self.num_members, self.width)
        deeper = by_member.transpose(1, 0, 2) @ w["middle"] + w["second"][:, None]
        logits = np.maximum(deeper, 0) @ w["last"] + w["stars"][:, None]
        logs = logits - logits.max(axis=2, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=2, keepdims=True))
        each = np.exp(logs).astype(np.float64)
        mean = each.mean(axis=0)
        agreed = (each * logs).sum(axis=2).mean(axis=0) - (mean * np.log(mean)).sum(axis=1)
        return Guess(mean / mean.sum(axis=1, keepdims=True), np.maximum(agreed, 0.0))


def _by_row(table: Columns) -> Columns:
    """(m, r, h) as (r, m, h)."""
    return table.transpose(1, 0, 2)


def _flat(table: Columns) -> Columns:
    """(r, m, h) as (r, m·h)."""
    return np.ascontiguousarray(table.reshape(len(table), -1), dtype=np.float32)
