"""The catalogue: what every item is, in words and in the averages its training log allows."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.fair_averages import fair_averages

_COLUMNS = (
    "years",
    "genres",
    "casts",
    "summaries",
    "external_ids",
    "averages",
    "counts",
    "fair_averages",
)


@dataclass(frozen=True)
class Catalog:
    """All items by index; what others thought of them comes from training rows only."""

    titles: tuple[str, ...]
    years: IntArray  # (num_items,) 0 = unknown
    genres: tuple[tuple[str, ...], ...]
    casts: tuple[tuple[str, ...], ...] = ()
    summaries: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    averages: FloatArray = field(default_factory=lambda: np.zeros(0))  # 0 = nobody rated it yet
    counts: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    fair_averages: FloatArray = field(default_factory=lambda: np.zeros(0))  # see that module
    kind: str = "movie"  # what one item is called in a sentence

    def __post_init__(self) -> None:
        n = len(self.titles)
        fill = object.__setattr__
        fill(self, "casts", self.casts or ((),) * n)
        fill(self, "summaries", self.summaries or ("",) * n)
        fill(self, "external_ids", self.external_ids or tuple(str(i) for i in range(n)))
        if not len(self.averages):
            fill(self, "averages", np.zeros(n))
        if not len(self.counts):
            fill(self, "counts", np.zeros(n, dtype=np.int64))
        if not len(self.fair_averages):
            fill(self, "fair_averages", np.where(self.counts > 0, self.averages, 3.0))
        for name in _COLUMNS:
            if len(getattr(self, name)) != n:
                raise ValueError(
                    f"catalogue column {name!r} must have one entry a title: wanted {n},"
                    f" got {len(getattr(self, name))}"
                )

    def __len__(self) -> int:
        return len(self.titles)

    @cached_property
    def genre_names(self) -> tuple[str, ...]:
        """All genres that occur, sorted."""
        return tuple(sorted({g for row in self.genres for g in row}))

    @cached_property
    def genre_matrix(self) -> FloatArray:
        """(num_items, num_genres) 1 where the item has the genre."""
        column = {g: j for j, g in enumerate(self.genre_names)}
        matrix = np.zeros((len(self), len(column)))
        for i, row in enumerate(self.genres):
            matrix[i, [column[g] for g in row]] = 1.0
        return matrix

    @cached_property
    def genre_shares(self) -> FloatArray:
        """(num_items, num_genres) one over the number of the item's genres; 0 without any."""
        genres = self.genre_matrix
        return np.asarray(genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0))

    @cached_property
    def genre_directions(self) -> FloatArray:
        """(num_items, num_genres) rows of length 1 for cosines; 0 without any genre."""
        genres = self.genre_matrix
        return np.asarray(genres / np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1.0))

    def with_averages(self, log: InteractionLog) -> "Catalog":
        """This catalogue with the historical averages and counts of ``log`` (training rows)."""
        counts = np.bincount(log.items, minlength=len(self)).astype(np.int64)
        sums = np.bincount(log.items, weights=log.ratings, minlength=len(self))
        averages = np.divide(sums, counts, out=np.zeros(len(self)), where=counts > 0)
        fair = fair_averages(log, self.genre_matrix, self.years)
        return replace(self, averages=averages, counts=counts, fair_averages=fair)

    def text(self, item: int) -> str:
        """One item in words, for embedders: title, genres, cast and summary."""
        words = [self.titles[item], *self.genres[item], *self.casts[item], self.summaries[item]]
        return " ".join(w for w in words if w)

    def texts(self) -> list[str]:
        """Every item in words."""
        return [self.text(i) for i in range(len(self))]

    def save(self, path: Path) -> None:
        """Write the catalogue as one Parquet file."""
        import pandas as pd  # heavy, and only files need it

        frame = pd.DataFrame(
            {
                "external_id": self.external_ids,
                "title": self.titles,
                "year": self.years,
                "genres": [list(g) for g in self.genres],
                "cast": [list(c) for c in self.casts],
                "summary": self.summaries,
                "average": self.averages,
                "count": self.counts,
                "fair_average": self.fair_averages,
            }
        )
        frame.attrs = {"kind": self.kind}
        frame.to_parquet(path, compression="zstd", index=False)

    @classmethod
    def load(cls, path: Path) -> "Catalog":
        """Read what ``save`` wrote."""
        import pandas as pd

        frame = pd.read_parquet(path)

        def rows(column: str) -> tuple[tuple[str, ...], ...]:
            return tuple(tuple(str(x) for x in row) for row in frame[column])

        def strings(column: str) -> tuple[str, ...]:
            return tuple(str(x) for x in frame[column])

        return cls(
            titles=strings("title"),
            years=frame["year"].to_numpy(np.int64),
            genres=rows("genres"),
            casts=rows("cast"),
            summaries=strings("summary"),
            external_ids=strings("external_id"),
            averages=frame["average"].to_numpy(np.float64),
            counts=frame["count"].to_numpy(np.int64),
            fair_averages=frame["fair_average"].to_numpy(np.float64),
            kind=str(frame.attrs.get("kind", "movie")),
        )
