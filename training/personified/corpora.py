"""What is known of some people: passages by person, life stage and kind of material, as data.

A *source* is one event of a life (a rating, a paragraph) of which several passages may tell; what
is held out is held out by source. It knows no model, and not where passages come from.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from simenv.whole_files import write_whole

Material = Literal["objective", "subjective"]
MATERIALS: tuple[Material, ...] = ("objective", "subjective")
LEAST_STAGES, MOST_STAGES = 2, 8


class Fact(NamedTuple):
    """What a passage about a rating says, for grammars and rules."""

    title: str
    stars: int  # given by the person, 1 to 5
    genres: tuple[str, ...]
    others: float  # what others gave on average
    reason: str  # of the person, as a clause


@dataclass(frozen=True)
class Passage:
    """A few sentences about one person at one time of life."""

    person: str
    stage: int  # 0 = the first
    source: str  # what it tells of; unique to a person's event
    material: Material  # what happened, or what the person thinks of it
    text: str
    fact: Fact | None = None  # None = it tells of no rating

    @property
    def num_words(self) -> int:
        """Of the text."""
        return len(self.text.split())


@dataclass(frozen=True)
class Corpora:
    """Passages of some people.

    Args:
        passages: in the order of every life.
        stages: what the stages are called in a sentence, as "1999".
        kind: what one item is called where passages tell of items; else "thing".
        rated: person → titles that they rated, told of here or not, so that nobody denies one.

    Raises:
        ValueError: there is no passage, a text is empty, there are fewer than 2 or more than 8
            stages, or a person lacks a stage or has one that is not there.
    """

    passages: tuple[Passage, ...]
    stages: tuple[str, ...]
    kind: str = "thing"
    rated: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.passages:
            raise ValueError(
                "corpora wanted at least one passage of a person, got none; give people with"
                " ratings, or a folder PERSON/STAGE/objective/*.txt with texts"
            )
        for passage in self.passages:
            if not passage.text.strip():
                raise ValueError(
                    f"passage {passage.source!r} of {passage.person} wanted a text, got nothing;"
                    " leave it out"
                )
        if len(self.stages) < LEAST_STAGES:
            raise ValueError(
                f"corpora wanted at least {LEAST_STAGES} life stages, got {len(self.stages)}"
                f" ({', '.join(self.stages)}); cut lives into two or more"
            )
        if len(self.stages) > MOST_STAGES:
            raise ValueError(
                f"corpora wanted at most {MOST_STAGES} life stages, got {len(self.stages)}; put"
                " some of them together"
            )
        self._check_stages()

    def _check_stages(self) -> None:
        """Development cannot be seen in a person who is known at one time only."""
        for passage in self.passages:
            if not 0 <= passage.stage < len(self.stages):
                raise ValueError(
                    f"passage {passage.source!r} wanted a stage in [0, {len(self.stages)}), got"
                    f" {passage.stage}; number stages from 0"
                )
        for person in self.people:
            own = {p.stage for p in self.of(person)}
            missing = [name for n, name in enumerate(self.stages) if n not in own]
            if missing:
                raise ValueError(
                    f"{person} wanted passages of every life stage ({', '.join(self.stages)}), got"
                    f" none of {missing[0]}; leave the person out, or give texts of that time"
                )

    @cached_property
    def people(self) -> list[str]:
        """Every person once, in order."""
        return list(dict.fromkeys(p.person for p in self.passages))

    @cached_property
    def _by_person(self) -> dict[str, list[Passage]]:
        found: dict[str, list[Passage]] = {}
        for passage in self.passages:
            found.setdefault(passage.person, []).append(passage)
        return found

    def of(self, person: str, until: int | None = None) -> list[Passage]:
        """A person's passages, those after stage ``until`` left out."""
        own = self._by_person.get(person, [])
        return [p for p in own if until is None or p.stage <= until]

    @cached_property
    def titles(self) -> list[str]:
        """Every title that passages tell a rating of, in order of the alphabet."""
        return sorted({p.fact.title for p in self.passages if p.fact})

    def unrated(self, person: str) -> list[str]:
        """Titles that others rated and the person did not, in order of the alphabet."""
        own = {p.fact.title for p in self.of(person) if p.fact} | self.rated.get(
            person, frozenset()
        )
        return [title for title in self.titles if title not in own]

    @cached_property
    def sources(self) -> list[str]:
        """Every source once, in order."""
        return list(dict.fromkeys(p.source for p in self.passages))

    def without(self, sources: Iterable[str]) -> "Corpora":
        """All but the passages of some sources; what they rated stays ``rated``.

        Raises as the class does.
        """
        gone = frozenset(sources)
        rated = {person: set(titles) for person, titles in self.rated.items()}
        for passage in self.passages:
            if passage.source in gone and passage.fact is not None:
                rated.setdefault(passage.person, set()).add(passage.fact.title)
        return replace(
            self,
            passages=tuple(p for p in self.passages if p.source not in gone),
            rated={person: frozenset(titles) for person, titles in rated.items()},
        )

    def save(self, path: str | Path) -> None:
        """One JSON object a line: first the stages and the kind, then a passage each."""
        rated = {person: sorted(titles) for person, titles in self.rated.items()}
        head = {"stages": self.stages, "kind": self.kind, "rated": rated}
        rows = [head, *(asdict(p) for p in self.passages)]
        write_whole(Path(path), "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    @classmethod
    def load(cls, path: str | Path) -> "Corpora":
        """What ``save`` wrote.

        Raises:
            ValueError: the file is not of this form, or as for the class.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
            head, *rows = (json.loads(line) for line in lines if line.strip())
            passages = tuple(_passage(row) for row in rows)
            stages, kind = tuple(map(str, head["stages"])), str(head["kind"])
            rated = {str(p): frozenset(map(str, t)) for p, t in head["rated"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{Path(path).name} wanted corpora as Corpora.save writes them, got something else"
                f" ({type(error).__name__}: {error}); write it again"
            ) from error
        return cls(passages, stages, kind, rated)


def _passage(row: dict[str, Any]) -> Passage:
    fact = row.pop("fact")
    if row["material"] not in MATERIALS:
        raise ValueError(f"no material {row['material']!r}")
    if type(row["stage"]) is not int or not all(
        isinstance(row[name], str) for name in ("person", "source", "text")
    ):
        raise ValueError(f"a passage of stage {row['stage']!r} with texts that are none")
    told = None
    if fact is not None:
        title, stars, genres, others, reason = fact
        if stars not in range(1, 6):
            raise ValueError(f"{stars!r} stars")
        told = Fact(str(title), int(stars), tuple(map(str, genres)), float(others), str(reason))
    return Passage(**row, fact=told)


def numbers_in_words(stages: Sequence[str]) -> list[str]:
    """First, second, …: which of the stages each is."""
    names = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    return [names[n] if n < len(names) else f"{n + 1}th" for n in range(len(stages))]
