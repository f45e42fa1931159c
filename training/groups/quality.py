"""How good groups of people are: apart, found again with another seed, and those that are known."""

from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray
from training.groups.clusters import group_vectors


class Quality(NamedTuple):
    """Of k-means groups of vectors; 1 is best for each, 0 is chance for the last two."""

    silhouette: (
        float  # in [-1, 1]: nearer to one's own group than to the next; NaN if all are alone
    )
    stability: float  # mean adjusted Rand index of the groups of any two seeds
    known: float  # adjusted Rand index with the groups that are known; NaN where none are


def cluster_quality(
    vectors: FloatArray, k: int, num_seeds: int = 5, known: IntArray | None = None
) -> Quality:
    """Quality of ``k`` groups (Rousseeuw, Silhouettes, 1987; Hubert and Arabie, 1985).

    Vectors (n, d) are grouped with the seeds 0, 1, …; ``known`` (n,) says who belongs together.

    Raises:
        ValueError: ``k`` or ``num_seeds`` is below 2, or too few vectors differ or are finite.
    """
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    labels = _labels(vectors, k, num_seeds)
    pairs = [(a, b) for a in range(num_seeds) for b in range(a)]
    of_pairs = [adjusted_rand_score(labels[a], labels[b]) for a, b in pairs]
    return Quality(
        float(silhouette_score(vectors, labels[0])) if k < len(vectors) else float("nan"),
        float(np.mean(of_pairs)),
        float("nan") if known is None else float(adjusted_rand_score(known, labels[0])),
    )


def _labels(vectors: FloatArray, k: int, num_seeds: int) -> list[IntArray]:
    if num_seeds < 2 or k < 2:
        raise ValueError(
            f"the quality of groups wanted 2 groups and 2 seeds or more, got k={k} and"
            f" num_seeds={num_seeds}; raise them"
        )
    return [group_vectors(vectors, k, seed)[0] for seed in range(num_seeds)]
