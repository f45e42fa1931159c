"""From sessions to the results: means with intervals, contrasts, agreement and survival.

Figures are those of all views of the log together; see ``sessions``. Pure: arrays in, plain dicts
out (JSON types; None where a figure does not exist).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from experiments.reporting.formatting import rounded, rounded_ends
from experiments.tournament.off_policy_check import OffPolicy
from experiments.tournament.sessions import Session, of_figures, of_users, stars_of
from recommenders.evaluation.agreement import Agreement, agreement
from recommenders.evaluation.session_measures import (
    ItemFacts,
    SessionScores,
    coverage,
    exposure_gini,
    score_sessions,
)
from recommenders.evaluation.statistics import holm, kendall_tau, mean_interval, paired_contrast
from recommenders.evaluation.survival import survival
from recommenders.off_policy.by_user import UserValues
from recommenders.off_policy.estimators import BY_PLACE
from recommenders.off_policy.intervals import Estimate
from simenv.env.rollout import Rollout
from simenv.events import FloatArray, mean_answered
from simenv.seeding import Stream, generator


def summarise(
    sessions: list[Session],
    facts: ItemFacts,
    top: int,
    seed: int,
    num_resamples: int,
    off_policy: OffPolicy | None = None,
) -> dict[str, Any]:
    """Policies, best simulated first and failures last, contrasts in both worlds, agreement."""
    policies = [_policy(session, facts) for session in sessions]
    ranked = sorted(policies, key=lambda p: -(p["simulated"] or {}).get("mean_rating", -math.inf))
    return {
        "policies": ranked,
        "contrasts": _contrasts(_stars(sessions, "simulated")),
        "true_contrasts": _contrasts(_stars(sessions, "true")),
        "agreement": _agreements(sessions, f"ndcg@{top}", seed, num_resamples, off_policy),
    }


def summarise_off_policy(
    off_policy: OffPolicy | None, sessions: list[Session]
) -> dict[str, Any] | None:
    """Every estimator's values and its tau with what the users said; None without estimates."""
    if off_policy is None:
        return None
    stars = _stars(sessions, "simulated")
    asked = {name: mean_interval(own).mean for name, own in stars.items()}
    names = [name for name in off_policy.values if name in asked]
    on_policy = [float(asked[name]) for name in names]
    return {
        "logged_by": off_policy.logged_by,
        "failed": dict(off_policy.failed),
        "slates_left_out": off_policy.left_out,
        "policies": names,
        "on_policy": [rounded(v) for v in on_policy],
        "estimators": {
            estimator: _estimator([off_policy.values[n][estimator] for n in names], on_policy)
            for estimator in (BY_PLACE if names else ())
        },
    }


def _estimator(estimates: Sequence[Estimate], on_policy: list[float]) -> dict[str, Any]:
    """One estimator's values of all policies next to what the users said."""
    values = [estimate.value for estimate in estimates]
    return {
        "values": [rounded(value) for value in values],
        "tau": rounded(float(kendall_tau(values, on_policy))),
        "effective_size": rounded(min(estimate.effective_size for estimate in estimates)),
        "notes": distinct_notes(text for estimate in estimates for text in estimate.notes),
    }


def distinct_notes(texts: Iterable[str]) -> list[str]:
    """Texts that differ by more than their numbers; of those that do not, the lowest numbers."""
    kinds = {re.sub(r"\d[\d.,]*", "#", text): text for text in sorted(texts, reverse=True)}
    return sorted(kinds.values())


def _policy(session: Session, facts: ItemFacts) -> dict[str, Any]:
    simulated, true = (
        _session_figures(played, facts) if (played := session.rollouts(world)) else None
        for world in ("simulated", "true")
    )
    return {
        "name": session.name,
        "error": session.error,
        **of_figures([_seconds(view) for view in session.views]),
        "offline": {k: rounded(mean_interval(v).mean) for k, v in _offline(session).items()},
        "simulated": simulated,
        "true": true,
        "true_mean_rating": true["mean_rating"] if true else None,
        "true_ci95": true["ci95"] if true else None,
    }


def _seconds(session: Session) -> dict[str, float | None]:
    """What the policy took under one view."""
    kinds = ("fit", "recommend", "refit", "play")
    return {f"{kind}_seconds": rounded(getattr(session, f"{kind}_seconds")) for kind in kinds}


def _offline(session: Session) -> dict[str, FloatArray]:
    """Metric → (n,); those that were measured under every view."""
    metrics = set.intersection(*(set(view.offline) for view in session.views))
    return {name: session.offline_values(name) for name in session.offline if name in metrics}


