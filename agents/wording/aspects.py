"""What can be said of every item: genres, people, themes, moods and when it is from.

Aspects are made of the catalogue alone, so that whoever holds it names the same ones. In
``Persona.tastes`` a genre goes by its name, any other aspect by its kind, a colon and its name.

Letters: ``n`` items, ``a`` aspects.
"""

import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np

from agents.wording.moods import MOOD_OF
from agents.wording.theme_words import Themes, find_themes, words_of
from simenv.catalog import Catalog

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Kind = Literal["genre", "person", "theme", "mood", "era"]
_MOST_PEOPLE = 5  # of a cast; who comes later is seldom why somebody likes it


class Aspect(NamedTuple):
    """One thing that an item has."""

    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """Its name in ``Persona.tastes``."""
        return self.name if self.kind == "genre" else f"{self.kind}:{self.name}"


class Said(NamedTuple):
    """An aspect as the item itself has it."""

    aspect: Aspect
    word: str  # the word in its summary that tells a theme; else the aspect's name


@dataclass(frozen=True)
class Aspects:
    """The aspects of a catalogue."""

    all: tuple[Aspect, ...]  # (a,)
    of_item: tuple[tuple[Said, ...], ...]  # (n,) what each item has, as the item says it
    themes: Themes

    @classmethod
    def of(cls, catalog: Catalog) -> Self:
        """The aspects of every item; texts that say nothing give none."""
        genres = {name.lower() for name in (*catalog.genre_names, catalog.kind)}
        themes = find_themes(catalog.summaries, catalog.texts(), genres)
        rows = tuple(tuple(_aspects_of(catalog, i, themes).values()) for i in range(len(catalog)))
        known = sorted({said.aspect for row in rows for said in row})
        return cls(tuple(known), rows, themes)

    @cached_property
    def acted(self) -> bool:
        """Whether people play in the items, as casts of many do, or made them, as authors did."""
        people = (sum(said.aspect.kind == "person" for said in row) for row in self.of_item)
        return max(people, default=0) > 3

    @cached_property
    def place(self) -> dict[Aspect, int]:
        """Aspect → its place in ``all``."""
        return {aspect: place for place, aspect in enumerate(self.all)}

    @cached_property
    def matrix(self) -> "csr_matrix":
        """(n, a) sparse: 1 where the item has the aspect."""
        from scipy.sparse import csr_matrix

        counts = [len(row) for row in self.of_item]
        columns = [self.place[said.aspect] for row in self.of_item for said in row]
        starts = np.concatenate([[0], np.cumsum(counts)])
        shape = len(self.of_item), len(self.all)
        return csr_matrix((np.ones(len(columns)), columns, starts), shape=shape)


def _aspects_of(catalog: Catalog, item: int, themes: Themes) -> dict[Aspect, Said]:
    found = [Said(Aspect("genre", name), name) for name in catalog.genres[item]]
    found += [Said(Aspect("person", name), name) for name in catalog.casts[item][:_MOST_PEOPLE]]
    for word in words_of(catalog.summaries[item]):
        if word in themes.of_word:
            found.append(Said(Aspect("theme", themes.names[themes.of_word[word]]), word))
        if word in MOOD_OF:
            found.append(Said(Aspect("mood", MOOD_OF[word]), MOOD_OF[word]))
    year = int(catalog.years[item])
    if year:
        era = f"{year // 10 * 10}s"
        found.append(Said(Aspect("era", era), era))
    first: dict[Aspect, Said] = {}
    for said in found:
        first.setdefault(said.aspect, said)
    return first


# id of a catalogue → its aspects, as long as it lives: one is distilled many times over
_KEPT: dict[int, Aspects] = {}


def aspects_of(catalog: Catalog) -> Aspects:
    """``Aspects.of``, made once a catalogue."""
    key = id(catalog)
    if key not in _KEPT:
        _KEPT[key] = Aspects.of(catalog)
        weakref.finalize(catalog, _KEPT.pop, key, None)
    return _KEPT[key]
