"""The files of a population: each part has a function that writes it and one that reads it.

``population.json`` (name, model, style, card), ``catalog.parquet``, ``personas.parquet``,
``history.parquet``, ``vectors.safetensors``, ``adapters/NAME/`` and ``model/``; where there are
any, ``gates.safetensors``, ``peers.safetensors``, ``wariness.safetensors`` and ``traits.json``. It
knows no ``Population``: parts are given and returned by the names of its fields.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.calibration import Calibration
from agents.embedding import Vectors
from agents.inference.local.plain_files import (
    named,
    read_json,
    tensor_shapes,
)
from agents.persona import Persona
from agents.population.folder import HEAD
from agents.population.measured_traits import read_traits
from agents.population.shared_taste import read_peers, read_wariness, with_gates, write_gates
from agents.population.weights import hashes, model_of
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.catalog_file import load_items, save_items
from simenv.events import NUM_STARS, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.values.clocks import times_of
from simenv.values.parquet_columns import Column, read_columns

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_LATER_STYLE = ("told", "numbers", "budget", "together", "peers", "reading", "attended")
_PERSONA = {
    **{name: Column("whole", 1, 3) for name in ("activity", "conformity", "diversity")},
    "profile": Column("text"),
    "tastes": Column("text"),
    "level": Column("number"),
    "cluster": Column("whole"),
    "adapter": Column("text or none"),
}


def read_parts(folder: Path) -> dict[str, Any]:
    """The fields of a ``Population`` out of its folder; adapters and a local model stay there.

    Raises:
        ValueError: the folder was written by a newer version, or a part is missing or corrupt;
            names the file, the row and the field.
    """
    what = f"population {str(folder)!r} cannot be read"
    try:
        content = read_json(folder / HEAD)
        version = content.get("format")
        is_newer = type(version) is int and version > FORMAT
        parts = {} if is_newer else _read_parts(folder, content)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{what} ({error}); copy the whole folder again, or build it anew"
        ) from error
    if is_newer:
        raise ValueError(
            f"population {folder.name!r} ({HEAD}) has format {str(version)[:20]}, this version"
            f" reads up to {FORMAT}; update personarec"
        )
    return parts


def _read_parts(folder: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    from agents.population.schema import Head, checked

    head = checked(Head, content, HEAD)
    if head.digest not in (None, _digest(content)):
        raise ValueError(
            f"{HEAD} is not what was saved: its 'digest' does not fit the rest; if you changed it"
            " on purpose, take the line of 'digest' out"
        )
    catalog, averages = load_items(folder / "catalog.parquet")
    personas = _read_personas(folder)
    history, reasons = _read_history(folder, len(personas), len(catalog))
    found = {"personas": len(personas), "items": len(catalog), "history": len(history)}
    _check_counts(head.counts.model_dump() if head.counts else None, found)
    return {
        "name": head.name,
        "personas": personas,
        "catalog": catalog,
        "averages": averages,
        "history": history,
        "reasons": reasons,
        "vectors": _read_vectors(folder, len(catalog)),
        "model": model_of(folder, head.model),
        "style": PromptStyle(**head.style.model_dump()),
        "adapters": {name: str(folder / "adapters" / name) for name in head.adapters},
        "card": head.card,
        "calibration": head.calibration and head.calibration.made(),
        "peers": read_peers(folder, len(personas), len(catalog)),
        "wariness": read_wariness(folder, len(personas), len(catalog)),
        "traits": read_traits(folder),
    }


def _check_counts(stated: Mapping[str, int] | None, found: Mapping[str, int]) -> None:
    """Raise if a table has lost or gained rows since it was saved."""
    for name, count in found.items():
        if stated is not None and stated[name] != count:
            file = "catalog" if name == "items" else name
            raise ValueError(
                f"{HEAD} counts {stated[name]} {name}, {file}.parquet has {count}; rows are missing"
                " or doubled"
            )


def write_head(
    folder: Path,
    *,
    name: str,
    model: str,
    style: PromptStyle,
    adapters: Sequence[str],
    card: Mapping[str, Any],
    calibration: Calibration | None,
    counts: Mapping[str, int],
) -> None:
    """``population.json``: all that is neither a table nor weights; written after those."""
    head = {
        "format": FORMAT,
        "name": name,
        "model": model,
        "style": _style(style),
        "adapters": sorted(adapters),
        "card": dict(card),
        "counts": dict(counts),
        "files": hashes(folder),
    }
    if calibration is not None:  # earlier versions know none
        head["calibration"] = _calibration(calibration)
    head = json.loads(json.dumps(head, ensure_ascii=False, allow_nan=False))
    text = json.dumps({**head, "digest": _digest(head)}, indent=2, ensure_ascii=False)
    (folder / HEAD).write_text(text + "\n", encoding="utf-8")


def _style(style: PromptStyle) -> dict[str, Any]:
    """Its fields; later ones only where they are set, so that earlier versions read the others."""
    plain, later = asdict(PromptStyle()), _LATER_STYLE
    return {k: v for k, v in asdict(style).items() if k not in later or v != plain[k]}


def _calibration(calibration: Calibration) -> dict[str, Any]:
    """Its fields as JSON, whose keys are texts."""
    fields = asdict(calibration)
    return {**fields, "of_personas": {str(k): v for k, v in fields["of_personas"].items()}}


def _digest(head: Mapping[str, Any]) -> str:
    """SHA-256 of what the head says, however it is written."""
    rest = {name: value for name, value in head.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write_catalog(folder: Path, catalog: Catalog, averages: ItemAverages) -> None:
    """``catalog.parquet``."""
    save_items(folder / "catalog.parquet", catalog, averages)


def write_personas(folder: Path, personas: Sequence[Persona]) -> None:
    """``personas.parquet``: a row a user; gates have a file of their own."""
    import pandas as pd

    rows = [{**asdict(p), "tastes": json.dumps(dict(p.tastes))} for p in personas]
    _write_table(pd.DataFrame(rows).drop(columns="gate"), folder / "personas.parquet")
    write_gates(folder, personas)


def _read_personas(folder: Path) -> list[Persona]:
    from agents.population.schema import PersonaRow, checked

    path = folder / "personas.parquet"
    personas = []
    for number, row in enumerate(read_columns(path, _PERSONA).to_pylist()):
        where = f"{path.name}, row {number}"
        tastes = _tastes(row["tastes"], where)
        fields = checked(PersonaRow, {**row, "tastes": tastes}, where).model_dump()
        personas.append(named(where, partial(Persona, **fields)))
    if not personas:
        raise ValueError(f"{path.name}: wanted a row a person, got none")
    return with_gates(folder, personas)


def _tastes(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: field 'tastes': wanted JSON, got {text[:40]!r}") from error


def write_history(folder: Path, history: InteractionLog, reasons: Sequence[str]) -> None:
    """``history.parquet``: a rating and its reason a row."""
    import pandas as pd

    columns = {
        "user": history.users.astype(np.int32),
        "item": history.items.astype(np.int32),
        "rating": history.ratings.astype(np.float32),
        "timestamp": history.timestamps,
        "reason": pd.Categorical(reasons),
    }
    _write_table(pd.DataFrame(columns), folder / "history.parquet")


def _write_table(frame: "pd.DataFrame", path: Path) -> None:
    """With a checksum a page, so that a bit that fell over is noticed."""
    frame.to_parquet(path, compression="zstd", index=False, write_page_checksum=True)


def _read_history(folder: Path, num_users: int, num_items: int) -> tuple[InteractionLog, list[str]]:
    path = folder / "history.parquet"
    wanted = {
        "user": Column("whole", 0, num_users - 1),
        "item": Column("whole", 0, num_items - 1),
        "rating": Column("number", 1, NUM_STARS),
        "timestamp": Column("number"),
        "reason": Column("text"),
    }
    table = read_columns(path, wanted)
    users = table["user"].to_numpy().astype(np.int64)
    times = times_of(table["timestamp"].to_pandas(), "timestamp")[0]  # older folders hold any unit
    items, ratings = table["item"].to_numpy(), table["rating"].to_numpy()
    columns = users, items.astype(np.int64), ratings.astype(np.float64), times
    log = named(path.name, partial(InteractionLog, *columns, num_users, num_items))
    return log, table["reason"].to_pylist()


def write_vectors(folder: Path, vectors: Vectors) -> None:
    """``vectors.safetensors``: item vectors in half precision."""
    from safetensors.numpy import save_file

    half = np.ascontiguousarray(vectors, dtype=np.float16)
    save_file({"vectors": half}, folder / "vectors.safetensors")


def _read_vectors(folder: Path, num_items: int) -> Vectors:
    from safetensors.numpy import load_file

    path = folder / "vectors.safetensors"
    shapes = tensor_shapes(path, "copy it again")
    shape = shapes.get("vectors", ())
    if set(shapes) != {"vectors"} or len(shape) != 2 or shape[0] != num_items or not shape[1]:
        raise ValueError(
            f"{path.name}: wanted one tensor 'vectors' with a row for each of {num_items} items of"
            f" catalog.parquet, got {dict(list(shapes.items())[:3])}"
        )
    try:
        vectors = load_file(path)["vectors"].astype(np.float32)
    except (KeyError, TypeError, ValueError) as error:  # a number format that numpy lacks
        raise ValueError(f"{path.name}: wanted vectors in half precision ({error})") from error
    rows = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(rows):
        raise ValueError(f"{path.name}: row {rows[0]}: wanted finite numbers; embed the items anew")
    return vectors
