"""The forms in which questionnaires of others come, as instruments; no text of theirs is kept here.

Each reader takes what JSON or CSV gave and the file's path, which errors and names use.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.interviews.instruments import (
    ACCURACY_5,
    AGREEMENT_5,
    AGREEMENT_7,
    FACTORS,
    Instrument,
    InstrumentError,
    Item,
    Norm,
    Trait,
)

_PUBLIC = "public domain (IPIP)"
_UNKNOWN = "not said by the file; ask its owner"
_DICHOTOMIES = {
    "EI": "extraversion or introversion",
    "SN": "sensing or intuition",
    "TF": "thinking or feeling",
    "JP": "judging or perceiving",
}
_NEARNESS_5 = ("exactly: {0}", "rather: {0}", "in between", "rather: {1}", "exactly: {1}")
_KEYS = {"1": 1, "+1": 1, "-1": -1, "plus": 1, "minus": -1, "+": 1, "-": -1}


def _factors(domains: set[str], rows: str) -> tuple[Trait, ...]:
    """Traits in the order O, C, E, A, N; unknown letters are left for the instrument to refuse."""
    if not domains & FACTORS.keys():
        raise InstrumentError(f"{rows} wanted factors {', '.join(FACTORS)}, got {sorted(domains)}")
    return tuple(Trait(letter, title) for letter, title in FACTORS.items() if letter in domains)


def _key(said: object, row: str) -> int:
    """+1 or -1; anything else is refused with the row."""
    found = _KEYS.get(str(said).strip())
    if found is None:
        raise InstrumentError(f"{row} wanted a key of +1 or -1, got {said!r}; correct the key")
    return found


def _statements(
    rows: list[Mapping[str, Any]], domain: str, key: str, subject: str, path: Path
) -> tuple[Item, ...]:
    """Items of keyed rows; a statement without its subject gets it."""
    return tuple(
        Item(
            str(row.get("code") or f"{row[domain]}{number}"),
            _with_subject(str(row["text"]), subject),
            str(row[domain]).strip(),
            _key(row[key], f"{path.name}, item {number},"),
        )
        for number, row in enumerate(rows, 1)
    )


def _with_subject(text: str, subject: str) -> str:
    """``Worry about things`` as a sentence, ``I worry about things``, with its full stop."""
    text = text.strip()
    if subject and not text.startswith(f"{subject} "):
        text = f"{subject} {text[:1].lower()}{text[1:]}"
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def markers(rows: list[Mapping[str, Any]], path: Path) -> Instrument:
    """Columns text, domain, keyed."""
    items = _statements(rows, "domain", "keyed", "I", path)
    return _ipip(path, items, "International Personality Item Pool")


def mpi(rows: list[Mapping[str, Any]], path: Path) -> Instrument:
    """Columns text, label_ocean, key; statements about you."""
    items = _statements(rows, "label_ocean", "key", "You", path)
    return _ipip(path, items, "IPIP items as in MPI, about you")


def keyed_statements(rows: list[Mapping[str, Any]], path: Path) -> Instrument:
    """A list of text, keyed plus or minus, domain."""
    items = _statements(rows, "domain", "keyed", "I", path)
    return _ipip(path, items, "International Personality Item Pool, NEO")


def _ipip(path: Path, items: tuple[Item, ...], source: str) -> Instrument:
    traits = _factors({item.trait for item in items}, path.name)
    return Instrument(
        path.stem, traits, items, ACCURACY_5, licence=_PUBLIC, source=source, validated=True
    )


def psychobench(record: Mapping[str, Any], path: Path) -> Instrument:
    """PsychoBench's form: questions by number, categories, reversed numbers, norms of a crowd."""
    reverse = {int(number) for number in record["reverse"]}
    categories = {_letter(c["cat_name"], path): c for c in record["categories"]}
    owner = {int(n): letter for letter, c in categories.items() for n in c["cat_questions"]}
    crowds = {letter: c["crowd"][0] for letter, c in categories.items() if c.get("crowd")}
    norms = {letter: Norm(c["mean"], c["std"], c["n"]) for letter, c in crowds.items()}
    questions = {int(number): text for number, text in record["questions"].items()}
    if odd := sorted(owner.keys() ^ questions.keys()):
        raise InstrumentError(f"{path.name} is mis-keyed: item {odd[0]} has no text or no category")
    if odd := sorted(reverse - questions.keys()):
        raise InstrumentError(f"{path.name} is mis-keyed: reversed item {odd[0]} is no question")
    items = tuple(
        Item(f"q{number}", _lower(text), owner[number], -1 if number in reverse else 1)
        for number, text in sorted(questions.items())
    )
    return Instrument(
        path.stem,
        _factors(set(owner.values()), path.name),
        items,
        AGREEMENT_5,
        stem="I see myself as someone who",
        licence="BFI: (c) O. P. John, non-commercial research only; the file: GPL-3",
        source="Big Five Inventory, from PsychoBench",
        validated=True,
        norms=norms,
    )


