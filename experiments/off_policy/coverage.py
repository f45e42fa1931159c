"""Estimates of every target from many logs, and how often their intervals contain the truth."""

import warnings
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from agents.fidelity.error_measures import rmse
from experiments.off_policy.logged_world import LoggedWorld, play
from experiments.reporting.formatting import rounded, rounded_ends
from experiments.reporting.progress import Tick
from recommenders.base import Recommender
from recommenders.evaluation.statistics import share_interval
from recommenders.off_policy.estimators import ESTIMATORS, UNIFORM, estimate_policy
from recommenders.off_policy.intervals import Estimate, OverlapWarning
from recommenders.off_policy.logged_slates import SimulatedLog
from recommenders.off_policy.reward_models import cross_fitted_means
from recommenders.off_policy.weighing import Draws
from recommenders.policies.heuristics import Random
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator


class CoverageKey(NamedTuple):
    """Whose estimate of what, from whose logs."""

    logged_by: str
    target: str
    estimator: str


def estimate_many(
    loggers: Mapping[str, Recommender],
    targets: Mapping[str, Recommender],
    world: LoggedWorld,
    people: IntArray,
    num_users: int,
    repetitions: int,
    tick: Tick,
) -> dict[CoverageKey, list[Estimate]]:
    """``repetitions`` logs of each logging policy, each of ``num_users`` drawn from ``people``."""
    found: dict[CoverageKey, list[Estimate]] = defaultdict(list)
    rng = generator(world.seed, Stream.LOGGED_USERS)
    for repetition in range(repetitions):
        tick(f"log {repetition + 1}")
        users = np.sort(rng.choice(people, num_users, replace=False))
        for logger, logging_policy in loggers.items():
            log = play(logging_policy, world, users, repetition)
            for target, policy in targets.items():
                for name, estimate in estimates(policy, log, isinstance(logging_policy, Random)):
                    found[CoverageKey(logger, target, name)].append(estimate)
        tick(f"log {repetition + 1}", advance=1)
    return found


def estimates(policy: Recommender, log: SimulatedLog, uniform: bool) -> list[tuple[str, Estimate]]:
    """Every estimator's value of ``policy``; the pseudo-inverse of uniform logs only.

    Warnings of overlap stay in the notes of the estimates.
    """
    model = cross_fitted_means(log.users, log.slates.items, log.ratings, log.candidates.shape[1])
    names = [name for name, row in ESTIMATORS.items() if uniform or UNIFORM not in row.needs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        found = estimate_policy(policy, log.earned(log.ratings), names, model, Draws(8))
    return list(found.items())


def summarise(estimates_of: list[Estimate], truth: float) -> dict[str, Any]:
    """How one estimator did over many logs; an interval that is not a number contains nothing."""
    values, low, high = (np.array([e[i] for e in estimates_of]) for i in range(3))
    inside = (low <= truth) & (truth <= high)
    coverage = share_interval(int(inside.sum()), len(inside))
    errors = values[np.isfinite(values)] - truth
    return {
        "coverage": round(coverage.mean, 4),
        "coverage_ci95": rounded_ends(coverage.low, coverage.high, 4),
        "bias": _rounded(errors.mean()) if len(errors) else None,
        "rmse": _rounded(rmse(errors)) if len(errors) else None,
        "half_width": _rounded(np.nanmean((high - low) / 2)) if len(errors) else None,
        "effective_size": _rounded(np.median([e.effective_size for e in estimates_of])),
        "warned": round(float(np.mean([bool(e.notes) for e in estimates_of])), 4),
        "repetitions": len(inside),
    }


def worth(plays: FloatArray) -> dict[str, float]:
    """What a target is worth, from its plays (num_plays,), and how exactly that is known."""
    error = plays.std(ddof=1) / np.sqrt(len(plays))
    return {"value": round(float(plays.mean()), 5), "standard_error": round(float(error), 5)}


def _rounded(value: Any) -> float | None:
    return rounded(float(value), 5)
