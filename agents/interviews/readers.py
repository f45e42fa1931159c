"""Reads questionnaires from files: the house's own format, and the forms in which others come.

The form is told by the content. Of foreign texts only IPIP's are shipped, which are in the public
domain; all others are read from the user's path and written nowhere.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.interviews import foreign_forms as forms
from agents.interviews.instrument_files import from_record
from agents.interviews.instruments import SHIPPED, Instrument, InstrumentError
from simenv.values.comma_rows import comma_rows

NAMES = ("ipip_50", "mini_ipip", "ipip_120", "types_32")
_MINI = "mini_ipip"
# The twenty Mini-IPIP items (Donnellan et al. 2006) among Goldberg's fifty.
MINI_ITEMS = (
    *("EXT1", "EXT2", "EXT4", "EXT7", "EST2", "EST4", "EST6", "EST8"),
    *("AGR4", "AGR5", "AGR7", "AGR9", "CSN4", "CSN5", "CSN6", "CSN7"),
    *("OPN2", "OPN3", "OPN4", "OPN6"),
)


def instrument_named(place: str) -> Instrument:
    """A shipped instrument by name, or one from a path.

    Args:
        place: one of ``NAMES``, or a file, see ``read_instrument``.

    Raises:
        FileNotFoundError: it is neither.
        InstrumentError: the file cannot be read or scored.
    """
    if place == _MINI:
        whole = instrument_named("ipip_50")
        return whole.subset(_MINI, MINI_ITEMS)
    if place in NAMES:
        return read_instrument(SHIPPED / f"{place}.json")
    if not Path(place).is_file():
        raise FileNotFoundError(
            f"wanted an instrument of {', '.join(NAMES)}, or a file, got {Path(place).name!r}"
        )
    return read_instrument(place)


def read_instrument(path: str | Path) -> Instrument:
    """The instrument in a file, in any of these forms.

    JSON: the house's own (``save_instrument``), a list of keyed statements as of IPIP-NEO-120,
    PsychoBench's BFI, bipolar pairs with scoring sums as OEJTS. CSV: columns ``text, domain,
    keyed`` (IPIP markers), ``text, label_ocean, key`` (MPI), or ``text, pole`` (a test of sixteen
    types; the pole is the letter that agreeing speaks for).

    Raises:
        InstrumentError: it has none of these forms, or cannot be scored; the text names the row.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InstrumentError(f"{path.name} wanted UTF-8 text, got other bytes ({error})") from None
    return _of_json(text, path) if path.suffix == ".json" else _of_csv(text, path)


def _of_json(text: str, path: Path) -> Instrument:
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise InstrumentError(f"{path.name} wanted JSON, got something else ({error})") from None
    keys = record.keys() if isinstance(record, dict) else set()
    known: list[tuple[bool, Callable[[Any, Path], Instrument]]] = [
        (isinstance(record, list), forms.keyed_statements),
        ({"questions", "categories", "reverse"} <= keys, forms.psychobench),
        ({"items", "scoring", "cut"} <= keys, forms.bipolar),
    ]
    for fits, read in known:
        if fits:
            return _read(read, record, path)
    return from_record(record, path.name)


def _of_csv(text: str, path: Path) -> Instrument:
    try:
        columns, rows = comma_rows(text, path.name)
    except ValueError as error:
        raise InstrumentError(str(error)) from None
    if {"text", "domain", "keyed"} <= set(columns):
        return _read(forms.markers, rows, path)
    if {"text", "label_ocean", "key"} <= set(columns):
        return _read(forms.mpi, rows, path)
    if {"text", "pole"} <= set(columns):
        return _read(forms.poles, rows, path)
    raise InstrumentError(
        f"{path.name} wanted the columns text, domain, keyed; or text, label_ocean, key; or text,"
        f" pole; got {', '.join(sorted(columns)) or 'no row'}; rename the"
        " columns"
    )


def _read(read: Callable[[Any, Path], Instrument], record: Any, path: Path) -> Instrument:
    try:
        return read(record, path)
    except InstrumentError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InstrumentError(
            f"{path.name} looked like {read.__name__.replace('_', ' ')}, but a field is"
            f" missing or of another kind ({type(error).__name__}: {error})"
        ) from error