def _letter(title: str, path: Path) -> str:
    found = [letter for letter, name in FACTORS.items() if name == title.lower()]
    if not found:
        raise InstrumentError(
            f"{path.name} wanted categories {', '.join(FACTORS.values())}, got {title!r}: an"
            " unknown trait"
        )
    return found[0]


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def bipolar(record: Mapping[str, Any], path: Path) -> Instrument:
    """Pairs of descriptions on a line of five; sums with a constant, above the cut the high letter.

    ``constant + sum(sign x answer)`` is the sum of answers turned around (6 - x) where the sign is
    -1, if the constant is 6 a turned item; so the cut is the middle of the mean.
    """
    traits: list[Trait] = []
    keys: dict[str, tuple[str, int]] = {}
    for name, rule in record["scoring"].items():
        letters = {rule["low"], rule["high"]}
        known = next((d for d in _DICHOTOMIES if set(d) == letters), name)
        traits.append(Trait(known, _DICHOTOMIES.get(known, name), rule["high"], rule["low"]))
        signs = {str(number): int(sign) for number, sign in rule["items"].items()}
        turned = sum(sign < 0 for sign in signs.values())
        if rule["const"] != 6 * turned or record["cut"] != 3 * len(signs):
            raise InstrumentError(
                f"{path.name} is mis-keyed: {name} wanted the constant {6 * turned} and the cut"
                f" {3 * len(signs)} for {turned} turned of {len(signs)} items, got"
                f" {rule['const']} and {record['cut']}"
            )
        keys |= {number: (known, sign) for number, sign in signs.items()}
    items = tuple(_pair(item, keys, path) for item in record["items"])
    order = {name: i for i, name in enumerate(_DICHOTOMIES)}
    return Instrument(
        path.stem,
        tuple(sorted(traits, key=lambda trait: order.get(trait.name, 9))),
        items,
        stem="Between two descriptions of a person, I am:",
        scoring="types",
        licence="Open Extended Jungian Type Scales: CC BY-NC-SA 4.0",
        source="Open Psychometrics",
    )


def _pair(item: Mapping[str, Any], keys: Mapping[str, tuple[str, int]], path: Path) -> Item:
    number = str(item["id"])
    if number not in keys:
        raise InstrumentError(f"{path.name} is mis-keyed: item {number} is in no scale")
    left, right = str(item["left"]), str(item["right"])
    options = tuple(option.format(left, right) for option in _NEARNESS_5)
    return Item(f"q{number}", f"{left} - {right}", *keys[number], options)


def poles(rows: list[Mapping[str, Any]], path: Path) -> Instrument:
    """Columns text, pole: agreeing speaks for the letter."""
    items = []
    for number, row in enumerate(rows, 1):
        pole = str(row["pole"]).strip().upper()
        found = next((d for d in _DICHOTOMIES if len(pole) == 1 and pole in d), None)
        if found is None:
            raise InstrumentError(
                f"{path.name}, item {number}, wanted a pole of E, I, S, N, T, F, J, P, got"
                f" {row['pole']!r}: an unknown trait"
            )
        key = 1 if pole == found[0] else -1
        name = str(row.get("code") or f"q{number}")
        items.append(Item(name, str(row["text"] or "").strip(), found, key))
    asked = {item.trait for item in items}
    traits = tuple(Trait(d, t, d[0], d[1]) for d, t in _DICHOTOMIES.items() if d in asked)
    return Instrument(
        path.stem, traits, tuple(items), AGREEMENT_7, scoring="types", licence=_UNKNOWN
    )