def _session_figures(played: Sequence[Rollout], facts: ItemFacts) -> dict[str, Any]:
    """Of the sessions under each view."""
    views = [score_sessions(own, facts) for own in played]
    scores = SessionScores(*(of_users(own) for own in zip(*views, strict=True)))
    mean, low, high = mean_interval(scores.mean_rating)
    figures = {name: mean_interval(getattr(scores, name)) for name in SessionScores._fields}
    return {
        "mean_rating": rounded(mean),
        "ci95": rounded_ends(low, high),
        **{name: rounded(found.mean) for name, found in figures.items() if name != "mean_rating"},
        "intervals": {name: rounded_ends(found.low, found.high) for name, found in figures.items()},
        **of_figures([_of_a_view(own, facts) for own in played]),
    }


def _of_a_view(played: Rollout, facts: ItemFacts) -> dict[str, Any]:
    """Figures that no single user has."""
    return {
        **of_all_users(played, facts),
        "survival": {key: [rounded(v) for v in values] for key, values in _curve(played).items()},
        "rating_by_slate": _by_slate(played),
    }


def of_all_users(played: Rollout, facts: ItemFacts) -> dict[str, float | None]:
    """What no single user has: ``coverage``, ``gini`` and ``left_share``."""
    num_items = len(facts.surprise)
    return {
        "coverage": rounded(coverage(played, num_items)),
        "gini": rounded(exposure_gini(played, num_items)),
        "left_share": rounded(float(played.quits.mean())),
    }


def _curve(played: Rollout) -> dict[str, FloatArray]:
    return survival(played)._asdict()


def _by_slate(played: Rollout) -> list[dict[str, Any]]:
    """Mean expected stars of each slate over the users still there, with an interval."""
    found = []
    for step in range(played.alive.shape[1]):
        there = played.alive[:, step]
        if not there.any():
            break
        mean, low, high = mean_interval(mean_answered(played.expected[there, step]))
        ends = rounded_ends(low, high)
        found.append({"mean": rounded(mean), "ci95": ends, "num_users": int(there.sum())})
    return found


def _stars(sessions: Iterable[Session], world: str) -> dict[str, FloatArray]:
    """Policy → mean stars (n,) of each user, of those that were measured."""
    return {s.name: stars for s in sessions if (stars := stars_of(s, world)) is not None}


def _contrasts(values: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Every pair of policies, paired by user, Holm-adjusted; the best policy's pairs come first."""
    names = sorted(values, key=lambda name: -float(np.nanmean(values[name])))
    pairs = list(combinations(names, 2))
    found = [paired_contrast(values[a], values[b]) for a, b in pairs]
    adjusted = holm([contrast.p_value for contrast in found])
    return [
        {
            "better": better,
            "worse": worse,
            "difference": rounded(contrast.mean),
            "ci95": rounded_ends(contrast.low, contrast.high),
            "p_holm": rounded(p),
            "variance_gain": rounded(contrast.variance_gain),
        }
        for (better, worse), contrast, p in zip(pairs, found, adjusted, strict=True)
    ]


def _agreements(
    sessions: list[Session],
    offline_metric: str,
    seed: int,
    num_resamples: int,
    off_policy: OffPolicy | None,
) -> dict[str, Any]:
    """How each pair of measures agrees, over the policies that have both."""
    asked, true = (_stars(sessions, world) for world in ("simulated", "true"))
    judges = {
        "offline": {
            s.name: _plain(s.offline_values(offline_metric))
            for s in sessions
            if s.offline and s.simulated
        },
        **{name.lower(): found for name, found in _estimated(off_policy).items()},
    }
    pairs = {f"{name}_vs_simulated": (judge, asked) for name, judge in judges.items()}
    pairs |= {f"{name}_vs_true": (judge, true) for name, judge in judges.items()}
    pairs["simulated_vs_true"] = ({name: _plain(v) for name, v in asked.items()}, true)
    return {key: _agreement(a, b, seed, num_resamples) for key, (a, b) in pairs.items()}


def _estimated(off_policy: OffPolicy | None) -> dict[str, dict[str, UserValues]]:
    return off_policy.by_user if off_policy else {"SNIPS": {}, "DR": {}}


def _plain(values: FloatArray) -> UserValues:
    """Values that count alike."""
    return UserValues(values, np.ones(len(values)))


def _agreement(
    a: dict[str, UserValues], b: dict[str, FloatArray], seed: int, num_resamples: int
) -> dict[str, Any] | None:
    """None with fewer than two policies measured both ways."""
    names = [name for name in a if name in b and a[name].counts.any()]
    if len(names) < 2:
        return None
    found = agreement(
        np.stack([a[name].values for name in names]),
        np.stack([b[name] for name in names]),
        generator(seed, Stream.AGREEMENT),
        num_resamples,
        a_counts=np.stack([a[name].counts for name in names]),
    )
    tau = found.tau
    return {
        "tau": rounded(tau.mean),
        "ci95": rounded_ends(tau.low, tau.high),
        "num_policies": len(names),
        **{name: _figure(found, name) for name in Agreement._fields if name != "tau"},
    }


def _figure(found: Agreement, name: str) -> dict[str, Any]:
    value, low, high = getattr(found, name)
    return {"value": rounded(value), "ci95": rounded_ends(low, high)}
