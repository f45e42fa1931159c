"""Who gains, who loses: every measure of a session for every kind of people and every policy.

Pure: arrays in, plain dicts out (JSON types; None where a figure does not exist).
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from experiments.reporting.formatting import rounded, rounded_ends
from experiments.tournament.sessions import Session, of_figures, stars_of
from experiments.tournament.summary import of_all_users
from recommenders.evaluation.session_measures import (
    ItemFacts,
    SessionScores,
    score_sessions,
)
from recommenders.evaluation.statistics import Contrast, holm, mean_interval, paired_contrast
from recommenders.evaluation.survival import survival
from simenv.env.rollout import Rollout
from simenv.events import BoolArray


def summarise_groups(
    sessions: list[Session], groups: Mapping[str, BoolArray], facts: ItemFacts
) -> list[dict[str, Any]]:
    """What every policy is to every kind of people among the users.

    Args:
        sessions: of all policies; those that were not measured are left out.
        groups: name → mask (num_users,) of its members.
        facts: of the items.

    Returns:
        For each group: ``group``, ``num_users``, ``means`` (policy → stars), ``measures`` (policy →
        every measure of a session, ``coverage``, ``gini``, ``left_share`` and ``survival``, the
        Kaplan-Meier share still there after the last slate), ``best`` (policy), and ``gain``: what
        the group's best is worth to it over the policy that is best for all, paired by user and
        Holm-adjusted over the groups (None where they are the same).
    """
    played = {s.name: views for s in sessions if (views := s.rollouts("simulated"))}
    if not played:
        return []
    values = {s.name: stars for s in sessions if (stars := stars_of(s)) is not None}
    users = next(iter(played.values()))[0].users
    overall = max(values, key=lambda name: mean_interval(values[name]).mean)
    found, contrasts = [], []
    for name, members in groups.items():
        own = members[users]
        if not own.any():
            continue
        means = {policy: mean_interval(stars[own]).mean for policy, stars in values.items()}
        best = max(means, key=lambda policy: means[policy])
        contrasts.append(paired_contrast(values[best][own], values[overall][own]))
        found.append(
            {
                "group": name,
                "num_users": int(own.sum()),
                "means": {policy: rounded(mean) for policy, mean in means.items()},
                "measures": {
                    policy: of_figures([_measures(_rows(view, own), facts) for view in views])
                    for policy, views in played.items()
                },
                "best": best,
            }
        )
    adjusted = holm([contrast.p_value for contrast in contrasts])
    for group, contrast, p in zip(found, contrasts, adjusted, strict=True):
        group["gain"] = _gain(contrast, float(p)) if group["best"] != overall else None
    return found


def _gain(contrast: Contrast, p_holm: float) -> dict[str, Any]:
    ends = rounded_ends(contrast.low, contrast.high)
    return {"difference": rounded(contrast.mean), "ci95": ends, "p_holm": rounded(p_holm)}


def _measures(played: Rollout, facts: ItemFacts) -> dict[str, float | None]:
    """Means over users; a measure that no user has is None."""
    scores = score_sessions(played, facts)
    means = {
        name: float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else math.nan
        for name, values in zip(SessionScores._fields, scores, strict=True)
    }
    return {
        **{name: rounded(mean) for name, mean in means.items()},
        **of_all_users(played, facts),
        "survival": rounded(float(survival(played).share[-1])),
    }


def _rows(played: Rollout, kept: BoolArray) -> Rollout:
    """The sessions of some of the users."""
    columns: dict[str, Any] = {f.name: getattr(played, f.name) for f in fields(Rollout)}
    cut: dict[str, Any] = {name: v if v is None else v[kept] for name, v in columns.items()}
    return Rollout(**cut)
