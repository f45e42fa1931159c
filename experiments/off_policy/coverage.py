"""Estimates of every target from many logs, and how often their intervals hold the truth."""

import warnings
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.fidelity.errors import rmse
from experiments.off_policy.world import World, play
from experiments.reporting.progress import Tick
from recommenders.base import Recommender
from recommenders.evaluation.statistics import share_interval
from recommenders.off_policy.cascade import estimate_cascade, weigh_cascade
from recommenders.off_policy.estimators import Estimate, OverlapWarning, estimate_all, weigh
from recommenders.off_policy.logged_slates import SimulatedLog
from recommenders.off_policy.mrdr import cross_fitted_means, more_robust
from recommenders.off_policy.pseudo_inverse import pseudo_inverse
from recommenders.policies.heuristics import Random
from simenv.events import IntArray
from simenv.seeding import Stream, generator

Cell = tuple[str, str, str]  # logging policy, target, estimator


def estimate_many(
    loggers: Mapping[str, Recommender],
    targets: Mapping[str, Recommender],
    world: World,
    people: IntArray,
    num_users: int,
    repetitions: int,
    tick: Tick,
) -> dict[Cell, list[Estimate]]:
    """``repetitions`` logs of each logging policy, each of ``num_users`` drawn from ``people``."""
    found: dict[Cell, list[Estimate]] = defaultdict(list)
    rng = generator(world.seed, Stream.LOGGED_USERS)
    for repetition in range(repetitions):
        tick(f"log {repetition + 1}")
        users = np.sort(rng.choice(people, num_users, replace=False))
        for logger, logging_policy in loggers.items():
            log = play(logging_policy, world, users, repetition)
            for target, policy in targets.items():
                for name, estimate in estimates(policy, log, isinstance(logging_policy, Random)):
                    found[logger, target, name].append(estimate)
        tick(f"log {repetition + 1}", advance=1)
    return found


def estimates(policy: Recommender, log: SimulatedLog, uniform: bool) -> list[tuple[str, Estimate]]:
    """Every estimator's value of ``policy``; the pseudo-inverse of uniform logs only.

    Warnings of overlap stay in the notes of the estimates.
    """
    num_items = log.candidates.shape[1]
    rewards, items = log.ratings, log.slates.items
    model = cross_fitted_means(log.users, items, rewards, num_items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        by_place = weigh(policy, log.observation, log.slates, rewards, model, num_draws=8)
        from_top = weigh_cascade(
            policy, log.observation, log.slates, rewards, log.prefix_chances, model, num_draws=8
        )
        found = estimate_all(by_place)
        found["MRDR"] = more_robust(
            policy, by_place, log.observation, log.slates, num_items, num_draws=8
        )
        found |= estimate_cascade(from_top)
        if uniform:
            found["PI"] = pseudo_inverse(policy, log.observation, log.slates, rewards.mean(axis=1))
    return list(found.items())


def summarise(estimates_of: list[Estimate], truth: float) -> dict[str, Any]:
    """How one estimator did over many logs; an interval that is not a number holds nothing."""
    values, low, high = (np.array([e[i] for e in estimates_of]) for i in range(3))
    inside = (low <= truth) & (truth <= high)
    coverage = share_interval(int(inside.sum()), len(inside))
    usable = np.isfinite(values)
    return {
        "coverage": round(coverage.mean, 4),
        "coverage_ci95": [round(coverage.low, 4), round(coverage.high, 4)],
        "bias": _number(np.mean(values[usable] - truth)) if usable.any() else None,
        "rmse": _number(rmse(values[usable] - truth)) if usable.any() else None,
        "half_width": _number(np.nanmean((high - low) / 2)) if usable.any() else None,
        "effective_size": _number(np.median([e.effective_size for e in estimates_of])),
        "warned": round(float(np.mean([bool(e.notes) for e in estimates_of])), 4),
        "repetitions": len(inside),
    }


def _number(value: Any) -> float:
    return round(float(value), 5)
