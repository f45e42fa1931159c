"""From a log to people: traits by the published rules, a first-person profile and reasons (Ms, Ml).

``OfflineDistiller`` needs no model. It reads training rows only.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from agents.persona import Persona, reason_for, stars_apart
from simenv.catalog import Catalog
from simenv.domains.domain import filled
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from training.tastes import taste_ridge

_TASTE_PRIOR = 4.0  # ratings that the prior of no preferences is worth
_LEVEL_PRIOR = 3.0  # ratings that the prior of no generosity is worth
_ACTOR_SHRINK = 3.0
_LEAST_TASTE = 0.1  # stars; smaller preferences are not worth a word
_MOST_GENRES = 12
_YEAR_SCALE = 0.3  # a preference for new or old is rarer than one for a genre


class Distilled(NamedTuple):
    """What distillation returns: one persona a user and one reason a training row."""

    personas: list[Persona]
    reasons: list[str]  # (r,) in the order of the log


@dataclass(frozen=True)
class OfflineDistiller:
    """Traits by Agent4Rec's rules (arXiv 2310.10108), profile and reasons from averages.

    Activity: number of ratings, cut at the 60th and 90th percentile of users. Conformity: mean
    squared distance from the items' averages, cut at the 25th and 80th. Diversity: how many genres
    make up four fifths of what the user watched, cut at the 33rd and 66th.
    """

    catalog: Catalog
    averages: ItemAverages
    name: ClassVar[str] = "offline"

    def distil(self, log: InteractionLog) -> Distilled:
        """Personas of all ``log.num_users`` users and a reason for each row; ``log`` is training.

        A user with no rows gets the middle traits and a profile that says so.
        """
        personas = self.personas(log)
        reasons = [
            reason_for(personas[u], self.catalog.genres[i], r)
            for u, i, r in zip(
                log.users.tolist(), log.items.tolist(), log.ratings.tolist(), strict=True
            )
        ]
        return Distilled(personas, reasons)

    def personas(self, log: InteractionLog) -> list[Persona]:
        """The personas of ``distil`` alone."""
        residuals = self._residuals(log)
        traits = self.traits(log)
        offsets = log.offsets()
        counts = np.diff(offsets)
        generosity = np.bincount(log.users, residuals, minlength=log.num_users) / (counts + 1e-9)
        own = residuals - generosity[log.users]
        tastes = taste_ridge(log, self._attributes(), own, _TASTE_PRIOR)
        return [
            self._persona(log, residuals, traits[u], tastes[u], slice(offsets[u], offsets[u + 1]))
            for u in range(log.num_users)
        ]

    def traits(self, log: InteractionLog) -> IntArray:
        """(num_users, 3) levels of activity, conformity and diversity."""
        counts = np.bincount(log.users, minlength=log.num_users)
        squares = np.bincount(log.users, self._residuals(log) ** 2, minlength=log.num_users)
        distance = squares / np.maximum(counts, 1)
        known = counts > 0
        return np.stack(
            [
                _levels(counts.astype(np.float64), known, (60, 90)),
                _levels(distance, known, (25, 80)),
                _levels(self._num_genres(log), known, (33, 66)),
            ],
            axis=1,
        )

    def _residuals(self, log: InteractionLog) -> FloatArray:
        """(r,) rating minus what the average person would give the item."""
        return log.ratings - self.averages.fair[log.items]

    def _num_genres(self, log: InteractionLog) -> FloatArray:
        """(num_users,) genres until four fifths of the genre mentions are reached."""
        shares = self._per_genre(log, np.ones(len(log)))
        total = shares.sum(axis=1, keepdims=True)
        shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
        running = np.cumsum(-np.sort(-shares, axis=1), axis=1)
        return np.asarray((running <= 0.8 + 1e-12).sum(axis=1), dtype=np.float64)

    def _per_genre(self, log: InteractionLog, weights: FloatArray) -> FloatArray:
        """(num_users, num_genres) sums of weights (r,) over each user's rows of a genre."""
        sums = np.zeros((log.num_users, len(self.catalog.genre_names)))
        np.add.at(sums, log.users, weights[:, None] * self.catalog.genre_matrix[log.items])
        return sums

    def _attributes(self) -> FloatArray:
        """(num_items, num_genres + 1): genre shares, and the year; what tastes are of."""
        shares = self.catalog.genre_shares
        years = self.catalog.years.astype(np.float64)
        known = years > 0
        spread = years[known].std() if known.any() else 0.0
        era = np.where(known, (years - years[known].mean()) / spread, 0.0) if spread else 0 * years
        return np.column_stack([shares, _YEAR_SCALE * era])

    def _persona(
        self,
        log: InteractionLog,
        residuals: FloatArray,
        levels: IntArray,
        taste: FloatArray,
        rows: slice,
    ) -> Persona:
        ratings, own = log.ratings[rows], residuals[rows]
        table = taste[:-1]
        strong = [g for g in np.argsort(-np.abs(table)) if abs(table[g]) >= _LEAST_TASTE]
        tastes = {self.catalog.genre_names[g]: float(table[g]) for g in strong[:_MOST_GENRES]}
        sentences = [_level_sentence(ratings, own, self.catalog.kind), *_taste_sentences(tastes)]
        if len(ratings):
            sentences += _era_sentence(_YEAR_SCALE * float(taste[-1]))
            sentences += self._cast_sentence(log.items[rows], own - own.mean())
        a, c, d = (int(x) for x in levels)
        level = float(own.sum() / (len(own) + _LEVEL_PRIOR))
        return Persona(a, c, d, " ".join(sentences), tastes, level)

    def _cast_sentence(self, items: IntArray, own: FloatArray) -> list[str]:
        sums: dict[str, list[float]] = {}
        for item, value in zip(items.tolist(), own.tolist(), strict=True):
            for name in self.catalog.casts[item][:3]:
                sums.setdefault(name, []).append(value)
        liking = {n: sum(v) / (len(v) + _ACTOR_SHRINK) for n, v in sums.items() if len(v) >= 2}
        best = sorted(liking, key=lambda n: (-liking[n], n))[:2]
        liked = [f"{n} {liking[n]:+.1f}" for n in best if liking[n] >= 0.25]
        return [filled(self.catalog.domain.people, {"people": ", ".join(liked)})] if liked else []


