"""Three levels of a trait side by side: questionnaire, choice in a situation, behaviour.

Two questions are kept apart. *Between* people on whom nothing is imposed: does somebody who scores
higher also act so? *Within* a person: where a trait is imposed from low to high, do the levels move
together? Each person's own mean is then taken out.

Letters: ``n`` people, ``t`` traits, ``c`` conditions (low, none, high), ``b`` behaviours.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from agents.personality.behaviours import EXPECTED, Behaviours
from agents.personality.conditions import POLES
from agents.personality.effect_sizes import Estimate, correlation, resampled, standardised
from simenv.events import FloatArray, IntArray, mean_answered

LEVELS = ("questionnaire", "situations", "behaviour")
WAYS = ("within", "between")
POOLED = "pooled"
_NONE = POLES.index("none")


def behaviour_scores(by_condition: Sequence[Behaviours], factor: str) -> FloatArray:
    """(n, c) a factor on the level of behaviour: the mean of its behaviours.

    Each behaviour is standardised over all people and conditions, and turned around where much of
    the factor means less of it. NaN where somebody has none of them.

    Args:
        by_condition: of the same people, one for each of c conditions of this factor.
        factor: a letter of ``EXPECTED``.
    """
    parts = []
    for name, sign in EXPECTED[factor].items():
        values = np.stack([getattr(one, name) for one in by_condition], axis=1)
        parts.append(sign * standardised(values, axes=(0, 1)))
    stacked = np.stack(parts, axis=-1)
    return mean_answered(stacked.reshape(-1, len(parts))).reshape(stacked.shape[:-1])


def agreement(
    scores: Mapping[str, FloatArray], factors: Sequence[str], resamples: int, seed: int = 0
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Correlations of every two levels: way → trait (or ``pooled``) → "one and other" → r.

    Args:
        scores: level → (n, t, c) scores.
        factors: names of the t traits.
        resamples: draws of people, for the intervals.
        seed: of the draws.
    """
    chosen = {factor: [place] for place, factor in enumerate(factors)}
    chosen[POOLED] = list(range(len(factors)))

    def pairs(ready: Mapping[str, FloatArray], own: list[int]) -> dict[str, Estimate]:
        return {
            f"{a} and {b}": _correlated(ready[a], ready[b], own, resamples, seed)
            for a, b in combinations([level for level in LEVELS if level in ready], 2)
        }

    by_way = {way: {name: _ready(own, way) for name, own in scores.items()} for way in WAYS}
    return {
        way: {name: pairs(ready, own) for name, own in chosen.items()}
        for way, ready in by_way.items()
    }


def _ready(values: FloatArray, way: str) -> FloatArray:
    """(n, t, c') what is correlated, each trait on the same scale."""
    if way == "between":
        return standardised(values[:, :, _NONE : _NONE + 1], axes=(0, 2))
    return standardised(values - values.mean(axis=2, keepdims=True), axes=(0, 2))


def _correlated(
    one: FloatArray, other: FloatArray, traits: list[int], resamples: int, seed: int
) -> Estimate:
    def figure(people: IntArray) -> float:
        return correlation(one[people][:, traits].ravel(), other[people][:, traits].ravel())

    return resampled(figure, len(one), resamples, seed)
