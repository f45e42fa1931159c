"""A call's requests as a forward reads them, and what must hold of its answers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.engine import Request
from simenv.events import IntArray


class Questions(NamedTuple):
    """What the caller asked; segments of a plan hold rows of it."""

    requests: Sequence[Request]
    suffixes: list[list[int]]  # token ids, with what all choices begin with
    digits: list[int]  # (c,) the token by which each choice differs


def first_alike(requests: Sequence[Request]) -> IntArray:
    """(n,) the first request that is scored as each one is (the seed plays no part)."""
    seen: dict[tuple[str | None, str, str], int] = {}
    return np.array(
        [seen.setdefault((r.adapter, r.prefix, r.suffix), i) for i, r in enumerate(requests)],
        dtype=np.int64,
    )


def check_finite(logits: Tensor, rows: IntArray, asked: Questions) -> None:
    """Raise unless every logit (n, c) of the rows (n,) is a number.

    Raises:
        FloatingPointError: it names the request and its adapter.
    """
    finite = torch.isfinite(logits).all(dim=1)
    if not bool(finite.all()):
        row = int(rows[int((~finite).nonzero()[0])])
        raise FloatingPointError(
            f"the model gave a score that is not a number for request {row}"
            f" (adapter {asked.requests[row].adapter!r}); check the weights, or use dtype=float32"
        )
