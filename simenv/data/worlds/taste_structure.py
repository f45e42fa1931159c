"""What tastes of a made world are made of: attributes, variances and ways to decide.

It says how likely tastes were before anybody rated, and nobody's own taste. A perfect reader is
told this; users and policies never are.

Letters: ``i`` items, ``d`` attributes of a block, ``b`` blocks, ``w`` ways of deciding.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray


class TasteBlock(NamedTuple):
    """One kind of attribute and how tastes for it vary among people."""

    name: str  # such as "genres"
    attributes: FloatArray  # (i, d)
    covariance: FloatArray  # (d, d) of tastes, in squared stars, before any weight


class Way(NamedTuple):
    """A way of deciding: how much each part counts for those who decide so."""

    name: str
    share: float  # of the people, in (0, 1]
    quality: float  # weight of what everybody sees; below 0 for contrarians
    generosity: float
    blocks: FloatArray  # (b,)


@dataclass(frozen=True)
class TasteStructure:
    """utility = mean + w.quality · quality + w.generosity · generosity + Σ_b w.blocks[b] · taste.

    Quality and generosity are normal with these standard deviations, tastes for the attributes of a
    block normal with its covariance, everybody's independent. What was rated is the nearest star to
    the utility and normal noise.
    """

    mean_rating: float
    quality_sd: float
    generosity_sd: float
    noise_sd: float
    blocks: tuple[TasteBlock, ...]
    ways: tuple[Way, ...]

    def features(self, way: Way) -> FloatArray:
        """(i, f) such that personal parts of people of this way are f · a standard normal (f,)."""
        parts = [
            weight * block.attributes @ _root(block.covariance)
            for weight, block in zip(way.blocks, self.blocks, strict=True)
        ]
        generous = np.full((len(parts[0]), 1), way.generosity * self.generosity_sd)
        return np.concatenate([generous, *parts], axis=1)

    def reading_only(self, names: tuple[str, ...]) -> "TasteStructure":
        """For somebody who reads the named blocks alone: tastes for all else are noise.

        Raises:
            ValueError: a name that no block has.
        """
        known = [block.name for block in self.blocks]
        if unknown := sorted(set(names) - set(known)):
            raise ValueError(f"blocks wanted some of {', '.join(known)}, got {unknown[0]!r}")
        read = np.array([name in names for name in known])
        unread = sum(
            way.share * weight**2 * _mean_variance(block)
            for way in self.ways
            for weight, block, is_read in zip(way.blocks, self.blocks, read, strict=True)
            if not is_read
        )
        ways = tuple(way._replace(blocks=np.where(read, way.blocks, 0.0)) for way in self.ways)
        return replace(self, noise_sd=float(np.sqrt(self.noise_sd**2 + unread)), ways=ways)


def _mean_variance(block: TasteBlock) -> float:
    """Variance of the taste for an item of the block, mean over items."""
    return float(
        np.einsum("id,de,ie->i", block.attributes, block.covariance, block.attributes).mean()
    )


def _root(covariance: FloatArray) -> FloatArray:
    """R (d, d) with R Rᵀ = covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
