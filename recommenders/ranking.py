"""From scores to slates: the k best unseen items of every row, and the errors if there are none."""

import numpy as np
from numpy.typing import NDArray

from simenv.events import BoolArray, FloatArray, IntArray, Slates

_LOW = np.uint64(0xFFFFFFFF)
_SIGN = np.uint32(0x80000000)


def top_slates(
    name: str,
    users: IntArray,
    scores: FloatArray,
    excluded: BoolArray,
    k: int,
    priority: IntArray | None = None,
) -> Slates:
    """The k best allowed items of every row, best first.

    Scores are rounded to float32 before they are compared: matrix products differ in their last
    bits with the size of the batch, and a tie must not be decided by those bits.

    Args:
        name: the policy, for errors.
        users: (n,) for errors.
        scores: (n, num_items); not changed.
        excluded: (n, num_items) items that must not be shown.
        k: places.
        priority: (num_items,) all items in the order that decides ties; None = by item id.

    Raises:
        ValueError: a score is not finite, or a row has fewer than k allowed items, or k < 1.
    """
    with np.errstate(over="ignore"):  # an overflow becomes inf and is reported below
        rounded = scores.astype(np.float32)
    _check_finite(name, users, rounded)
    _check_enough(name, users, excluded, k)
    num_items = scores.shape[1]
    order = np.arange(num_items) if priority is None else priority
    keys = _sort_keys(rounded, excluded, order)
    best = np.partition(keys, num_items - k, axis=1)[:, num_items - k :]
    best = np.sort(best, axis=1)[:, ::-1]
    items = order[num_items - 1 - (best & _LOW).astype(np.int64)].astype(np.int64)
    return Slates(items, np.take_along_axis(rounded, items, axis=1).astype(np.float64))


def _sort_keys(
    scores: NDArray[np.float32], excluded: BoolArray, order: IntArray
) -> NDArray[np.uint64]:
    """One distinct integer an item, (n, num_items): greater is better, excluded items are least.

    The high half holds the bits of the score in an order-preserving form, the low half the rank
    among ties, so a partial sort of integers replaces a full stable sort of floats.
    """
    bits = (scores + np.float32(0)).view(np.uint32)  # + 0 turns -0.0 into 0.0
    ordered = np.where(bits >= _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    rank = np.empty(len(order), dtype=np.uint64)
    rank[order] = np.arange(len(order), dtype=np.uint64)[::-1]
    # No finite score has ordered bits 0, so excluded items sort below every allowed one.
    return (np.where(excluded, np.uint64(0), ordered) << np.uint64(32)) | rank


def _check_finite(name: str, users: IntArray, scores: NDArray[np.float32]) -> None:
    if np.isfinite(scores).all():
        return
    row, item = np.argwhere(~np.isfinite(scores))[0]
    raise ValueError(
        f"policy {name} gave score {scores[row, item]} for user {users[row]}, item {item};"
        " scores must be finite: check what it learnt from"
    )


def _check_enough(name: str, users: IntArray, excluded: BoolArray, k: int) -> None:
    if k < 1:
        raise ValueError(f"policy {name} was asked for a slate of {k} items; use a slate_size >= 1")
    allowed = (~excluded).sum(axis=1)
    if (allowed < k).any():
        row = int(np.argmin(allowed))
        raise ValueError(
            f"policy {name} has {allowed[row]} unseen items left for user {users[row]} but the"
            f" slate wants {k}; use a smaller slate_size, fewer steps or a larger catalogue"
        )
