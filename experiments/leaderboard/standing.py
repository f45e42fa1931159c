"""From figures in worlds to places: means with intervals, and who is surely better than whom."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.leaderboard.entries import Anchor, Entry
from experiments.reporting.claims import ALPHA
from experiments.reporting.formatting import rounded, rounded_ends
from recommenders.evaluation.statistics import holm, mean_interval, paired_contrast
from simenv.events import FloatArray


class Standing(NamedTuple):
    """One line of the board."""

    place: int  # 1 + how many are better beyond noise
    name: str
    author: str
    source: str  # the file it came from; "" = this run
    score: float | None
    ci95: list[float | None]
    more: dict[str, float | None]  # further figures

    def values(self) -> dict[str, Any]:
        """As ``results.json`` has it."""
        return {**self._asdict(), "more": dict(self.more)}


def policy_standings(
    entries: Sequence[tuple[str, Entry]], anchors: Sequence[Anchor]
) -> list[Standing]:
    """Policies by the share of the way from random slates to the oracle's, best first."""
    by_world = {one.world: one for one in anchors}
    scores, more = [], []
    for _, entry in entries:
        stars = {one.world: one.stars for one in entry.policy}
        scores.append(
            np.array(
                [
                    (stars[world] - one.random) / (one.oracle - one.random)
                    for world, one in by_world.items()
                ]
            )
        )
        more.append({"stars": rounded(float(np.mean(list(stars.values()))), 4)})
    return _standings(entries, scores, more)


def users_standings(
    entries: Sequence[tuple[str, Entry]], anchors: Sequence[Anchor]
) -> list[Standing]:
    """User models by Kendall's tau with the true order of the panel, best first."""
    worlds = [one.world for one in anchors]
    scores, more = [], []
    for _, entry in entries:
        found = {one.world: one for one in entry.users}
        scores.append(np.array([found[world].tau for world in worlds]))
        more.append({"rmse": rounded(float(np.mean([found[w].rmse for w in worlds])), 4)})
    return _standings(entries, scores, more)


def _standings(
    entries: Sequence[tuple[str, Entry]],
    scores: Sequence[FloatArray],
    more: Sequence[dict[str, float | None]],
) -> list[Standing]:
    better = _better(scores)
    found = []
    for row, (source, entry) in enumerate(entries):
        mean, low, high = mean_interval(scores[row])
        place = 1 + int(better[:, row].sum())
        ends = rounded_ends(low, high, 4)
        found.append(
            Standing(place, entry.name, entry.author, source, rounded(mean, 4), ends, more[row])
        )
    return sorted(found, key=lambda one: -(one.score if one.score is not None else -np.inf))


def _better(scores: Sequence[FloatArray]) -> np.ndarray:
    """(e, e) whether row beats column beyond noise: paired by world, Holm over all pairs."""
    size = len(scores)
    better = np.zeros((size, size), dtype=np.bool_)
    pairs = [(a, b) for a in range(size) for b in range(a + 1, size)]
    contrasts = [paired_contrast(scores[a], scores[b]) for a, b in pairs]
    adjusted = holm([c.p_value for c in contrasts])
    for (a, b), contrast, p_value in zip(pairs, contrasts, adjusted, strict=True):
        if p_value < ALPHA:
            better[a, b], better[b, a] = contrast.mean > 0, contrast.mean < 0
    return better
