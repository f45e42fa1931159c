"""Items on disk: facts and averages of a catalogue as one Parquet file, a row an item."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simenv.catalog import Catalog
from simenv.domains.domain import Domain
from simenv.domains.domain_file import domain_called, domain_of
from simenv.item_averages import ItemAverages
from simenv.values.parquet_columns import Column, read_columns
from simenv.whole_files import replace_whole


def save_items(path: Path, catalog: Catalog, averages: ItemAverages) -> None:
    """Write both; an existing file is replaced."""
    import pandas as pd  # heavy, and only files need it

    frame = pd.DataFrame(
        {
            "external_id": catalog.external_ids,
            "title": catalog.titles,
            "year": catalog.years,
            "genres": [list(g) for g in catalog.genres],
            "cast": [list(c) for c in catalog.casts],
            "summary": catalog.summaries,
            "average": averages.means,
            "count": averages.counts,
            "fair_average": averages.fair,
        }
    )
    if catalog.facts:
        frame[_FACTS] = list(map(list, zip(*catalog.facts.values(), strict=True)))
    frame.attrs = {"kind": catalog.kind}
    if catalog.domain != domain_called("movie"):  # films are as in files of earlier versions
        frame.attrs["domain"] = catalog.domain.to_dict()
    options = {"compression": "zstd", "index": False, "write_page_checksum": True}
    replace_whole(path, lambda part: frame.to_parquet(part, **options))


_FACTS = "facts"  # of each item, in the order of the domain's; there where a domain has any
_COLUMNS = {
    "external_id": Column("text"),
    "title": Column("text"),
    "year": Column("whole", -10_000, 10_000),
    "genres": Column("texts"),
    "cast": Column("texts"),
    "summary": Column("text"),
    "average": Column("number", 0, 5),  # 0 = nobody rated it
    "count": Column("whole", 0, 2**53),
    "fair_average": Column("number", 1, 5),
}


def load_items(path: Path) -> tuple[Catalog, ItemAverages]:
    """Read what ``save_items`` wrote.

    Raises:
        ValueError: the file is missing or corrupt, or a column breaks its rule; names the row.
    """
    table = read_columns(path, _COLUMNS)
    columns = {name: table[name].to_pylist() for name in _COLUMNS}
    domain = _domain(path, table.schema.metadata or {})
    try:
        return _catalog(columns, domain, _facts(path, domain)), _averages(columns)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}; write the file again") from error


def _catalog(
    columns: Mapping[str, list[Any]], domain: Domain, facts: dict[str, tuple[str, ...]]
) -> Catalog:
    return Catalog(
        titles=tuple(columns["title"]),
        years=np.asarray(columns["year"], dtype=np.int64),
        genres=tuple(map(tuple, columns["genres"])),
        casts=tuple(map(tuple, columns["cast"])),
        summaries=tuple(columns["summary"]),
        external_ids=tuple(columns["external_id"]),
        domain=domain,
        facts=facts,
    )


def _facts(path: Path, domain: Domain) -> dict[str, tuple[str, ...]]:
    """The columns that the domain adds."""
    if not domain.facts:
        return {}
    rows = read_columns(path, {_FACTS: Column("texts")})[_FACTS].to_pylist()
    if bad := [row for row, texts in enumerate(rows) if len(texts) != len(domain.facts)]:
        raise ValueError(
            f"column {_FACTS!r}, row {bad[0]}: wanted {len(domain.facts)} texts"
            f" ({', '.join(domain.facts)}), got {len(rows[bad[0]])}"
        )
    return dict(zip(domain.facts, zip(*rows, strict=True), strict=True)) if rows else {}


def _averages(columns: Mapping[str, list[Any]]) -> ItemAverages:
    return ItemAverages(
        np.asarray(columns["average"], dtype=np.float64),
        np.asarray(columns["count"], dtype=np.int64),
        np.asarray(columns["fair_average"], dtype=np.float64),
    )


def _domain(path: Path, facts: Mapping[bytes, bytes]) -> Domain:
    """The words for the items, out of what pandas notes beside a table."""
    try:
        notes = json.loads(facts.get(b"PANDAS_ATTRS", b"{}"))
        kind, domain = notes.get("kind", "movie"), notes.get("domain")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path.name}: its notes are no JSON; write the file again") from error
    if not isinstance(kind, str):
        raise ValueError(f"{path.name}: wanted a text as kind of item, got {str(kind)[:40]}")
    if domain is None:  # films, and files of earlier versions
        return domain_called(kind)
    if not isinstance(domain, dict):
        raise ValueError(f"{path.name}: wanted fields of a domain, got {str(domain)[:40]}")
    return domain_of({**domain_called("item").to_dict(), **domain}, path.name)
