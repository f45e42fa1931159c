"""Files of what a log says of people beside words: facets, peers and what they would never pick.

``gates.safetensors`` has a row a person, 0 for who has no facets; ``peers.safetensors`` has the
tables of ``Peers``, ``wariness.safetensors`` those of ``Wariness``. None is there where nobody has
such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.inference.facets.mixtures import check_gate
from agents.inference.local.adapter_kinds import num_facets
from agents.inference.local.plain_files import tensor_shapes
from agents.peers import Peers
from agents.persona import Persona
from agents.wariness import Wariness
from simenv.events import FloatArray

GATES, PEERS, WARINESS = "gates.safetensors", "peers.safetensors", "wariness.safetensors"


def write_gates(folder: Path, personas: Sequence[Persona]) -> None:
    """``gates.safetensors``, if anybody has a gate."""
    from safetensors.numpy import save_file

    width = max(len(persona.gate) for persona in personas)
    if not width:
        return
    gates = np.zeros((len(personas), width), dtype=np.float64)
    for row, persona in enumerate(personas):
        gates[row, : len(persona.gate)] = persona.gate
    save_file({"gates": gates}, folder / GATES)


def with_gates(folder: Path, personas: Sequence[Persona]) -> list[Persona]:
    """The personas with their gates, if there are any.

    Raises:
        ValueError: the file is corrupt, or a row is no gate.
    """
    if not (folder / GATES).exists():
        return list(personas)
    gates = _tables(folder / GATES, {"gates": len(personas)})["gates"]
    found = []
    for row, (persona, weights) in enumerate(zip(personas, gates.tolist(), strict=True)):
        gate = check_gate(weights, f"{GATES}, row {row}:") if any(weights) else ()
        found.append(replace(persona, gate=gate))
    return found


def write_peers(folder: Path, peers: Peers | None) -> None:
    """``peers.safetensors``, if prompts say what people alike gave."""
    if peers is not None:
        _write_tables(folder / PEERS, {"people": peers.people, "items": peers.items})


def write_wariness(folder: Path, wariness: Wariness | None) -> None:
    """``wariness.safetensors``, if people are wary of what they would never pick."""
    if wariness is not None:
        tables = {"people": wariness.people, "items": wariness.items, "floors": wariness.floors}
        _write_tables(folder / WARINESS, tables)


def _write_tables(path: Path, tables: Mapping[str, FloatArray]) -> None:
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(t, dtype=np.float32) for name, t in tables.items()}
    save_file(tensors, path)


def read_peers(folder: Path, num_people: int, num_items: int) -> Peers | None:
    """The peers, if there are any.

    Raises:
        ValueError: the file is corrupt, or of other people or items.
    """
    if not (folder / PEERS).exists():
        return None
    return Peers(**_tables(folder / PEERS, {"people": num_people, "items": num_items}))


def read_wariness(folder: Path, num_people: int, num_items: int) -> Wariness | None:
    """How wary the people are, if they are.

    Raises:
        ValueError: the file is corrupt, or of other people or items.
    """
    if not (folder / WARINESS).exists():
        return None
    rows = {"people": num_people, "items": num_items, "floors": num_people}
    return Wariness(**_tables(folder / WARINESS, rows))


def check_gates(personas: Sequence[Persona], adapters: Mapping[str, str]) -> None:
    """Refuse people whose gates are not of the facets that their adapter has.

    Raises:
        ValueError: names the first person.
    """
    facets = {name: num_facets(folder) for name, folder in adapters.items()}
    for row, persona in enumerate(personas):
        wanted = facets.get(persona.adapter or "", 0)
        if len(persona.gate) != wanted:
            raise ValueError(
                f"person {row} on adapter {persona.adapter!r} wanted a gate of {wanted} weights,"
                f" one a facet, got {len(persona.gate)}; give the gates that came with it"
            )


def _tables(path: Path, rows: Mapping[str, int]) -> dict[str, Any]:
    """Tables (rows, d) of finite numbers, by name, and nothing else."""
    from safetensors.numpy import load_file

    shapes = tensor_shapes(path, "copy it again")
    sizes = {name: shape[0] for name, shape in shapes.items() if len(shape) == 2}
    if sizes != dict(rows):
        raise ValueError(
            f"{path.name}: wanted tables with rows {dict(rows)}, got {dict(shapes)}; copy it again"
        )
    tables = {name: table.astype(np.float64) for name, table in load_file(path).items()}
    for name, table in tables.items():
        if bad := np.flatnonzero(~np.isfinite(table).all(axis=1)).tolist():
            raise ValueError(
                f"{path.name}: row {bad[0]} of {name!r} holds NaN or infinity; copy it again"
            )
    return tables
