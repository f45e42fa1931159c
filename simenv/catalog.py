"""The catalogue: what every item is. Knows nobody's rating; ``ItemAverages`` stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simenv.domains.domain import Domain
from simenv.domains.domain_file import domain_called
from simenv.events import FloatArray, IntArray
from simenv.values.column_checks import text_lists, texts, whole_numbers
from simenv.values.plain_text import one_line

_FAR = 10**6  # no year lies further away
_COLUMNS = ("years", "genres", "casts", "summaries", "external_ids")


@dataclass(frozen=True)
class Catalog:
    """All items by index: facts that hold whoever rates them.

    Texts are kept as one line without control characters (``simenv.values.plain_text``), so that a
    title cannot end the line of a prompt; ids stay as they are.

    Raises:
        ValueError: a column has not one entry a title, a cell is not what its column holds, or an
            id occurs twice.
    """

    titles: tuple[str, ...]
    years: IntArray  # (num_items,) 0 = unknown
    genres: tuple[tuple[str, ...], ...]
    casts: tuple[tuple[str, ...], ...] = ()
    summaries: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    domain: Domain = field(default_factory=lambda: domain_called("movie"))  # its words
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # more columns, by name

    def __post_init__(self) -> None:
        n = len(self.titles)
        fill = object.__setattr__
        fill(self, "casts", self.casts or ((),) * n)
        fill(self, "summaries", self.summaries or ("",) * n)
        fill(self, "external_ids", self.external_ids or tuple(str(i) for i in range(n)))
        for name in _COLUMNS:
            if len(getattr(self, name)) != n:
                raise ValueError(
                    f"catalogue column {name!r} must have one entry a title: wanted {n},"
                    f" got {len(getattr(self, name))}"
                )
        fill(self, "titles", _lines(texts(self.titles, "title")))
        fill(self, "years", whole_numbers(self.years, "year", -_FAR, _FAR, "give 0 for unknown"))
        fill(self, "genres", tuple(map(_words, text_lists(self.genres, "genres"))))
        fill(self, "casts", tuple(map(_words, text_lists(self.casts, "cast"))))
        fill(self, "summaries", _lines(texts(self.summaries, "summary")))
        fill(self, "external_ids", texts(self.external_ids, "external_id"))
        fill(self, "facts", {name: self._fact(name) for name in self.domain.facts})
        self._check_ids()

    def _fact(self, name: str) -> tuple[str, ...]:
        """A column that the domain wants; empty where there is none."""
        column = self.facts.get(name, ("",) * len(self))
        if len(column) != len(self):
            raise ValueError(
                f"catalogue fact {name!r} must have one entry a title: wanted {len(self)}, got"
                f" {len(column)}"
            )
        return _lines(texts(column, name))

    def _check_ids(self) -> None:
        if len(set(self.external_ids)) < len(self):
            first: dict[str, int] = {}
            row = next(i for i, x in enumerate(self.external_ids) if first.setdefault(x, i) < i)
            raise ValueError(
                f"external_id wanted distinct ids, got {self.external_ids[row]!r} in row {row}"
                " again; give every item an id of its own"
            )

    def __len__(self) -> int:
        return len(self.titles)

    @property
    def kind(self) -> str:
        """What one item is called in a sentence."""
        return self.domain.noun

    @cached_property
    def genre_names(self) -> tuple[str, ...]:
        """All genres that occur, sorted."""
        return tuple(sorted({g for row in self.genres for g in row}))

    @cached_property
    def genre_matrix(self) -> FloatArray:
        """(num_items, num_genres) 1 where the item has the genre."""
        column = {g: j for j, g in enumerate(self.genre_names)}
        matrix = np.zeros((len(self), len(column)))
        for i, row in enumerate(self.genres):
            matrix[i, [column[g] for g in row]] = 1.0
        return matrix

    @cached_property
    def genre_shares(self) -> FloatArray:
        """(num_items, num_genres) one over the number of the item's genres; 0 without any."""
        genres = self.genre_matrix
        return np.asarray(genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0))

    @cached_property
    def genre_directions(self) -> FloatArray:
        """(num_items, num_genres) rows of length 1 for cosines; 0 without any genre."""
        genres = self.genre_matrix
        return np.asarray(genres / np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1.0))

    def text(self, item: int) -> str:
        """One item in words, for embedders: title, genres, cast, summary and facts in words."""
        words = [self.titles[item], *self.genres[item], *self.casts[item], self.summaries[item]]
        facts = (column[item] for column in self.facts.values())
        words += [fact for fact in facts if not any(sign.isdigit() for sign in fact)]
        return " ".join(w for w in words if w)

    def texts(self) -> list[str]:
        """Every item in words."""
        return [self.text(i) for i in range(len(self))]


def _lines(column: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(one_line, column))


def _words(row: tuple[str, ...]) -> tuple[str, ...]:
    """The words of one item; one of control characters alone is none."""
    cleaned = _lines(row)
    return cleaned if cleaned == row else tuple(word for word in cleaned if word)
