"""People and their decisions as Arrow tables, and back, exactly. It knows no file."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agents.persona import Persona
from simenv.events import FloatArray, IntArray

Decisions = list[tuple[int, float, str]]  # item, stars, reason, in the order they were made

DECISIONS = pa.schema(
    [
        ("items", pa.list_(pa.int32())),
        ("ratings", pa.list_(pa.float64())),
        ("reasons", pa.list_(pa.string())),
    ]
)


def people_schema(genres: Sequence[str]) -> pa.Schema:
    """Of a table with a persona a row; tastes are as many numbers as there are genres."""
    return pa.schema(
        [
            ("activity", pa.int8()),
            ("conformity", pa.int8()),
            ("diversity", pa.int8()),
            ("profile", pa.string()),
            ("tastes", pa.list_(pa.float64(), len(genres))),
            ("level", pa.float64()),
            ("cluster", pa.int32()),
            ("adapter", pa.string()),
            ("gate", pa.list_(pa.float64())),
        ]
    )


def people_table(personas: Sequence[Persona], genres: Sequence[str]) -> pa.Table:
    """A row a persona.

    Raises:
        ValueError: somebody has a taste for what is none of the genres.
    """
    known = set(genres)
    for persona in personas:
        if not known.issuperset(persona.tastes):
            raise ValueError(
                f"a crowd wanted tastes for genres of the catalogue ({', '.join(genres)}), got"
                f" {sorted(set(persona.tastes) - known)}"
            )
    columns = {
        name: [getattr(persona, name) for persona in personas]
        for name in people_schema(genres).names
        if name != "tastes"
    }
    tastes = [[persona.tastes.get(genre) for genre in genres] for persona in personas]
    return pa.table({**columns, "tastes": tastes}, schema=people_schema(genres))


def personas_of(table: pa.Table, genres: Sequence[str]) -> list[Persona]:
    """The people of a table."""
    columns = {name: table[name].to_pylist() for name in table.schema.names}
    columns["tastes"] = [
        {genre: taste for genre, taste in zip(genres, own, strict=True) if taste is not None}
        for own in columns["tastes"]
    ]
    rows = zip(*columns.values(), strict=True)
    return [Persona(**dict(zip(columns, row, strict=True))) for row in rows]


def decisions_table(decisions: Sequence[Decisions]) -> pa.Table:
    """A row a person."""
    columns = [[[d[place] for d in own] for own in decisions] for place in range(3)]
    named = dict(zip(DECISIONS.names, columns, strict=True))
    return pa.table(named, schema=DECISIONS)


def columns_of(table: pa.Table) -> tuple[IntArray, IntArray, FloatArray, list[str]]:
    """Decisions (r,) of all people of a table: whose (its row), item, stars, reason."""
    whole = table.combine_chunks()
    counts = np.diff(_flat_offsets(whole["items"]))
    owners = np.repeat(np.arange(len(whole)), counts)
    items, ratings, reasons = (_flat(whole[name]) for name in DECISIONS.names)
    return (
        owners,
        items.to_numpy(zero_copy_only=False).astype(np.int64),
        ratings.to_numpy(zero_copy_only=False).astype(np.float64),
        reasons.to_pylist(),
    )


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().flatten()


def _flat_offsets(column: pa.ChunkedArray) -> IntArray:
    lengths = pc.list_value_length(column).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
