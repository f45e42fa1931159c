"""Products: a row is the same bits wherever it stands, in tiles where that is needed."""

import os
import subprocess
import sys

import pytest
import torch

from agents.inference.fused import products
from agents.inference.fused.products import (
    TILE,
    add_product,
    multiply,
    multiply_across,
    rows_computed,
    tile_for,
)

SIZES = ((128, 128), (48, 200), (128, 5))


def test_rows_are_filled_up_to_whole_tiles_or_to_the_fewest():
    assert [rows_computed(t, None) for t in (1, 15, 16, 17, 500)] == [16, 16, 16, 17, 500]
    assert [rows_computed(t, TILE) for t in (1, TILE, TILE + 1)] == [TILE, TILE, 2 * TILE]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", SIZES)
def test_a_row_is_the_same_bits_wherever_it_stands(size, dtype):
    tile = tile_for(SIZES, dtype, 1)
    x, weights = torch.randn(3 * TILE, size[0]), torch.randn(size).to(dtype)
    for shift in (1, 7, TILE - 1):
        few, many = x[shift : shift + rows_computed(1, tile)].clone(), x
        for product in (_multiplied, _across, _added):
            got, expected = (product(rows, weights, tile) for rows in (few, many))
            assert torch.equal(got, expected[shift : shift + len(few)]), product.__name__


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_in_tiles_are_products(dtype):
    x, weights = torch.randn(2 * TILE, 48), torch.randn(48, 200).to(dtype)
    expected = x @ weights.float()
    close = {"rtol": 0, "atol": 1e-4 if dtype == torch.float32 else 0.5}
    for product in (_multiplied, _across, _added):
        torch.testing.assert_close(product(x, weights, TILE), expected, **close)


def test_products_are_cut_where_rows_depend_on_their_number(monkeypatch):
    assert tile_for(((64, 3),), torch.float32, 10**6) in (None, TILE)
    monkeypatch.setattr(products, "_alike", lambda inputs, *_: inputs != 65)
    assert tile_for(((64, 4),), torch.float32, 10**6) is None
    assert tile_for(((64, 4), (65, 4)), torch.float32, 10**6) == TILE


@pytest.mark.slow
def test_rows_are_the_same_bits_on_a_processor_without_avx512():
    """Where the library is MKL, which can be told to be on one; else it is this one again."""
    laws = f"{__file__}::{test_a_row_is_the_same_bits_wherever_it_stands.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", laws],
        env={**os.environ, "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _multiplied(x, weights, tile):
    out = torch.empty(len(x), weights.shape[1])
    multiply(x, weights, out, tile)
    return out


def _across(x, weights, tile):
    out = torch.empty(weights.shape[1], len(x))
    multiply_across(weights.t().contiguous(), x, out, tile)
    return out.t()


def _added(x, weights, tile):
    out = torch.zeros(len(x), weights.shape[1])
    add_product(out, x, weights, tile)
    return out
