"""From what was measured to the figures of ``results.json``: levels, effects and agreement.

Letters: ``n`` people, ``t`` factors, ``c`` conditions of one factor (low, none, high).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.interviews.instruments import FACTORS
from agents.personality.behaviours import (
    EXPECTED,
    Behaviours,
    ItemTraits,
    behaviours_of,
    common_steps,
)
from agents.personality.conditions import POLES, UNCONDITIONED, Condition
from agents.personality.effect_sizes import Estimate, cliffs_delta, cohens_d, effect
from agents.personality.levels import LEVELS, agreement, behaviour_scores
from experiments.personality_levels.measuring import Measured, Study
from experiments.reporting.formatting import rounded, rounded_ends
from recommenders.evaluation.ranking_metrics import self_information
from recommenders.evaluation.statistics import paired_contrast
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import FloatArray

if TYPE_CHECKING:
    import pandas as pd

Found = Mapping[Condition, Measured]
Acts = Mapping[Condition, Behaviours]


def figures(study: Study, found: Found, dataset: Dataset, resamples: int) -> dict[str, Any]:
    """All figures of a run; see the package docstring for what they are."""
    acts = acts_of(study, found, dataset)
    scores = scores_of(study, found, acts)
    agreed = agreement(scores, study.factors, resamples, study.seed)
    return {
        "levels": {
            FACTORS[factor]: {level: _level(scores[level][:, t]) for level in LEVELS}
            for t, factor in enumerate(study.factors)
        },
        "behaviours": {
            FACTORS[factor]: _effects(study, acts, factor, resamples) for factor in study.factors
        },
        "agreement": {way: _agreed(traits) for way, traits in agreed.items()},
        "controls": _controls(found),
    }


def _agreed(traits: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    return {
        FACTORS.get(name, name): {pair: _estimate(one) for pair, one in pairs.items()}
        for name, pairs in traits.items()
    }


def acts_of(study: Study, found: Found, dataset: Dataset) -> dict[Condition, Behaviours]:
    """What people did under each condition, read from the slates they saw under all of them."""
    log = stacked(dataset.train, dataset.background)
    raters = np.bincount(log.items, minlength=dataset.num_items)
    items = ItemTraits(self_information(raters, log.num_users), dataset.catalog.genre_shares)
    steps = [
        common_steps([measured.visits[number] for measured in found.values()])
        for number in range(study.visits)
    ]
    behaviour = study.users.behaviour
    return {
        condition: behaviours_of(measured.visits, steps, items, behaviour, measured.follows)
        for condition, measured in found.items()
    }


def scores_of(study: Study, found: Found, acts: Acts) -> dict[str, FloatArray]:
    """Level → (n, t, c) scores of each factor under its own conditions."""
    said, chosen, done = [], [], []
    for t, factor in enumerate(study.factors):
        own = _own(found, factor)
        said.append(np.stack([found[c].questionnaire[:, t] for c in own], axis=1))
        chosen.append(np.stack([found[c].situations[:, t] for c in own], axis=1))
        done.append(behaviour_scores([acts[c] for c in own], factor))
    levels = (np.stack(one, axis=1) for one in (said, chosen, done))
    return dict(zip(LEVELS, levels, strict=True))


def frame(study: Study, found: Found, dataset: Dataset) -> "pd.DataFrame":
    """One row a person, factor and condition: the three levels and every behaviour."""
    import pandas as pd  # heavy, and only the file needs it

    acts = acts_of(study, found, dataset)
    scores = scores_of(study, found, acts)
    parts = []
    for t, factor in enumerate(study.factors):
        for c, condition in enumerate(_own(found, factor)):
            columns = {level: scores[level][:, t, c] for level in LEVELS}
            ids = [dataset.user_ids[user] for user in study.people.tolist()]
            who = {"user": ids, "factor": FACTORS[factor], "pole": POLES[c]}
            parts.append(pd.DataFrame({**who, **columns, **acts[condition]._asdict()}))
    return pd.concat(parts, ignore_index=True)


def _own(found: Mapping[Condition, Any], factor: str) -> list[Condition]:
    """The conditions of a factor in the order of ``POLES``."""
    by_pole = {c.pole: c for c in found if c.factor == factor}
    return [by_pole.get(pole, UNCONDITIONED) for pole in POLES]


def _level(scores: FloatArray) -> dict[str, Any]:
    """Means of scores (n, c) by pole, and high minus low of the same people."""
    apart = paired_contrast(scores[:, -1], scores[:, 0])
    means = {pole: rounded(_mean(scores[:, c])) for c, pole in enumerate(POLES)}
    return {**means, "difference": rounded(apart.mean), "ci95": rounded_ends(apart.low, apart.high)}


def _effects(study: Study, acts: Acts, factor: str, resamples: int) -> dict[str, Any]:
    low, none, high = (acts[c] for c in _own(acts, factor))
    rows = {}
    for name in Behaviours._fields:
        ends = getattr(high, name), getattr(low, name)
        rows[name] = {
            "low": rounded(_mean(ends[1])),
            "none": rounded(_mean(getattr(none, name))),
            "high": rounded(_mean(ends[0])),
            "expected": EXPECTED[factor].get(name, 0),
            "cohens_d": _estimate(effect(cohens_d, *ends, resamples, study.seed)),
            "cliffs_delta": _estimate(effect(cliffs_delta, *ends, resamples, study.seed)),
        }
    return rows


def _controls(found: Found) -> dict[str, Any]:
    """What questions gave away beside the answer: places preferred, leans that rotations turn."""
    choices = [measured.choices for measured in found.values()]
    places = np.concatenate([one.places() for one in choices])
    steady = np.concatenate([one.steadiness() for one in choices])
    unanswered = np.mean([np.isnan(one.logs).any(axis=(2, 3)).mean() for one in choices])
    return {
        "places": [rounded(_mean(column)) for column in places.T],
        "steadiness": rounded(_mean(steady)),
        "unanswered": rounded(float(unanswered)),
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": rounded(one.value), "ci95": rounded_ends(one.low, one.high)}


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 9) + 0.0 if len(known) else float("nan")  # no minus zero
