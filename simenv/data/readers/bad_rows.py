"""What to do with a row that cannot be used: raise, or drop and count. Knows no file format.

A reader notes every bad row in one ``BadRows`` report. Under ``"error"`` the first note raises and
names the file, the row and the cure; under ``"drop"`` it is counted, the first examples are kept,
and ``announce`` warns once at the end. No row is ever lost in silence.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, get_args

from simenv.events import IntArray

OnBadRows = Literal["error", "drop"]

_NUM_EXAMPLES = 3


class BadRowReason(StrEnum):
    """Why a row cannot be used."""

    MALFORMED = "malformed"  # wrong number of fields, or not a number
    ENCODING = "wrong encoding"
    OUT_OF_RANGE = "rating out of range"
    UNKNOWN_ITEM = "unknown item"
    DUPLICATE = "duplicate"  # the same user and item, or the same item, again
    NO_ROWS = "user without rows"


_CURES = {
    BadRowReason.MALFORMED: "mend the row",
    BadRowReason.ENCODING: "name the file's encoding (encoding=...) or save it again",
    BadRowReason.OUT_OF_RANGE: "mend the rating or state the file's scale (rating_scale=)",
    BadRowReason.UNKNOWN_ITEM: "add the item to the item file",
    BadRowReason.DUPLICATE: "keep one of the rows",
    BadRowReason.NO_ROWS: "take the user out of the user file",
}


class BadRowError(ValueError):
    """A row cannot be used and the policy is ``"error"``."""


class BadRowsWarning(UserWarning):
    """Rows were dropped because the policy is ``"drop"``."""


@dataclass
class BadRows:
    """The policy and the report: how many rows were dropped, why, and the first of each kind.

    Raises:
        ValueError: the policy is neither ``"error"`` nor ``"drop"``.
    """

    policy: OnBadRows = "error"
    counts: dict[BadRowReason, int] = field(default_factory=dict)
    examples: dict[BadRowReason, list[str]] = field(default_factory=dict)
    of_files: dict[str, int] = field(default_factory=dict)  # rows dropped of each file

    def __post_init__(self) -> None:
        if self.policy not in get_args(OnBadRows):
            raise ValueError(f'on_bad_rows must be "error" or "drop", got {self.policy!r}')

    @property
    def total(self) -> int:
        """Rows dropped so far."""
        return sum(self.counts.values())

    def note(self, reason: BadRowReason, file: str, row: int, what: str) -> None:
        """Note one bad row; ``row`` counts from 1 and includes a header, as a spreadsheet does.

        Raises:
            BadRowError: the policy is ``"error"``.
        """
        self._note(reason, file, [f"{_place(file, row)}: {what}"], 1, rows=int(row > 0))

    def note_all(
        self, reason: BadRowReason, file: str, rows: IntArray, what: Callable[[int], str]
    ) -> None:
        """Note many bad rows at once; ``what(i)`` describes ``rows[i]``; row 0 is the whole file.

        Raises:
            BadRowError: the policy is ``"error"`` and there is at least one row.
        """
        if len(rows):
            shown = range(min(len(rows), _NUM_EXAMPLES))
            examples = [f"{_place(file, rows[i])}: {what(i)}" for i in shown]
            self._note(reason, file, examples, len(rows), rows=int((rows > 0).sum()))

    def _note(
        self, reason: BadRowReason, file: str, examples: list[str], count: int, rows: int
    ) -> None:
        if self.policy == "error":
            more = f" (and {count - 1} more row{'s' * (count > 2)} like it)" if count > 1 else ""
            raise BadRowError(
                f"{examples[0]}{more}; {_CURES[reason]},"
                ' or pass on_bad_rows="drop" to leave such rows out and count them'
            )
        self.of_files[file] = self.of_files.get(file, 0) + rows
        self.counts[reason] = self.counts.get(reason, 0) + count
        kept = self.examples.setdefault(reason, [])
        kept.extend(examples[: _NUM_EXAMPLES - len(kept)])

    def summary(self) -> str:
        """One sentence: counts by reason and the first example of each."""
        parts = [
            f"{count} {reason} (first: {self.examples[reason][0]})"
            for reason, count in self.counts.items()
        ]
        return f"dropped {self.total} bad rows: {'; '.join(parts) or 'none'}"

    def announce(self) -> None:
        """Warn about everything that was dropped; silent only if nothing was."""
        if self.total:
            warnings.warn(self.summary(), BadRowsWarning, stacklevel=4)  # the caller of a loader


def _place(file: str, row: int) -> str:
    return f"{file}, row {row}" if row else file
