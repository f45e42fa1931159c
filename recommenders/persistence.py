"""Policies as files: a JSON header and named arrays in one npz, never a pickle.

Knows arrays and sparse matrices, no policy; ``Recommender.save`` and ``load`` decide what goes in.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simenv.whole_files import replace_whole

FORMAT = 1
_HEADER = "header.json"
_NOW_IN_POLICIES = {  # modules that files of before the folder ``policies`` name
    "bandits": "bandits",
    "callable_policy": "callable_policy",
    "cornac_models": "cornac_models",
    "ease": "ease",
    "factorisation": "factorisation",
    "heuristics": "heuristics",
    "linear_bandits": "linear_bandits",
    "neighbours": "neighbours",
    "sb3": "sb3_policy",
    "slim": "slim",
}
_SPARSE = ("data", "indices", "indptr", "shape")

Array = Any  # NDArray | sparse.csr_matrix; the reader knows which by the name


def current_module(module: str) -> str:
    """Where a policy's module is today, given the name that a file holds.

    >>> current_module("recommenders.ease"), current_module("my_package.mine")
    ('recommenders.policies.ease', 'my_package.mine')
    """
    top, _, name = module.partition(".")
    moved = top == "recommenders" and name in _NOW_IN_POLICIES
    return f"recommenders.policies.{_NOW_IN_POLICIES[name]}" if moved else module


def write_archive(path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write header and arrays to exactly ``path``; a killed write leaves the old file whole.

    Raises:
        TypeError: the header holds something that JSON cannot.
    """
    text = json.dumps({"format": FORMAT, **header})
    flat: dict[str, NDArray[Any]] = {_HEADER: np.frombuffer(text.encode(), dtype=np.uint8)}
    for name, array in arrays.items():
        if sparse.issparse(array):
            flat |= {f"{name}:{part}": np.asarray(getattr(array, part)) for part in _SPARSE}
        else:
            flat[name] = np.asarray(array)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(target, lambda unfinished: _compress(unfinished, flat))


def _compress(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:  # given a path, numpy would add .npz to its name
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_archive(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the arrays that ``write_archive`` wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a policy file, or one of a newer format.
    """
    archive = np.load(path, allow_pickle=False)
    flat: dict[str, NDArray[Any]] = {}
    if isinstance(archive, np.lib.npyio.NpzFile):  # a bare .npy is an array
        with archive:
            flat = {name: archive[name] for name in archive.files}
    if _HEADER not in flat:
        raise ValueError(
            f"{path} is no policy file: it has no {_HEADER}; write one with save(path)"
        )
    header: dict[str, Any] = json.loads(flat.pop(_HEADER).tobytes().decode())
    if header["format"] != FORMAT:
        raise ValueError(
            f"{path} has policy format {header['format']}, this version reads {FORMAT};"
            " fit and save the policy again"
        )
    arrays: dict[str, Array] = {n: a for n, a in flat.items() if ":" not in n}
    for name in sorted({n.partition(":")[0] for n in flat if ":" in n}):
        data, indices, indptr, shape = (flat[f"{name}:{part}"] for part in _SPARSE)
        arrays[name] = sparse.csr_matrix((data, indices, indptr), shape=tuple(shape))
    return header, arrays
