"""Questionnaires as data: items, keys, options, scoring, licence and language. They know no model.

An answer to an item is one of its options; its points are the option's, turned around where the
item is keyed -1. A trait's score is the mean of its items' points. An instrument of ``types`` turns
each score into one of two letters, and the letters into a type.

Letters: ``m`` items, ``k`` options (the most that an item has), ``t`` traits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from agents.interviews.instrument_checks import InstrumentError as InstrumentError
from agents.interviews.instrument_checks import check_instrument
from simenv.events import FloatArray, IntArray
from simenv.whole_files import write_whole

Scoring = Literal["factors", "types"]
SHIPPED = Path(__file__).parent / "shipped"

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
        check_instrument(self)

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

    def save(self, path: str | Path) -> None:
        """Write the house's own format: JSON, one item a line."""
        record = asdict(self)
        items = ",\n".join(f"  {json.dumps(i, ensure_ascii=False)}" for i in _slim(record))
        record["traits"] = [trait._asdict() for trait in self.traits]
        record["norms"] = {name: norm._asdict() for name, norm in self.norms.items()}
        del record["items"]
        head = json.dumps(record, ensure_ascii=False, indent=1)[:-2]
        write_whole(Path(path), f'{head},\n "items": [\n{items}\n ]\n}}\n')


def from_record(record: Mapping[str, Any], place: str) -> Instrument:
    """An instrument of the house's own format.

    Args:
        record: what ``Instrument.save`` writes, read.
        place: named in errors.

    Raises:
        InstrumentError: a field is missing, unknown or of another kind, or it cannot be scored.
    """
    try:
        fields = dict(record)
        fields["traits"] = tuple(Trait(**trait) for trait in fields["traits"])
        fields["items"] = tuple(_item(item) for item in fields["items"])
        fields["norms"] = {t: Norm(**norm) for t, norm in fields.get("norms", {}).items()}
        for name in ("options", "values"):
            if name in fields:
                fields[name] = tuple(fields[name])
        return Instrument(**fields)
    except InstrumentError:
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise InstrumentError(
            f"{place} wanted an instrument with name, traits and items, got a record that is not"
            f" one ({error}); Instrument.save writes the format"
        ) from error


def _item(record: Mapping[str, Any]) -> Item:
    lists = {name: tuple(record[name]) for name in ("options", "values") if name in record}
    return Item(**{**record, **lists})


def _slim(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Items without what says nothing."""
    return [{k: v for k, v in item.items() if v not in ((), [])} for item in record["items"]]
