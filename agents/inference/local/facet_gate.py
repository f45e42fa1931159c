"""The gate of an adapter's facets: from a person's vector to how they are mixed, and its file.

Letters: ``n`` people, ``K`` facets, ``d`` numbers of a vector.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.inference.local.model_files import ADAPTER_CONFIG, GATE
from agents.inference.local.plain_files import Shapes, read_json, tensor_shapes
from simenv.events import FloatArray


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


def read_gate(folder: str | Path) -> FacetGate | None:
    """The gate of an adapter's facets; None for an ordinary adapter.

    Raises:
        ValueError: the file is corrupt, or has not a row for each of K facets whose ranks the
            adapter can be parted into.
    """
    from safetensors.numpy import load_file

    path = Path(folder) / GATE
    if not path.exists():
        return None
    _check_shapes(tensor_shapes(path, "copy it again"))
    gate = FacetGate(**{k: v.astype(np.float64) for k, v in load_file(path).items()})
    if not all(np.isfinite(part).all() for part in gate):
        raise ValueError(f"{GATE} holds NaN or infinity; copy it again, or train it anew")
    _check_rank(read_json(Path(folder) / ADAPTER_CONFIG).get("r"), len(gate.bias))
    return gate


def _check_shapes(shapes: Shapes) -> None:
    weight, bias = shapes.get("weight", ()), shapes.get("bias", ())
    if set(shapes) != {"weight", "bias"} or len(weight) != 2 or bias != weight[:1] or weight[0] < 2:
        raise ValueError(
            f"{GATE} wanted weight (K, d) and bias (K,) of two facets or more, got {dict(shapes)};"
            " copy it again"
        )


def _check_rank(rank: object, facets: int) -> None:
    if not isinstance(rank, int) or rank % facets:
        raise ValueError(
            f"{GATE} mixes {facets} facets, but the rank {rank!r} of {ADAPTER_CONFIG} is no"
            " multiple of it; copy the whole adapter again"
        )


def num_facets(folder: str | Path) -> int:
    """Facets of an adapter; 0 = it is an ordinary one. Raises as ``read_gate`` does."""
    gate = read_gate(folder)
    return 0 if gate is None else len(gate.bias)
