"""Items on disk: facts and averages of a catalogue as one Parquet file, a row an item."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simenv.catalog import Catalog
from simenv.item_averages import ItemAverages
from simenv.whole_files import replace_whole

if TYPE_CHECKING:
    import pandas as pd


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
    frame.attrs = {"kind": catalog.kind}
    replace_whole(path, lambda part: frame.to_parquet(part, compression="zstd", index=False))


def load_items(path: Path) -> tuple[Catalog, ItemAverages]:
    """Read what ``save_items`` wrote."""
    import pandas as pd

    frame = pd.read_parquet(path)
    catalog = Catalog(
        titles=_texts(frame, "title"),
        years=frame["year"].to_numpy(np.int64),
        genres=_lists(frame, "genres"),
        casts=_lists(frame, "cast"),
        summaries=_texts(frame, "summary"),
        external_ids=_texts(frame, "external_id"),
        kind=str(frame.attrs.get("kind", "movie")),
    )
    averages = ItemAverages(
        means=frame["average"].to_numpy(np.float64),
        counts=frame["count"].to_numpy(np.int64),
        fair=frame["fair_average"].to_numpy(np.float64),
    )
    return catalog, averages


def _texts(frame: "pd.DataFrame", column: str) -> tuple[str, ...]:
    return tuple(str(x) for x in frame[column])


def _lists(frame: "pd.DataFrame", column: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(x) for x in row) for row in frame[column])
