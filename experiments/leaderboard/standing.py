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

    place: int | None  # 1 + how many are better beyond noise; None = no order in any world
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
    """User models by Kendall's tau with the true order of the panel, best first.

    A world in which one gives all policies the same counts as 0 beside worlds with an order; who
    orders nothing anywhere has neither score nor place, and stands last.
    """
    worlds = [one.world for one in anchors]
    scores, more = [], []
    for _, entry in entries:
        found = {one.world: one for one in entry.users}
        taus = [found[world].tau for world in worlds]
        no_order = taus.count(None)
        scores.append(np.array([tau or 0.0 for tau in taus]) if no_order < len(taus) else None)
        error = float(np.mean([found[w].rmse for w in worlds]))
        more.append({"rmse": rounded(error, 4), "no_order": no_order})
    return _standings(entries, scores, more)


def _standings(
    entries: Sequence[tuple[str, Entry]],
    scores: Sequence[FloatArray | None],
    more: Sequence[dict[str, float | None]],
) -> list[Standing]:
    """Of entries and their scores by world; None = an entry that orders nothing."""
    beaten = iter(_better([own for own in scores if own is not None]).sum(axis=0))
    found = []
    for (source, entry), own, further in zip(entries, scores, more, strict=True):
        place, score, ends = None, None, rounded_ends(np.nan, np.nan, 4)
        if own is not None:
            mean, low, high = mean_interval(own)
            place, score, ends = 1 + int(next(beaten)), rounded(mean, 4), rounded_ends(low, high, 4)
        found.append(Standing(place, entry.name, entry.author, source, score, ends, further))
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
