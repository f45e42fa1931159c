"""Groups people by their Ms: vectors, k-means++, the elbow; and the random control of equal sizes.

Centroids are kept, so that a person met later joins the nearest group. It knows no adapters.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.persona import Persona
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number, check_seed
from simenv.whole_files import write_whole
from training.groups.ms_vectors import MsVectors, finite_vectors

PAPER_K = 4
_STARTS = 10  # k-means++ starts; the best is kept
_SAME = 1e-3  # the most that two vectors of one persona may differ


@dataclass(frozen=True)
class Clusters:
    """Groups of people.

    Attributes:
        labels: (n,) the group, in [0, k), of each person they were made of.
        centroids: (k, d).
        inertias: for each K that was tried, the sum of squared distances to the nearest centroid.
        exemplars: (k,) of each group, the person nearest to its centroid.
        exemplar_vectors: (k, d) of theirs; they show when other vectors are used.
    """

    labels: IntArray
    centroids: FloatArray
    inertias: dict[int, float]
    exemplars: list[Persona]
    exemplar_vectors: FloatArray

    @property
    def sizes(self) -> IntArray:
        """(k,) people in each group."""
        return np.bincount(self.labels, minlength=len(self.centroids)).astype(np.int64)

    def assign(self, personas: Sequence[Persona], vectors: MsVectors) -> IntArray:
        """(n,) the nearest group of each persona, seen before or not.

        Args:
            personas: whoever.
            vectors: what the groups were made with.

        Raises:
            ValueError: ``vectors`` is something else, or not finite for somebody.
        """
        seen = np.asarray(vectors(self.exemplars), dtype=np.float64)
        width = self.centroids.shape[1]
        is_same = seen.shape[1] == width and np.abs(seen - self.exemplar_vectors).max() <= _SAME
        if not is_same:  # nor is NaN
            raise ValueError(
                f"clusters wanted the vectors they were made with ({width} wide), got some that"
                f" place their own exemplars elsewhere ({seen.shape[1]} wide); use that embedder or"
                " those genres, or cluster anew"
            )
        if not personas:
            return np.zeros(0, dtype=np.int64)
        return _nearest(finite_vectors(vectors(personas)), self.centroids)

    def save(self, path: str | Path) -> None:
        """Write them as one JSON file."""
        kept = {
            "labels": self.labels.tolist(),
            "centroids": self.centroids.tolist(),
            "inertias": self.inertias,
            "exemplars": [asdict(p) for p in self.exemplars],
            "exemplar_vectors": self.exemplar_vectors.tolist(),
        }
        write_whole(Path(path), json.dumps(kept, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Clusters":
        """Read what ``save`` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is corrupt.
        """
        try:
            kept: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(
                labels=np.array(kept["labels"], dtype=np.int64),
                centroids=finite_vectors(kept["centroids"]),
                inertias={int(k): float(v) for k, v in kept["inertias"].items()},
                exemplars=[Persona(**fields) for fields in kept["exemplars"]],
                exemplar_vectors=finite_vectors(kept["exemplar_vectors"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"clusters file {str(path)!r} cannot be read ({type(error).__name__}: {error});"
                " cluster anew"
            ) from error


def find_clusters(
    personas: Sequence[Persona],
    vectors: MsVectors,
    *,
    k: int | None = PAPER_K,
    tried: Sequence[int] = range(2, 11),
    seed: int = 0,
) -> Clusters:
    """Group personas by their Ms with k-means++.

    Args:
        personas: (n,) people.
        vectors: of Ms; see ``MsWords`` and ``MsNumbers``.
        k: number of groups (the paper's is 4); None = the elbow of the inertias of ``tried``.
        tried: numbers of groups for the curve; those above the number of different people are
            left out. With a ``k`` the curve is only reported.
        seed: of the starts.

    Raises:
        ValueError: ``k`` is below 1 or above the number of different people, there is no elbow, or
            somebody's vector is not finite.
        TypeError: ``k`` or a number of ``tried`` is none.
    """
    if not personas:
        raise ValueError("clusters wanted at least one persona, got none; distil some people first")
    check_seed("clusters", "a seed", seed)
    points = finite_vectors(vectors(personas))
    fitted = {x: _k_means(points, x, seed) for x in _numbers_tried(points, k, tried)}
    inertias = {x: float(fit.inertia_) for x, fit in fitted.items()}
    chosen = fitted[k or elbow(inertias)]
    centroids = np.asarray(chosen.cluster_centers_, dtype=np.float64)
    nearest = [int(np.argmin(((points - c) ** 2).sum(axis=1))) for c in centroids]
    return Clusters(
        labels=_nearest(points, centroids),
        centroids=centroids,
        inertias=inertias,
        exemplars=[personas[i] for i in nearest],
        exemplar_vectors=points[nearest],
    )


def _numbers_tried(points: NDArray[np.float64], k: int | None, tried: Sequence[int]) -> list[int]:
    """Numbers of groups to fit, rising: ``k``, and those of ``tried`` that there are people for."""
    for number in [*tried, *([] if k is None else [k])]:
        check_number("clusters", "K", number, "whole (-inf, inf)", f"the paper's is {PAPER_K}")
    distinct = len(np.unique(points, axis=0))
    if k is not None and not 1 <= k <= distinct:
        raise ValueError(
            f"clusters wanted K from 1 to the number of different personas, {distinct} (of"
            f" {len(points)}), got K={k}; lower K (k=, or num_clusters= where adapters are trained)"
            " or bring more people"
        )
    return sorted({x for x in tried if 1 <= x <= distinct} | ({k} if k else set()))


def elbow(inertias: dict[int, float]) -> int:
    """Where a falling curve bends most (Kneedle).

    Raises:
        ModuleNotFoundError: kneed is not installed.
        ValueError: fewer than three points, or the curve bends nowhere.
    """
    try:
        from kneed import KneeLocator
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the elbow needs kneed: pip install 'personarec[train]'; or name K", name="kneed"
        ) from error
    ks = sorted(inertias)
    knee = None
    if len(ks) >= 3:
        values = [inertias[k] for k in ks]
        knee = KneeLocator(ks, values, curve="convex", direction="decreasing").knee
    if knee is None:
        raise ValueError(
            f"no elbow in the inertias of K = {', '.join(map(str, ks)) or 'nothing'}; try more"
            f" values, or name K (the paper's is {PAPER_K})"
        )
    return int(knee)


def group_vectors(vectors: FloatArray, k: int, seed: int = 0) -> tuple[IntArray, FloatArray]:
    """Group (n,) of every vector (n, d) by k-means++, and the centres (k, d).

    Raises:
        ValueError: ``k`` is above the number of different vectors, or one is not finite.
    """
    points = finite_vectors(vectors)
    distinct = len(np.unique(points, axis=0))
    if not 1 <= k <= distinct:
        raise ValueError(
            f"clusters wanted K from 1 to the number of different vectors, {distinct} (of"
            f" {len(points)}), got K={k}; lower K or bring more people"
        )
    centres = np.asarray(_k_means(points, k, seed).cluster_centers_, dtype=np.float64)
    return _nearest(points, centres), centres


def random_clusters(labels: IntArray, rng: np.random.Generator) -> IntArray:
    """(n,) groups of the same sizes as ``labels`` with random members: the control."""
    return np.asarray(rng.permutation(labels), dtype=np.int64)


def explained_share(values: FloatArray, labels: IntArray) -> float:
    """Share of the variance of values (n, f) that groups (n,) explain; 1 where there is none."""
    total = float(((values - values.mean(axis=0)) ** 2).sum())
    groups = [values[labels == g] for g in np.unique(labels)]
    within = sum(float(((own - own.mean(axis=0)) ** 2).sum()) for own in groups)
    return 1.0 - within / total if total else 1.0


def _k_means(points: NDArray[np.float64], k: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(k, init="k-means++", n_init=_STARTS, random_state=seed).fit(points)


def _nearest(points: NDArray[np.floating], centroids: FloatArray) -> IntArray:
    """(n,) index of the nearest centroid; the first of equals."""
    # |p - c|² without |p|², which is the same for every centroid.
    scores = np.asarray(points, dtype=np.float64) @ centroids.T - (centroids**2).sum(axis=1) / 2
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)
