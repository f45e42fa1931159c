"""Counter-based randomness: every draw is a hash of (root, user, step, channel).

No generator is shared, so a draw does not depend on batch, order or shard. The hash is
SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014),
applied once per mixed-in word.
"""

import numpy as np
from numpy.typing import ArrayLike

from simenv.events import FloatArray, IntArray, SeedArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def mix(state: ArrayLike, word: ArrayLike) -> SeedArray:
    """Hash ``word`` into ``state``; both broadcast, the result is uint64."""
    with np.errstate(over="ignore"):
        z = np.asarray(state, dtype=np.uint64) + _GOLDEN * (
            np.asarray(word).astype(np.uint64) + np.uint64(1)
        )
        z = (z ^ (z >> np.uint64(30))) * _MIX1
        z = (z ^ (z >> np.uint64(27))) * _MIX2
        return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def row_seeds(root: int, users: IntArray, steps: IntArray) -> SeedArray:
    """One seed for each (user, step): (n,)."""
    return mix(mix(np.uint64(root % 2**64), users), steps)


def uniforms(seeds: SeedArray, channel: int, num_places: int) -> FloatArray:
    """Uniform draws in [0, 1) for every seed and place: (n, num_places).

    Different ``channel`` numbers give independent draws for different decisions.
    """
    base = mix(seeds, channel)[:, None]
    bits = mix(base, np.arange(num_places)[None, :])
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)
