"""The gate of an adapter's facets: from a person's vector to how they are mixed.

Letters: ``n`` people, ``K`` facets, ``d`` numbers of a vector.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray

GATE = "gate.safetensors"  # lies beside the adapter


class FacetGate(NamedTuple):
    """From a person's vector to the mixture: softmax(weight · vector + bias)."""

    weight: FloatArray  # (K, d)
    bias: FloatArray  # (K,)

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """(n, K) mixtures of people with these vectors (n, d); rows sum to 1.

        Raises:
            ValueError: the vectors have another width, or hold something that is no number.
        """
        vectors = np.asarray(vectors, dtype=np.float64)
        if vectors.ndim != 2 or vectors.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"a gate wanted vectors (n, {self.weight.shape[1]}), got {vectors.shape}; use the"
                " space that it was trained with"
            )
        if not np.isfinite(vectors).all():
            raise ValueError(
                "a gate wanted vectors of finite numbers, got others; place the people anew"
            )
        logits = vectors @ self.weight.T + self.bias
        parts = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(parts / parts.sum(axis=1, keepdims=True))

    def save(self, folder: Path) -> None:
        """Write it beside its adapter."""
        from safetensors.numpy import save_file

        tensors = {
            name: np.asarray(value, dtype=np.float32) for name, value in self._asdict().items()
        }
        save_file(tensors, folder / GATE)
