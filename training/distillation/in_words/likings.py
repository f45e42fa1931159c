"""What each user likes and picks, aspect by aspect, from training rows alone. It knows no words.

Letters: ``n`` users, ``r`` rows, ``a`` aspects.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agents.wording.aspects import Aspects, Kind
from simenv.events import FloatArray, InteractionLog

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Ratings that the prior of no liking is worth.
_PRIOR: dict[Kind, float] = {"genre": 4.0, "person": 3.0, "theme": 5.0, "mood": 6.0, "era": 8.0}
LEAST_ROWS = 2  # of one's own, below which nothing is said of an aspect
_NEAR = 0.5  # cosine of themes, from which on one speaks for the other


class Likings(NamedTuple):
    """Sparse (n, a) tables; an entry that is not there is 0."""

    stars: "csr_matrix"  # liking: stars above what the user gives otherwise, drawn towards 0
    rows: "csr_matrix"  # ratings of items that have the aspect

    def of(self, user: int) -> list[tuple[int, float, int]]:
        """(aspect, stars, rows) of all that a user rated often enough to say something of it."""
        columns = self._row(self.rows, user)
        stars = dict(zip(*self._row(self.stars, user), strict=True))
        return [
            (aspect, float(stars.get(aspect, 0.0)), int(rows))
            for aspect, rows in zip(*columns, strict=True)
            if rows >= LEAST_ROWS
        ]

    @staticmethod
    def _row(table: "csr_matrix", user: int) -> tuple[list[int], list[float]]:
        cut = slice(table.indptr[user], table.indptr[user + 1])
        return table.indices[cut].tolist(), table.data[cut].tolist()


def likings(log: InteractionLog, own: FloatArray, aspects: Aspects) -> Likings:
    """What the users of ``log`` like, given how far each rating (r,) lies from what they expect.

    A theme's neighbours speak for it: who likes planets probably likes astronauts.
    """
    from scipy.sparse import csr_matrix

    shape = log.num_users, log.num_items
    residuals = csr_matrix((own, (log.users, log.items)), shape=shape)
    rated = csr_matrix((np.ones(len(log)), (log.users, log.items)), shape=shape)
    rows = (rated @ aspects.matrix).tocsr()
    near = _neighbours(aspects)
    sums, counts = residuals @ aspects.matrix @ near, rows @ near
    prior = np.array([_PRIOR[aspect.kind] for aspect in aspects.all])
    stars = sums.tocsr()
    stars.sort_indices()
    weight = counts.tocsr()
    weight.sort_indices()
    # Sums and counts have the same entries unless ratings cancel out; look the counts up.
    stars = stars.multiply(_inverse(weight, prior)).tocsr()
    for table in (stars, rows):
        table.sort_indices()
    return Likings(stars, rows)


def _inverse(counts: "csr_matrix", prior: FloatArray) -> "csr_matrix":
    """1 / (count + prior), where there is a count."""
    inverse = counts.copy()
    inverse.data = 1.0 / (counts.data + prior[counts.indices])
    return inverse


def _neighbours(aspects: Aspects) -> "csr_matrix":
    """(a, a): 1 on the diagonal, and how much a theme says of another."""
    from scipy.sparse import coo_matrix

    size = len(aspects.all)
    places = {aspect.name: p for aspect, p in aspects.place.items() if aspect.kind == "theme"}
    names = aspects.themes.names
    alike = np.where(aspects.themes.alike >= _NEAR, aspects.themes.alike - _NEAR, 0.0)
    np.fill_diagonal(alike, 0.0)
    one, other = np.nonzero(alike)
    pairs = [
        (places[names[i]], places[names[j]], alike[i, j])
        for i, j in zip(one.tolist(), other.tolist(), strict=True)
        if names[i] in places and names[j] in places
    ]
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    diagonal = np.arange(size)
    left = np.concatenate([diagonal, np.array(columns[0], dtype=np.int64)])
    right = np.concatenate([diagonal, np.array(columns[1], dtype=np.int64)])
    values = np.concatenate([np.ones(size), np.array(columns[2], dtype=np.float64)])
    return coo_matrix((values, (left, right)), shape=(size, size)).tocsr()
