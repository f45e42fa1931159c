"""Compiled loops of ``LlamaForward`` between its matrix products: norms and the MLP's gate.

numba compiles them for this processor on first use (seconds, once a machine), and they run without
the interpreter's lock. Attention is in ``attention`` and ``lanes``.

Letters: ``t`` tokens, ``w`` hidden width, ``f`` MLP width. Numbers are float32, arrays contiguous;
nothing is checked here.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import float32
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


def compiled(*maths: str, inline: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: compile a function on first use, and keep the result in the user's cache.

    Not beside its module, where a package that is removed would leave it behind: Python takes what
    is left of a folder for a package, and finds no other of that name.

    numba drops kept code when its own module changes; here a change in any module with compiled
    functions counts, since compiled code holds what it calls.

    What is called is put into its caller. Else the process that compiles would call each function
    as it was compiled by itself, a later process the copy that its caller's kept code brings
    along, which was optimised beside other code and differs in a float32's last digits.

    Args:
        maths: liberties that LLVM may take beside fusing a product with a sum.
        inline: put it there before types are known, so that the caller's loop is vectorised.
    """
    settings: dict[str, Any] = {
        "nogil": True,
        "fastmath": {"contract", *maths},
        "error_model": "numpy",
        "forceinline": not inline,
        "inline": "always" if inline else "never",
    }

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            with _kept_in_the_users_cache():
                kept = numba.njit(cache=True, **settings)(function)
        except RuntimeError:  # no folder that may be written: compiled in every process again
            return numba.njit(**settings)(function)
        file = kept._cache._cache_file
        file._source_stamp = (*file._source_stamp, _sources_hash())
        return kept

    return decorate


@contextmanager
def _kept_in_the_users_cache() -> Iterator[None]:
    """Code compiled within it is kept there, unless ``NUMBA_CACHE_DIR`` names another place.

    Where that folder cannot be written, numba takes the next place that it knows.
    """
    config: Any = numba.config
    named = config.CACHE_DIR
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    config.CACHE_DIR = named or os.path.join(cache, "personarec", "compiled")
    try:
        yield
    finally:
        config.CACHE_DIR = named


@lru_cache(maxsize=1)
def _sources_hash() -> str:
    """Of all modules here that have compiled functions, for these call each other."""
    texts = [source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(text for text in texts if b"@compiled(" in text)).hexdigest()


@compiled(inline=True)
def exp(x: Any) -> Any:
    """Exponential of a float32 to its last bits (Cephes' expf), in a form that is vectorised."""
    x = min(max(x, float32(-87)), float32(88))
    power = np.floor(x * float32(1.44269504088896341) + float32(0.5))
    x = x - power * float32(0.693359375) + power * float32(2.12194440e-4)
    y = float32(1.9875691500e-4)
    y = y * x + float32(1.3981999507e-3)
    y = y * x + float32(8.3334519073e-3)
    y = y * x + float32(4.1665795894e-2)
    y = y * x + float32(1.6666665459e-1)
    y = y * x + float32(5.0000001201e-1)
    y = y * x * x + x + float32(1)
    return y * np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)


@compiled("reassoc")
def normalise(x: Floats, eps: float, out: Floats) -> None:
    """Rows of x (t, w), divided by their root mean square, into ``out``."""
    width = x.shape[1]
    for i in range(x.shape[0]):
        total = float32(0)
        for j in range(width):
            total += x[i, j] * x[i, j]
        scale = float32(1 / np.sqrt(total / width + eps))
        for j in range(width):
            out[i, j] = x[i, j] * scale


@compiled()
def gate(gate_up: Floats, out: Floats) -> None:
    """SiLU of the first half of the columns (t, 2f) times the second, into ``out`` (t, f)."""
    width = np.uintp(out.shape[1])
    for i in range(out.shape[0]):
        for j in range(width):
            x = gate_up[i, j]
            out[i, j] = x / (float32(1) + exp(-x)) * gate_up[i, width + j]
