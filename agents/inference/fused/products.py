"""Matrix products in which a row is the same bits whatever rows stand beside it, and how many.

A library of products picks its loops by the number of rows, and other loops sum in another order.
With at least ``FEWEST`` rows MKL's for AVX-512 sum every row in one order, whatever their number;
where they do not (other processors, several threads, bfloat16, very wide matrices) products are
computed in tiles of ``TILE`` rows, in which a row's place does not matter. Which of the two holds
here is tried out once for the sizes of a model. Weights with fewer than ``FEWEST`` columns, such as
those of five answers, are filled up with zeros: for a few columns some libraries (MKL on AMD's
processors, below eight) take loops in which a row's place matters whatever the tile. It knows no
model.

Letters: ``t`` rows, ``i`` inputs, ``o`` outputs.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

FEWEST = 16
TILE = 96  # 48, 96, 144 and 192 give all rows the same bits on SSE4.2, AVX2 and AVX-512
_MOST = 640
# From which row on, and how many; enough for every loop that MKL has for a rest.
_TRIED = ((0, 16), (5, 17), (40, 23), (7, 31), (96, 48), (1, 65), (300, 100), (13, 159), (64, 500))

Sizes = tuple[tuple[int, int], ...]


def rows_computed(t: int, tile: int | None) -> int:
    """Rows of a product that t rows are filled up to."""
    return max(t, FEWEST) if tile is None else -(-t // tile) * tile


def multiply(left: Tensor, right: Tensor, out: Tensor, tile: int | None) -> None:
    """``out`` (t, o) in float32 becomes left @ right, computed in the format of the weights."""
    if (columns := right.shape[1]) < FEWEST:
        wide = out.new_empty(len(left), FEWEST)
        multiply(left, _filled_up(right), wide, tile)
        out.copy_(wide[:, :columns])
        return
    for own in tiles(len(left), tile):
        if left.dtype == right.dtype:
            torch.mm(left[own], right, out=out[own])
        else:
            out[own].copy_(left[own].bfloat16() @ right)


def multiply_across(weights: Tensor, inputs: Tensor, out: Tensor, tile: int | None) -> None:
    """``out`` (o, t) in float32 becomes weights @ inputs.t(), for inputs (t, i)."""
    for own in tiles(len(inputs), tile):
        if weights.dtype == inputs.dtype:
            torch.mm(weights, inputs[own].t(), out=out[:, own])
        else:
            out[:, own].copy_(weights @ inputs[own].bfloat16().t())


def add_product(x: Tensor, left: Tensor, weights: Tensor, tile: int | None) -> None:
    """Add left @ weights to ``x`` (t, o); all but the weights is float32."""
    if (columns := weights.shape[1]) < FEWEST:
        wide = _filled_up(x)
        add_product(wide, left, _filled_up(weights), tile)
        x.copy_(wide[:, :columns])
        return
    for own in tiles(len(left), tile):
        if weights.dtype == x.dtype:
            x[own].addmm_(left[own], weights)
        else:
            x[own].add_(left[own].bfloat16() @ weights)


@lru_cache(maxsize=64)
def tile_for(sizes: Sizes, dtype: torch.dtype, threads: int) -> int | None:
    """Rows of a tile for weights of these sizes (i, o); None = products need not be cut.

    Args:
        sizes: of the weights.
        dtype: of the weights.
        threads: that a product may use, as this thread has them; part of the key alone.
    """
    del threads
    return None if all(_alike(i, o, dtype) for i, o in sizes) else TILE


def _alike(inputs: int, outputs: int, dtype: torch.dtype) -> bool:
    """Whether rows are the same bits among few and among many, however the operands lie."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(_MOST, inputs, generator=random)
    weights = torch.randn(inputs, outputs, generator=random).to(dtype)
    across = weights.t().contiguous()

    def products(x: Tensor) -> Iterator[Tensor]:
        for left in (x, x.t().contiguous().t()):
            for right in (weights, across.t()):
                yield _multiplied(left, right)
        turned = torch.empty(outputs, len(x))
        multiply_across(across, x, turned, None)
        yield turned.t()

    among_many = list(products(x))
    return all(
        torch.equal(few, many[first : first + count])
        for first, count in _TRIED
        for few, many in zip(products(x[first : first + count].clone()), among_many, strict=True)
    )


def _filled_up(matrix: Tensor) -> Tensor:
    """With columns of zeros, ``FEWEST`` in all."""
    return torch.nn.functional.pad(matrix, (0, FEWEST - matrix.shape[1]))


def _multiplied(left: Tensor, right: Tensor) -> Tensor:
    out = torch.empty(len(left), right.shape[1])
    multiply(left, right, out, None)
    return out


def tiles(t: int, tile: int | None) -> Iterator[slice]:
    """Rows 0:t, a whole number of tiles; without a tile all at once."""
    step = t if tile is None else tile
    return (slice(first, first + step) for first in range(0, t, step))
