"""Scores that are no numbers are an error before anything is made of them; it knows no model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from agents.inference.engine import Request
from agents.inference.named_rows import NoNumberError
from simenv.events import IntArray


def check_finite(logits: Tensor, rows: IntArray, requests: Sequence[Request]) -> None:
    """Raise unless every logit (n, c) of the rows (n,) is a number; the error names the request.

    Raises:
        NoNumberError: one is not.
    """
    finite = torch.isfinite(logits).all(dim=1)
    if not bool(finite.all()):
        row = int(rows[int((~finite).nonzero()[0])])
        raise NoNumberError(
            row,
            "the model gave a score that is not a number for request {row}"
            f" (adapter {requests[row].adapter!r}); check the weights, or use dtype=float32",
        )
