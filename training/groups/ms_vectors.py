"""Ms as vectors, by its words or by its numbers: what groups of people are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.embedding import Embedder, TfidfSvdEmbedder, Vectors, unit
from agents.persona import Persona, traits_told
from simenv.domains.domain_file import domain_called

MsVectors = Callable[[Sequence[Persona]], Vectors]  # n personas -> (n, d)


def ms_text(persona: Persona) -> str:
    """A persona's Ms in words: traits, in those of films whatever the items, and profile."""
    return f"{traits_told(persona, domain_called('movie'))} {persona.profile}"


@dataclass(frozen=True)
class MsWords:
    """Ms as its words' embedding, as in the paper: who says alike things.

    Args:
        embedder: of texts. One that learns from its first texts (TF-IDF) must be kept for people
            who come later.
    """

    embedder: Embedder

    def __call__(self, personas: Sequence[Persona]) -> Vectors:
        """(n, d) unit vectors."""
        return self.embedder.embed([ms_text(p) for p in personas])


@dataclass(frozen=True)
class MsNumbers:
    """Ms as its numbers, the direction of level and tastes: people alike in taste are near.

    Word counts show which genres are named and hardly which of them are liked.
    """

    genres: tuple[str, ...]  # of the catalogue

    def __call__(self, personas: Sequence[Persona]) -> Vectors:
        """(n, 1 + genres) unit vectors; 0 for who has neither level nor tastes."""
        rows = [[p.level, *(p.tastes.get(g, 0.0) for g in self.genres)] for p in personas]
        numbers = np.array(rows, dtype=np.float64).reshape(len(rows), 1 + len(self.genres))
        return unit(finite_vectors(numbers))


def ms_vectors(kind: str, genres: Sequence[str], embedder: Embedder | None = None) -> MsVectors:
    """``words`` (of ``embedder``, default TF-IDF) or ``numbers`` (of ``genres``).

    Raises:
        ValueError: neither.
    """
    if kind == "words":
        return MsWords(embedder or TfidfSvdEmbedder())
    if kind == "numbers":
        return MsNumbers(tuple(genres))
    raise ValueError(f"clusters wanted Ms as words or numbers, got {kind!r}")


def finite_vectors(vectors: ArrayLike) -> NDArray[np.float64]:
    """Vectors (n, d) of people in double precision.

    Raises:
        ValueError: somebody's are not finite.
    """
    points = np.asarray(vectors, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ValueError(
            f"clusters wanted finite vectors of Ms, got others for {len(bad)} of {len(points)}"
            f" personas, the first in row {bad[0]}; mend its level and tastes, or distil it anew"
        )
    return points
