"""The house's own file of an instrument: JSON, one item a line. It knows no other form."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.interviews.instruments import Instrument, InstrumentError, Item, Norm, Trait
from simenv.whole_files import write_whole


def save_instrument(instrument: Instrument, path: str | Path) -> None:
    """Write an instrument; ``from_record`` of the file's JSON gives it back."""
    record = asdict(instrument)
    items = ",\n".join(f"  {json.dumps(i, ensure_ascii=False)}" for i in _slim(record))
    record["traits"] = [trait._asdict() for trait in instrument.traits]
    record["norms"] = {name: norm._asdict() for name, norm in instrument.norms.items()}
    del record["items"]
    head = json.dumps(record, ensure_ascii=False, indent=1)[:-2]
    write_whole(Path(path), f'{head},\n "items": [\n{items}\n ]\n}}\n')


def from_record(record: Mapping[str, Any], place: str) -> Instrument:
    """An instrument of the house's own format.

    Args:
        record: what ``save_instrument`` writes, read.
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
            f" one ({error}); save_instrument writes the format"
        ) from error


def _item(record: Mapping[str, Any]) -> Item:
    lists = {name: tuple(record[name]) for name in ("options", "values") if name in record}
    return Item(**{**record, **lists})


def _slim(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Items without what says nothing."""
    return [{k: v for k, v in item.items() if v not in ((), [])} for item in record["items"]]
