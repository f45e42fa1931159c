"""Answers what is known and asks for the rest once: shared by the cache and the recorder."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from agents.inference.failures import FailedRequestsError
from agents.inference.named_rows import rows_of_caller

K = TypeVar("K", bound=Hashable)


def ask_once(
    keys: Sequence[K],
    known: Mapping[K, Any],
    ask: Callable[[list[int]], Iterable[Any]],
    keep: Callable[[dict[K, Any]], None],
    pack: Callable[[list[Any]], Any],
) -> Any:
    """The answers to all keys, in their order.

    Args:
        keys: (n,) one a request; equal keys mean equal answers.
        known: answers that need not be asked for.
        ask: answers the rows given; called at most once, with one row for each missing key.
        keep: is given the fresh answers, never a failed one.
        pack: n answers → what the caller returns.

    Raises:
        FailedRequestsError: some missing keys failed; the fresh answers were kept, and the error
            names the caller's rows and holds every known and fresh answer.
    """
    rows: dict[K, int] = {}
    for row, key in enumerate(keys):
        if key not in known:
            rows.setdefault(key, row)
    failure: FailedRequestsError | None = None
    fresh: dict[K, Any] = {}
    if rows:
        asked = list(rows.values())
        try:
            with rows_of_caller(asked):
                answers: Iterable[Any] = ask(asked)
        except FailedRequestsError as error:
            failure, answers = error, error.answers
        fresh = dict(zip(rows, answers, strict=True))
    failed = {list(rows)[i]: why for i, why in failure.failures.items()} if failure else {}
    keep({key: answer for key, answer in fresh.items() if key not in failed})
    packed = pack([known[key] if key in known else fresh[key] for key in keys])
    if failure:
        failures = {row: failed[key] for row, key in enumerate(keys) if key in failed}
        raise failure.for_rows(failures, packed) from None
    return packed
