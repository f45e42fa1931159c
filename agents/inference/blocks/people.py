"""Who is asked what in a call, person by person; it knows no model and no tokens.

Letters: ``u`` people of a chunk, ``k`` questions to one, ``m`` memories of one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Past, Request
from agents.inference.facets.mixtures import adapter_of
from simenv.events import BoolArray, IntArray

_CHUNK_CUES = 640  # asked at once


class Person(NamedTuple):
    """Whom some requests of a call are put to."""

    adapter: str | None
    profile: str
    past: Past


class Asked(NamedTuple):
    """A person and the questions to them."""

    person: Person
    rows: IntArray  # (k,) of the call

    @property
    def adapter(self) -> str | None:
        """The adapter at work, whatever the mixture of its facets."""
        return adapter_of(self.person.adapter)


class ChunkTexts(NamedTuple):
    """People who are asked together, and the rows of the tables that hold what they attend to."""

    people: list[Person]  # u
    rows: IntArray  # (u, k) of the call
    real: BoolArray  # (u, k) False = a question that fills the row up
    items: IntArray  # (u, k)
    memories: IntArray  # (u, m)
    leans_on: IntArray  # (u, m) item of each memory, -1 = there is none
    profiles: IntArray  # (u,)

    @property
    def asked(self) -> IntArray:
        """(m,) rows of the call that are answered, person by person."""
        return self.rows[self.real]

    @property
    def adapters(self) -> list[str | None]:
        """(u,) adapter or mixture of each person."""
        return [person.adapter for person in self.people]

    @property
    def unseen(self) -> BoolArray:
        """(u, k, m) memories that a question does not see: none, or of the very item."""
        none = (self.leans_on < 0)[:, None, :]
        return np.asarray(none | (self.leans_on[:, None, :] == self.items[:, :, None]))


def people_of(requests: Sequence[Request]) -> list[Asked]:
    """The people of a call with their questions; those on one adapter lie side by side."""
    found: dict[Person, list[int]] = {}
    for row, one in enumerate(requests):
        found.setdefault(Person(one.adapter, one.prefix, one.past), []).append(row)
    people = [Asked(person, np.array(rows, dtype=np.int64)) for person, rows in found.items()]
    return sorted(people, key=lambda one: one.adapter or "")


def chunks_of(people: Sequence[Asked], alone: bool) -> Iterator[list[Asked]]:
    """People with about equally many questions, some hundred questions together; or each alone."""
    if alone:
        yield from ([one] for one in people)
        return
    chunk: list[Asked] = []
    for one in sorted(people, key=lambda one: (len(one.rows), len(one.person.past))):
        if chunk and (len(chunk) + 1) * len(one.rows) > _CHUNK_CUES:
            yield chunk
            chunk = []
        chunk.append(one)
    if chunk:
        yield chunk


def among(chunk: Sequence[Asked], rows: IntArray) -> list[Asked]:
    """The people of a chunk with those of their questions that are among ``rows``."""
    own = [one._replace(rows=one.rows[np.isin(one.rows, rows)]) for one in chunk]
    return [one for one in own if len(one.rows)]


def filled_places(values: IntArray, places: BoolArray, else_: int) -> IntArray:
    """``values`` one after the other in the places that are true in ``places`` (u, m)."""
    found = np.full(places.shape, else_, dtype=np.int64)
    found[places] = values
    return found
