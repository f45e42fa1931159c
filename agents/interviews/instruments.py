"""Questionnaires as data: items, keys, options, scoring, licence and language. They know no model.

An answer to an item is one of its options; its points are the option's, turned around where the
item is keyed -1. A trait's score is the mean of its items' points. An instrument of ``types`` turns
each score into one of two letters, and the letters into a type.

Letters: ``m`` items, ``k`` options (the most that an item has), ``t`` traits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from simenv.events import FloatArray, IntArray

Scoring = Literal["factors", "types"]
SHIPPED = Path(__file__).parent / "shipped"
MOST_OPTIONS = 9  # an option's label is one digit

FACTORS: Mapping[str, str] = {
    "O": "openness",
    "C": "conscientiousness",
    "E": "extraversion",
    "A": "agreeableness",
    "N": "neuroticism",
}
AGREEMENT_5 = (
    "disagree strongly",
    "disagree a little",
    "neither agree nor disagree",
    "agree a little",
    "agree strongly",
)
ACCURACY_5 = (
    "very inaccurate",
    "moderately inaccurate",
    "neither accurate nor inaccurate",
    "moderately accurate",
    "very accurate",
)
AGREEMENT_7 = (
    "disagree",
    "generally disagree",
    "partially disagree",
    "neither agree nor disagree",
    "partially agree",
    "generally agree",
    "agree",
)


class InstrumentError(ValueError):
    """An instrument that cannot be scored: mis-keyed, without options, or of an unknown trait."""


class Trait(NamedTuple):
    """What items measure."""

    name: str  # as items name it: E, or EI
    title: str  # in words
    high: str = "high"  # what a score above the middle says; a letter in an instrument of types
    low: str = "low"  # what the middle and below say


class Norm(NamedTuple):
    """How people answered, in points of the instrument."""

    mean: float
    sd: float
    people: int  # how many they were


@dataclass(frozen=True)
class Item:
    """One question.

    Attributes:
        name: unique in its instrument.
        text: the statement or the situation.
        trait: the trait's name.
        key: +1 if high points mean much of the trait, -1 if they mean little.
        options: its own, where they are not the instrument's.
        values: points of its own options; empty = 1, 2, 3, …
    """

    name: str
    text: str
    trait: str
    key: int = 1
    options: tuple[str, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Instrument:
    """A questionnaire.

    Attributes:
        name: for reports and file names.
        traits: what it measures, in the order of reports and of a type's letters.
        items: the questions.
        options: of all items without their own, the least points first.
        values: points of ``options``; empty = 1, 2, 3, …
        stem: words before every statement, such as "I see myself as someone who".
        scoring: ``factors`` reports scores, ``types`` a letter a trait.
        licence: under which its texts may be used.
        language: as in ISO 639.
        source: who made it.
        validated: whether anybody showed that it measures what it says.
        norms: of people, by trait; empty = not known.

    Raises:
        InstrumentError: it cannot be scored; the text names the item.
    """

    name: str
    traits: tuple[Trait, ...]
    items: tuple[Item, ...]
    options: tuple[str, ...] = AGREEMENT_5
    values: tuple[float, ...] = ()
    stem: str = ""
    scoring: Scoring = "factors"
    licence: str = "not said"
    language: str = "en"
    source: str = ""
    validated: bool = False
    norms: Mapping[str, Norm] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    def options_of(self, item: Item) -> tuple[str, ...]:
        """The item's own options, or those of all."""
        return item.options or self.options

    def values_of(self, item: Item) -> tuple[float, ...]:
        """Points of the item's options before its key is applied."""
        values = item.values if item.options else self.values
        return values or tuple(float(i + 1) for i in range(len(self.options_of(item))))

    @property
    def num_options(self) -> int:
        """The most options that an item has: k."""
        return max(len(self.options_of(item)) for item in self.items)

    @property
    def raw_points(self) -> FloatArray:
        """(m, k) points of every option, keys not applied; NaN where an item has fewer options."""
        points = np.full((len(self.items), self.num_options), np.nan)
        for row, item in enumerate(self.items):
            values = self.values_of(item)
            points[row, : len(values)] = values
        return points

    @property
    def points(self) -> FloatArray:
        """(m, k) points for the item's trait: an item keyed -1 gives (least + most - its value)."""
        raw = self.raw_points
        turned = np.nanmin(raw, axis=1) + np.nanmax(raw, axis=1)
        reverse = np.array([item.key < 0 for item in self.items])
        return np.where(reverse[:, None], turned[:, None] - raw, raw)

    @property
    def trait_of_item(self) -> IntArray:
        """(m,) place of every item's trait in ``traits``."""
        place = {trait.name: i for i, trait in enumerate(self.traits)}
        return np.array([place[item.trait] for item in self.items], dtype=np.int64)

    @property
    def scale(self) -> FloatArray:
        """(t, 2) least and most that a trait's score can be."""
        points, owner = self.points, self.trait_of_item
        rows = [points[owner == t] for t in range(len(self.traits))]
        return np.array([(np.nanmin(r, 1).mean(), np.nanmax(r, 1).mean()) for r in rows])

    def subset(self, name: str, items: Sequence[str]) -> "Instrument":
        """The same instrument with the named items alone, without its norms.

        Raises:
            InstrumentError: an item is not in it, or a trait is left without items.
        """
        known = {item.name: item for item in self.items}
        if missing := [wanted for wanted in items if wanted not in known]:
            raise InstrumentError(
                f"a part of {self.name!r} wanted its items, got {missing[0]!r}; it has"
                f" {', '.join(list(known)[:5])}, …"
            )
        fields = {f: getattr(self, f) for f in self.__dataclass_fields__}
        chosen = tuple(known[wanted] for wanted in items)
        return Instrument(**{**fields, "name": name, "items": chosen, "norms": {}})


