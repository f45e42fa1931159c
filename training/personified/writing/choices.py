"""Draws of an exchange, and what is chosen by them; it knows no sentence."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from simenv.seeding import Channel, mix, uniforms

Side = Literal["train", "test"]
_PLACES = 10  # draws of an exchange
_APART = 2  # stars between what was given and a false claim, at least


def stars(count: int) -> str:
    """As a sentence says it.

    >>> stars(1), stars(4)
    ('1 star', '4 stars')
    """
    return f"{count} star{'s' * (count != 1)}"


def false_stars(given: int, draw: float) -> int:
    """Stars that are far from those given, by a draw in [0, 1)."""
    apart = [c for c in range(1, 6) if abs(c - given) >= _APART]
    return apart[int(draw * len(apart))]


def pick(choices: Sequence[str], draw: float) -> str:
    """One of several by a draw in [0, 1)."""
    return choices[int(draw * len(choices))]


def draws(seed: int, key: str) -> list[float]:
    """Ten draws that depend on the seed and the key alone."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    rows = mix(np.array([seed % 2**64], dtype=np.uint64), np.array([number], dtype=np.uint64))
    return [float(x) for x in uniforms(rows, Channel.EXCHANGE, _PLACES)[0]]
