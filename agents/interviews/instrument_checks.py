"""Whether an instrument can be scored; each refusal names the item and the cure."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agents.interviews.instruments import Instrument, Item

MOST_OPTIONS = 9  # an option's label is one digit


class InstrumentError(ValueError):
    """An instrument that cannot be scored: mis-keyed, without options, or of an unknown trait."""


def check_instrument(instrument: "Instrument") -> None:
    """Refuse what cannot be scored; see ``Instrument``."""
    where = f"instrument {instrument.name!r}"
    names = [item.name for item in instrument.items]
    if not names:
        raise InstrumentError(f"{where} wanted items, got none")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InstrumentError(f"{where} wanted a name for each item, got {twice!r} twice")
    for item in instrument.items:
        _check_item(instrument, item, f"{where}, item {item.name!r},")
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


def _check_item(instrument: "Instrument", item: "Item", where: str) -> None:
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


def _check_options(instrument: "Instrument", item: "Item", where: str) -> None:
    options, values = instrument.options_of(item), instrument.values_of(item)
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise InstrumentError(
            f"{where} wanted 2 to {MOST_OPTIONS} options, got {len(options)}; give the item or the"
            " instrument options"
        )
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
