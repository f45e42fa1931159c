"""Which rows of log-probabilities may be kept: a proper, finite distribution and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np

from agents.inference.failures import FailedRequestsError
from simenv.events import BoolArray, FloatArray

_ROUNDING = 1e-3  # of the sum of chances; engines compute in bfloat16 at worst


def is_distribution(row: Any) -> bool:
    """Whether log-probabilities (c,) are finite and their chances add up to 1."""
    values = np.asarray(row)
    proper_kind = values.ndim == 1 and values.dtype.kind == "f" and len(values) > 0
    return proper_kind and bool(_are_distributions(values.reshape(1, -1))[0])


def proper_or_failed(
    ask: Callable[[], FloatArray], num_rows: int, num_choices: int, who: str
) -> FloatArray:
    """The answers (n, c) of ``ask()``; a row that is no distribution has failed.

    Args:
        ask: the engine's answers.
        num_rows: n.
        num_choices: c.
        who: answers, for messages.

    Raises:
        FailedRequestsError: that of ``ask``, with every other row that is no distribution; all of
            them are NaN in it.
        ValueError: another shape came.
    """
    error: FailedRequestsError | None = None
    try:
        answers = ask()
    except FailedRequestsError as raised:
        error, answers = raised, np.asarray(raised.answers)
    found: FloatArray = np.array(answers, dtype=np.float64)
    if found.shape != (num_rows, num_choices):
        raise ValueError(
            f"{who} wanted log-probabilities of shape ({num_rows}, {num_choices}), got"
            f" {found.shape}; see Engine.score"
        )
    failures = dict(error.failures) if error else {}
    for row in np.flatnonzero(~_are_distributions(found)).tolist():
        failures.setdefault(row, f"the answer is no distribution: {_shown(found[row])}")
    found[list(failures)] = np.nan
    if error is not None:
        raise error.for_rows(failures, found) from None
    if failures:
        raise FailedRequestsError(failures, found, who)
    return found


def _are_distributions(rows: FloatArray) -> BoolArray:
    """(n,) which of the rows (n, c) are."""
    if not rows.size:
        return np.ones(len(rows), dtype=np.bool_)
    usable = np.isfinite(rows).all(axis=1) & (rows.max(axis=1) <= _ROUNDING)
    sums = np.exp(np.where(usable[:, None], rows, -np.inf)).sum(axis=1)
    return np.asarray(usable & (np.abs(sums - 1.0) <= _ROUNDING))


def _shown(row: FloatArray) -> str:
    return "[" + " ".join(f"{value:.3g}" for value in row[:9]) + "]"
