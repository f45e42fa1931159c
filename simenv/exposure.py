"""How exposure spreads: over the catalogue, and over the genres of one slate.

Numbers in, numbers out; it knows no session, policy or society. Letters: ``i`` items, ``k`` slate
places, ``g`` genres, ``…`` any leading shape.
"""

import numpy as np

from simenv.events import FloatArray, IntArray


def gini(exposures: IntArray | FloatArray) -> float:
    """Inequality of exposures (i,) in [0, 1): 0 if all are equal, 1 - 1/i if one item has them all.

    ``Σ (2 r - i - 1) x_r / (i Σ x)`` over the exposures in ascending order, r from 1; 0 where
    nothing was shown. Gini: Variabilità e mutabilità (1912).

    >>> gini(np.array([0.0, 0.0, 0.0, 9.0]))
    0.75
    """
    x = np.sort(np.asarray(exposures, dtype=np.float64))
    total, num = x.sum(), len(x)
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, num + 1) - num - 1) @ x / (num * total))


def coverage(exposures: IntArray | FloatArray) -> float:
    """Share in [0, 1] of items (i,) that were shown at least once.

    >>> coverage(np.array([3, 0, 1, 0]))
    0.5
    """
    return float((np.asarray(exposures) > 0).mean())


def exposures_of(items: IntArray, num_items: int) -> IntArray:
    """How often each item (num_items,) occurs in ``items`` of any shape.

    >>> exposures_of(np.array([[0, 2], [2, 1]]), 4).tolist()
    [1, 1, 2, 0]
    """
    return np.bincount(np.asarray(items).ravel(), minlength=num_items)


def slate_diversity(directions: FloatArray) -> FloatArray:
    """Mean of 1 - cosine over the pairs of each slate's items: (…, k, g) to (…), in [0, 1].

    Ziegler, McNee, Konstan, Lausen: Improving recommendation lists through topic diversification
    (WWW 2005).

    Args:
        directions: ``Catalog.genre_directions`` of the items: rows of length 1, or 0 for an item
            without genres, which is unlike every other. A slate of one item has diversity 0.
    """
    k = directions.shape[-2]
    if k < 2:
        return np.zeros(directions.shape[:-2])
    alike = np.square(directions.sum(axis=-2)).sum(axis=-1) - np.square(directions).sum(
        axis=(-2, -1)
    )
    return np.asarray(1.0 - alike / (k * (k - 1)))
