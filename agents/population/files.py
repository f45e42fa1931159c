"""The files of a population: each part has a function that writes it and one that reads it.

``population.json`` (name, model, style, card), ``catalog.parquet``, ``personas.parquet``,
``history.parquet``, ``vectors.safetensors``, ``adapters/NAME/`` and ``model/``. It knows no
``Population``: parts are given and returned by the names of its fields.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from agents.embedding import Vectors
from agents.persona import Persona
from agents.population.folder import HEAD
from agents.prompts import PromptStyle
from simenv.catalog import Catalog
from simenv.catalog_file import load_items, save_items
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from simenv.values.clocks import times_of

FORMAT = 1


def read_parts(folder: Path) -> dict[str, Any]:
    """The fields of a ``Population`` out of its folder; adapters and a local model stay there.

    Raises:
        ValueError: the folder was written by a newer version, or a part is missing or corrupt.
    """
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        is_newer = head["format"] > FORMAT
        parts = {} if is_newer else _read_parts(folder, head)
    except Exception as error:  # json, parquet and safetensors each raise kinds of their own
        raise ValueError(
            f"population {str(folder)!r} cannot be read ({type(error).__name__}: {error});"
            " copy the whole folder again, or build it anew"
        ) from error
    if is_newer:
        raise ValueError(
            f"population {folder.name!r} has format {head['format']}, this version reads up to"
            f" {FORMAT}; update personarec"
        )
    return parts


def _read_parts(folder: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    catalog, averages = load_items(folder / "catalog.parquet")
    personas = _read_personas(folder)
    history, reasons = _read_history(folder, len(personas), len(catalog))
    model = folder / "model"
    return {
        "name": head["name"],
        "personas": personas,
        "catalog": catalog,
        "averages": averages,
        "history": history,
        "reasons": reasons,
        "vectors": _read_vectors(folder),
        "model": str(model) if model.exists() else head["model"],
        "style": PromptStyle(**head["style"]),
        "adapters": {name: str(folder / "adapters" / name) for name in head["adapters"]},
        "card": head["card"],
    }


def write_head(
    folder: Path,
    *,
    name: str,
    model: str,
    style: PromptStyle,
    adapters: Sequence[str],
    card: Mapping[str, Any],
) -> None:
    """``population.json``: all that is neither a table nor weights."""
    head = {
        "format": FORMAT,
        "name": name,
        "model": model,
        "style": asdict(style),
        "adapters": sorted(adapters),
        "card": dict(card),
    }
    text = json.dumps(head, indent=2, ensure_ascii=False)
    (folder / HEAD).write_text(text + "\n", encoding="utf-8")


def write_model(folder: Path, model: str, *, copy: bool) -> str:
    """Copy a local model into the folder; its name for ``write_head``.

    Args:
        folder: of the population.
        model: folder or hub name.
        copy: else the place of a local model is named, as a hub model's name always is.
    """
    local = Path(model)
    if not local.is_dir():
        return model
    if not copy:
        return str(local.resolve())
    shutil.copytree(local, folder / "model")
    return "model"


def write_adapters(folder: Path, adapters: Mapping[str, str]) -> None:
    """Copy the folder of every adapter (name → folder)."""
    for name, source in adapters.items():
        shutil.copytree(source, folder / "adapters" / name)


def write_catalog(folder: Path, catalog: Catalog, averages: ItemAverages) -> None:
    """``catalog.parquet``."""
    save_items(folder / "catalog.parquet", catalog, averages)


def write_personas(folder: Path, personas: Sequence[Persona]) -> None:
    """``personas.parquet``: a row a user."""
    import pandas as pd

    rows = [{**asdict(p), "tastes": json.dumps(dict(p.tastes))} for p in personas]
    pd.DataFrame(rows).to_parquet(folder / "personas.parquet", compression="zstd", index=False)


def _read_personas(folder: Path) -> list[Persona]:
    import pandas as pd

    rows = pd.read_parquet(folder / "personas.parquet").to_dict("records")
    return [
        Persona(
            activity=int(row["activity"]),
            conformity=int(row["conformity"]),
            diversity=int(row["diversity"]),
            profile=str(row["profile"]),
            tastes=json.loads(row["tastes"]),
            level=float(row["level"]),
            cluster=int(row["cluster"]),
            adapter=row["adapter"] if isinstance(row["adapter"], str) else None,
        )
        for row in rows
    ]


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
    path = folder / "history.parquet"
    pd.DataFrame(columns).to_parquet(path, compression="zstd", index=False)


def _read_history(folder: Path, num_users: int, num_items: int) -> tuple[InteractionLog, list[str]]:
    import pandas as pd

    frame = pd.read_parquet(folder / "history.parquet")
    log = InteractionLog(
        frame["user"].to_numpy(np.int64),
        frame["item"].to_numpy(np.int64),
        frame["rating"].to_numpy(np.float64),
        times_of(frame["timestamp"], "timestamp")[0],  # older folders hold any unit
        num_users,
        num_items,
    )
    return log, [str(reason) for reason in frame["reason"]]


def write_vectors(folder: Path, vectors: Vectors) -> None:
    """``vectors.safetensors``: item vectors in half precision."""
    from safetensors.numpy import save_file

    half = np.ascontiguousarray(vectors, dtype=np.float16)
    save_file({"vectors": half}, folder / "vectors.safetensors")


def _read_vectors(folder: Path) -> Vectors:
    from safetensors.numpy import load_file

    return load_file(folder / "vectors.safetensors")["vectors"].astype(np.float32)
