"""From sessions to the results: per-user scores, means with intervals, contrasts and agreement.

Pure: arrays in, plain dicts out (JSON types; None where a figure does not exist).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from experiments.policy_ranking.sessions import Session
from experiments.statistics import agreement, holm, mean_interval, paired_contrast
from simenv.events import BoolArray, FloatArray
from simenv.rollout import Rollout


class SessionScores(NamedTuple):
    """One value a user, in the order of the rollout's users; NaN where a user has none."""

    mean_rating: FloatArray  # (n,) mean expected stars over everything shown
    mean_taken_rating: FloatArray  # (n,) mean sampled stars of what was taken
    clicks: FloatArray  # (n,) items taken
    session_length: FloatArray  # (n,) slates seen


def score_sessions(played: Rollout) -> SessionScores:
    """Scores of every user; slates after the user left do not count."""
    shown = played.alive[..., None] & np.ones_like(played.taken)
    taken = played.taken & shown
    return SessionScores(
        _mean_where(played.expected, shown),
        _mean_where(played.ratings, taken),
        taken.sum(axis=(1, 2)).astype(np.float64),
        played.alive.sum(axis=1).astype(np.float64),
    )


def coverage(played: Rollout, num_items: int) -> float:
    """Share of the catalogue that was shown to anybody."""
    return len(np.unique(played.items[played.alive])) / num_items


def summarise(
    sessions: list[Session], num_items: int, top: int, seed: int, num_resamples: int
) -> dict[str, Any]:
    """``policies``, best simulated first and failures last, ``contrasts`` and ``agreement``."""
    policies = [_policy(session, num_items) for session in sessions]
    ranked = sorted(policies, key=lambda p: -(p["simulated"] or {}).get("mean_rating", -math.inf))
    return {
        "policies": ranked,
        "contrasts": _contrasts(sessions),
        "agreement": _agreements(sessions, f"ndcg@{top}", seed, num_resamples),
    }


def _policy(session: Session, num_items: int) -> dict[str, Any]:
    simulated, true = (
        None if played is None else _session_figures(played, num_items)
        for played in (session.simulated, session.true)
    )
    return {
        "name": session.name,
        "error": session.error,
        "fit_seconds": _number(session.fit_seconds),
        "offline": {k: _number(mean_interval(v).mean) for k, v in session.offline.items()},
        "simulated": simulated,
        "true": true,
        "true_mean_rating": true["mean_rating"] if true else None,
        "true_ci95": true["ci95"] if true else None,
    }


def _session_figures(played: Rollout, num_items: int) -> dict[str, Any]:
    scores = score_sessions(played)
    mean, low, high = mean_interval(scores.mean_rating)
    return {
        "mean_rating": _number(mean),
        "ci95": [_number(low), _number(high)],
        "mean_taken_rating": _number(mean_interval(scores.mean_taken_rating).mean),
        "clicks": _number(scores.clicks.mean()),
        "session_length": _number(scores.session_length.mean()),
        "coverage": _number(coverage(played, num_items)),
    }


def _contrasts(sessions: list[Session]) -> list[dict[str, Any]]:
    """The best simulated policy against each other one, paired by user, Holm-adjusted."""
    values = {
        s.name: score_sessions(s.simulated).mean_rating for s in sessions if s.simulated is not None
    }
    names = sorted(values, key=lambda name: -float(np.nanmean(values[name])))
    found = [(name, paired_contrast(values[names[0]], values[name])) for name in names[1:]]
    adjusted = holm([contrast.p_value for _, contrast in found])
    return [
        {
            "better": names[0],
            "worse": name,
            "difference": _number(contrast.mean),
            "ci95": [_number(contrast.low), _number(contrast.high)],
            "p_holm": _number(p),
        }
        for (name, contrast), p in zip(found, adjusted, strict=True)
    ]


def _agreements(
    sessions: list[Session], offline_metric: str, seed: int, num_resamples: int
) -> dict[str, Any]:
    """Kendall's tau of each pair of measures, over the policies that have both."""
    measures: dict[str, dict[str, FloatArray]] = {
        "offline": {s.name: s.offline[offline_metric] for s in sessions if s.offline},
        "simulated": {
            s.name: score_sessions(s.simulated).mean_rating for s in sessions if s.simulated
        },
        "true": {s.name: score_sessions(s.true).mean_rating for s in sessions if s.true},
    }
    pairs = (("offline", "simulated"), ("offline", "true"), ("simulated", "true"))
    return {
        f"{a}_vs_{b}": _agreement(measures[a], measures[b], seed, num_resamples) for a, b in pairs
    }


def _agreement(
    a: dict[str, FloatArray], b: dict[str, FloatArray], seed: int, num_resamples: int
) -> dict[str, Any] | None:
    """None with fewer than two policies measured both ways."""
    names = [name for name in a if name in b]
    if len(names) < 2:
        return None
    tau, low, high = agreement(
        np.stack([a[name] for name in names]),
        np.stack([b[name] for name in names]),
        np.random.default_rng([seed, 31]),
        num_resamples,
    )
    return {
        "tau": _number(tau),
        "ci95": [_number(low), _number(high)],
        "num_policies": len(names),
    }


def _mean_where(values: FloatArray, where: BoolArray) -> FloatArray:
    """Means (n,) of values (n, T, k) over the true places; NaN where there are none."""
    sums = np.where(where, values, 0.0).sum(axis=(1, 2))
    sizes = where.sum(axis=(1, 2))
    means = np.divide(sums, sizes, out=np.full(len(sums), np.nan), where=sizes > 0)
    return np.asarray(means)


def _number(value: float) -> float | None:
    """A JSON number, rounded beyond what any report shows; None instead of NaN."""
    return round(float(value), 6) if math.isfinite(value) else None