def _level_sentence(ratings: FloatArray, own: FloatArray, kind: str) -> str:
    if not len(ratings):
        return f"I have not rated any {kind} yet."
    return (
        f"I gave {ratings.mean():.1f} on average, {stars_apart(own.mean())} next to others,"
        f" with a spread of {own.std():.1f}."
    )


def _taste_sentences(tastes: dict[str, float]) -> list[str]:
    def listed(chosen: list[str]) -> str:
        return ", ".join(f"{g} {tastes[g]:+.1f}" for g in chosen)

    likes = [g for g, value in tastes.items() if value > 0]
    dislikes = [g for g, value in tastes.items() if value < 0]
    sentences = []
    if likes:
        sentences.append(f"I like {listed(likes)}.")
    if dislikes:
        sentences.append(f"I care less for {listed(dislikes)}.")
    return sentences


def _era_sentence(slope: float) -> list[str]:
    """Stars a standard deviation of years is worth, where that is worth a word."""
    if abs(slope) < 0.05:
        return []
    return [f"I prefer {'newer' if slope > 0 else 'older'} ones {abs(slope):+.1f}."]


def _levels(values: FloatArray, known: np.ndarray, cuts: tuple[float, float]) -> IntArray:
    """(n,) 1 below the first percentile of the known values, 2 below the second, else 3."""
    if not known.any():
        return np.full(len(values), 2, dtype=np.int64)
    low, high = np.percentile(values[known], cuts)
    levels = 1 + (values >= low).astype(np.int64) + (values >= high)
    return np.where(known, levels, 2).astype(np.int64)
