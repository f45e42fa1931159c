"""What was read: rows and what became of them, the scale, the clock, the split, what was not used.

Readers fill one ``Reading``; results, consoles and reports show it. It knows no file format.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

DROPPED_TOO_MANY = 0.05  # share of the rating rows above which a report opens with it


class ReadingWarning(UserWarning):
    """What was read is not what somebody would expect."""


@dataclass(frozen=True)
class Reading:
    """What a reader read of its files, and what it left out."""

    file: str = ""  # of the ratings
    num_rows: int = 0  # rating rows of the file
    num_kept: int = 0  # of which so many are in the log
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason → rows, of all files
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # reason → first rows
    scale: tuple[float, float] = (1.0, 5.0)  # lowest and highest rating of the source
    scale_given: bool = True  # else it was taken for granted
    rating_range: tuple[float, float] = (1.0, 5.0)  # of the kept rows, on the source's scale
    num_levels: int = 0  # distinct ratings among the kept rows; 0 = not counted
    times: str | None = None  # how times are written; None = there are none
    order: str | None = None  # what the rows are sorted by, where that matters
    split: str = ""  # which rows are training rows
    num_users: int = 0  # of the log
    num_users_used: int = 0  # of whom so many are users of the data set
    others: str = ""  # what became of the rows of all others
    num_items: int = 0  # of the catalogue
    num_items_unrated: int = 0
    num_items_untitled: int = 0
    ids_are_titles: bool = False  # nobody named a column of titles
    domain: str = ""  # whose words the items are told in, where somebody could choose
    facts: Mapping[str, str] = field(default_factory=dict)  # told besides: fact → column
    untold_facts: tuple[str, ...] = ()  # that the domain would tell and no column holds
    unused_columns: tuple[str, ...] = ()  # of the files
    warnings: tuple[str, ...] = ()  # what a report opens with

    @property
    def dropped_share(self) -> float:
        """Share of the rating rows that are not in the log."""
        return (self.num_rows - self.num_kept) / self.num_rows if self.num_rows else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For ``results.json``: JSON types, with the sentences that people read."""
        facts = asdict(self)
        facts["dropped_share"] = round(self.dropped_share, 6)
        facts["examples"] = {reason: list(rows) for reason, rows in self.examples.items()}
        for name in ("scale", "rating_range", "untold_facts", "unused_columns", "warnings"):
            facts[name] = list(facts[name])
        facts["dropped"] = {str(reason): count for reason, count in self.dropped.items()}
        facts["sentences"] = self.sentences()
        return facts

    def sentences(self) -> list[str]:
        """All of it in words, a fact a sentence."""
        found = [
            f"{self.file}: {self.num_kept:,} of {self.num_rows:,} rating rows were read"
            f" ({self.dropped_share:.1%} left out).",
            *(
                f"Left out as {reason}: {count:,}, first: {'; '.join(self.examples[reason])}."
                for reason, count in self.dropped.items()
            ),
            self._scale_sentence(),
            f"Times: {self.times}." if self.times else "Times: none.",
            f"Split: {self.split}.",
            f"Users: {self.num_users_used:,} of {self.num_users:,}{self.others}.",
            self._items_sentence(),
        ]
        if self.domain:
            found.append(self._domain_sentence())
        if self.unused_columns:
            found.append(f"Columns that are not used: {', '.join(self.unused_columns)}.")
        return found

    def _scale_sentence(self) -> str:
        low, high = self.scale
        given = "as given" if self.scale_given else "taken for granted (rating_scale is not given)"
        return (
            f"Ratings: {self.rating_range[0]:g} to {self.rating_range[1]:g} on a scale of {low:g}"
            f" to {high:g}, {given}; {low:g} became 1 star, {high:g} became 5.{self._between()}"
        )

    def _between(self) -> str:
        """What a star is worth on a scale of another length, and what nobody could give."""
        low, high = self.scale
        if self.num_levels == 2 and self.rating_range == self.scale:
            return " Nobody gave anything between."
        step = (high - low) / 4
        return "" if step == 1 else f" A star is worth {step:g} of its points."

    def _domain_sentence(self) -> str:
        told = [f"{fact} (column {column!r})" for fact, column in self.facts.items()]
        more = f" Of each item it also tells {', '.join(told)}." if told else ""
        untold = ", ".join(self.untold_facts)
        less = f" It would tell {untold} too, which no column holds (facts)." if untold else ""
        return f"Items are told as those of the domain {self.domain!r}.{more}{less}"

    def _items_sentence(self) -> str:
        unrated = f"Items: {self.num_items:,}, of which {self.num_items_unrated:,} have no rating"
        if self.ids_are_titles:
            return f"{unrated}; their ids are taken for titles (title_column is not given)."
        return f"{unrated} and {self.num_items_untitled:,} no title."

    def announce(self) -> None:
        """Warn of all that a report opens with, and give it to ``readings``."""
        for text in self.warnings:
            warnings.warn(text, ReadingWarning, stacklevel=4)  # the caller of a loader
        found = _FOUND.get()
        if found is not None and self not in found:
            found.append(self)


_FOUND: ContextVar[list[Reading] | None] = ContextVar("found", default=None)


@contextmanager
def readings() -> Iterator[list[Reading]]:
    """Collects what is read inside, so that no run has to remember to report it.

    The list grows as data sets are read; the same reading stands in it once.
    """
    found: list[Reading] = []
    token = _FOUND.set(found)
    try:
        yield found
    finally:
        _FOUND.reset(token)