def _check(instrument: Instrument) -> None:
    where = f"instrument {instrument.name!r}"
    names = [item.name for item in instrument.items]
    if not names:
        raise InstrumentError(f"{where} wanted items, got none")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InstrumentError(f"{where} wanted a name for each item, got {twice!r} twice")
    for item in instrument.items:
        _check_item(instrument, item, f"{where}, item {item.name!r},")
    _check_asked_once(instrument, where)
    asked = {item.trait for item in instrument.items}
    if unasked := [trait.name for trait in instrument.traits if trait.name not in asked]:
        raise InstrumentError(
            f"{where} wanted an item for every trait, got none for {unasked[0]!r}; leave the trait"
            " out or add items"
        )
    known = {trait.name for trait in instrument.traits}
    if strange := sorted(instrument.norms.keys() - known):
        raise InstrumentError(f"{where} wanted norms of its traits, got {strange[0]!r}")
    if bad := [t for t, norm in instrument.norms.items() if not norm.sd > 0]:
        raise InstrumentError(f"{where} wanted norms with a spread above 0, got 0 for {bad[0]!r}")
    if instrument.scoring == "types" and any(len(t.high + t.low) != 2 for t in instrument.traits):
        raise InstrumentError(
            f"{where} wanted a letter for both ends of every trait, as its scoring is 'types'; use"
            " scoring='factors' for traits without letters"
        )


def _check_asked_once(instrument: Instrument, where: str) -> None:
    """The same words twice count one answer twice, or under two traits."""
    known: dict[tuple[str, tuple[str, ...]], str] = {}
    for item in instrument.items:
        said = " ".join(item.text.casefold().split()), item.options
        first = known.setdefault(said, item.name)
        if first != item.name:
            raise InstrumentError(
                f"{where} wanted every question once, got {item.text!r} as {first!r} and"
                f" {item.name!r}: one answer would count twice; leave one of them out"
            )


def _check_item(instrument: Instrument, item: Item, where: str) -> None:
    known = [trait.name for trait in instrument.traits]
    if item.trait not in known:
        raise InstrumentError(
            f"{where} wanted a trait among {', '.join(known)}, got {item.trait!r}; name one of"
            " these or add the trait"
        )
    if item.key not in (1, -1):
        raise InstrumentError(
            f"{where} wanted a key of +1 (agreeing means much of {item.trait}) or -1 (it means"
            f" little), got {item.key!r}; correct the key"
        )
    if not item.text.strip():
        raise InstrumentError(f"{where} wanted a text, got an empty one")
    _check_options(instrument, item, where)


def _check_options(instrument: Instrument, item: Item, where: str) -> None:
    options, values = instrument.options_of(item), instrument.values_of(item)
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise InstrumentError(
            f"{where} wanted 2 to {MOST_OPTIONS} options, got {len(options)}; give the item or the"
            " instrument options"
        )
    if not all(isinstance(option, str) and option.strip() for option in options):
        raise InstrumentError(f"{where} wanted options in words, got {list(options)}")
    if len(set(options)) < len(options):
        raise InstrumentError(f"{where} wanted options that differ, got one twice")
    if len(values) != len(options):
        raise InstrumentError(
            f"{where} wanted points for each of {len(options)} options, got {len(values)}"
        )
    if not np.isfinite(values).all() or min(values) == max(values):
        raise InstrumentError(
            f"{where} wanted points that are numbers and differ, got {list(values)}: no answer"
            " would tell anything"
        )
