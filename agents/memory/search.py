"""What a recall gives back, and the search for the largest similarities. Knows no store.

How many memories a prompt shows is said by ``agents.prompt_style.PromptStyle``.
"""

from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray


class Recalled(NamedTuple):
    """Memories of n users for k items each, most similar first; empty places are item -1."""

    items: IntArray  # (n, k, m)
    ratings: FloatArray  # (n, k, m) 0 where empty
    similarities: FloatArray  # (n, k, m) cosine, falling along the last axis; -inf where empty
    rows: IntArray  # (n, k, m) place in the user's own memory, for ``reason``; -1 where empty


def check_wanted(m: int) -> None:
    """Raise unless at least one memory is wanted."""
    if m < 1:
        raise ValueError(
            f"recall wanted at least 1 memory, got m={m}; ask for more, or leave memory out"
        )


def largest(similarities: FloatArray, m: int) -> tuple[IntArray, FloatArray]:
    """The m largest along the last axis of (n, k, width), falling; of equals the later place first.

    Returns:
        Places and values (n, k, m); values are -inf where fewer than m are above it.
    """
    n, k, width = similarities.shape
    left = similarities[:, :, ::-1].copy()
    places = np.zeros((n, k, m), dtype=np.int64)
    values = np.full((n, k, m), -np.inf)
    for place in range(min(m, width)):  # m is small, and argmax keeps the first of equals
        best = left.argmax(axis=2)[:, :, None]
        places[:, :, place] = width - 1 - best[:, :, 0]
        values[:, :, place] = np.take_along_axis(left, best, axis=2)[:, :, 0]
        np.put_along_axis(left, best, -np.inf, axis=2)
    return places, values


def rank_within(users: IntArray) -> IntArray:
    """(r,) how many earlier rows of this batch belong to the same user; r > 0."""
    order = np.argsort(users, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(users[order])) + 1]
    run = np.repeat(starts, np.diff(np.r_[starts, len(users)]))
    ranks = np.empty(len(users), dtype=np.int64)
    ranks[order] = np.arange(len(users)) - run
    return ranks
